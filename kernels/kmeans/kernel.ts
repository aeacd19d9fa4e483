import { RetortError } from "../../foundation/errors.ts";
import { hintAfterLoss } from "../hints.ts";

/** Per-centroid accumulators of a pass over the vectors. */
export interface ClusterSums {
  /** `[clusters, width]`: sums of weight times factor times vector. */
  readonly sums: Float64Array;
  /** `[clusters]`: sums of the weights. */
  readonly mass: Float64Array;
  /** `[clusters]`: number of vectors. */
  readonly counts: Float64Array;
}

/** Nearest centroids of one block. */
export interface Nearest {
  /** `[rows]`: index of the centroid with the lowest score; the smallest index on ties. */
  readonly labels: Int32Array;
  /** `[rows]`: that score. */
  readonly scores: Float32Array;
}

/** Weights of the vectors of a block; all 1 by default. */
export interface BlockWeights {
  /** `[rows]`: what each vector adds to the mass of its cluster. */
  readonly weights?: Float64Array | undefined;
  /** `[rows]`: factor of each vector in its cluster's sum; includes its weight. */
  readonly factors?: Float64Array | undefined;
}

/**
 * The performance-critical part of k-means, for a given width and number of clusters: the nearest centroid of every
 * vector, and the sums from which the next centroids are computed. Engines implement this; everything else
 * (initialisation, restarts, empty clusters, stopping) is shared.
 *
 * The score of vector `x` and centroid `k` is `bias[k] - 2 x . directions[k]`: with `bias` the centroids' squared
 * norms, it is the squared distance minus the squared norm of the vector.
 */
export interface KMeansKernel {
  /** `cpu` or `webgpu`. */
  readonly engine: string;
  /**
   * Number of blocks that may be passed to {@link add} while another is being processed, because values are copied
   * immediately. When absent, values must not change until {@link add} resolves.
   */
  readonly ahead?: number;
  /** Sets the centroids, `directions` `[clusters, width]` and `bias` `[clusters]`, and zeroes all sums. */
  begin(directions: Float32Array, bias: Float32Array): Promise<void>;
  /** Finds the nearest centroids of a block `[rows, width]` and adds the block to the sums. */
  add(values: Float32Array, rows: number, weights?: BlockWeights): Promise<Nearest>;
  /** Sums accumulated since {@link begin}. */
  sums(): Promise<ClusterSums>;
  /** Releases the engine's resources for this kernel. */
  release(): Promise<void>;
}

/** Creates a kernel for `clusters` clusters of vectors with `width` components. */
export type KernelFactory = (width: number, clusters: number) => Promise<KMeansKernel>;

/**
 * The device was lost during a pass, and its sums with it. {@link KMeansKernel.begin} starts a new pass on a new
 * device.
 */
export class PassLostError extends RetortError {
  /** An error with its message. */
  constructor(message: string) {
    super("gpu/lost", message, { hint: hintAfterLoss() });
  }
}
