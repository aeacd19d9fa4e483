import { RetortError } from "../../foundation/errors.ts";
import { hintAfterLoss } from "../hints.ts";

/** What a pass over the vectors adds up, by centroid. */
export interface ClusterSums {
  /** `[clusters, width]`: sums of weight times factor times vector. */
  readonly sums: Float64Array;
  /** `[clusters]`: sums of weights. */
  readonly mass: Float64Array;
  /** `[clusters]`: numbers of vectors. */
  readonly counts: Float64Array;
}

/** Where the vectors of one block went. */
export interface Nearest {
  /** `[rows]`: the index of the centroid of lowest score; the smallest of equals. */
  readonly labels: Int32Array;
  /** `[rows]`: that score. */
  readonly scores: Float32Array;
}

/** How much each vector of a block counts; all 1 where left out. */
export interface BlockWeights {
  /** `[rows]`: what a vector adds to the mass of its cluster. */
  readonly weights?: Float64Array | undefined;
  /** `[rows]`: what a vector is multiplied with before it is added to the sum of its cluster, its weight included. */
  readonly factors?: Float64Array | undefined;
}

/**
 * The work of k-means that must be fast, for one width and number of clusters: the nearest centroid of every
 * vector, and the sums that the next centroids are made of. An engine implements this; what is not in here
 * (starts, restarts, empty clusters, stopping) is shared by all engines.
 *
 * The score of vector `x` and centroid `k` is `bias[k] - 2 x . directions[k]`: with `bias` the squared norms of the
 * centroids it is the squared distance less the squared norm of the vector.
 */
export interface KMeansKernel {
  /** `cpu` or `webgpu`. */
  readonly engine: string;
  /**
   * Blocks that may be handed over while one is worked on: their values are copied at once. None when left out: values
   * must stay as they are until {@link add} is done.
   */
  readonly ahead?: number;
  /** Sets the centroids, `directions` `[clusters, width]` and `bias` `[clusters]`, and all sums to zero. */
  begin(directions: Float32Array, bias: Float32Array): Promise<void>;
  /** Finds the nearest centroids of a block `[rows, width]`, and adds it to the sums. */
  add(values: Float32Array, rows: number, weights?: BlockWeights): Promise<Nearest>;
  /** What was added since {@link begin}. */
  sums(): Promise<ClusterSums>;
  /** Gives back what the engine holds for it. */
  release(): Promise<void>;
}

/** Makes a kernel for vectors of `width` numbers and so many clusters. */
export type KernelFactory = (width: number, clusters: number) => Promise<KMeansKernel>;

/** The device was lost in the middle of a pass: its sums are gone. {@link KMeansKernel.begin} starts a pass on a new one. */
export class PassLostError extends RetortError {
  constructor(message: string) {
    super("gpu/lost", message, { hint: hintAfterLoss() });
  }
}
