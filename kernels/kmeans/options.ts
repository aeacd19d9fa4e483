import { RetortError } from "../../foundation/errors.ts";
import type { Metric } from "./data.ts";
import type { Vectors } from "./vectors.ts";

/** Options of {@link kmeans}. */
export interface KMeansOptions {
  /** Number of clusters, at most the number of vectors. */
  readonly clusters: number;
  /** `euclidean` when left out. */
  readonly metric?: Metric;
  /** `k-means++` when left out; `sample`: different vectors drawn by weight; or centroids `[clusters, width]`. */
  readonly start?: "k-means++" | "sample" | Float32Array;
  /** How often to start; the run of lowest inertia is kept. 1 when left out. */
  readonly restarts?: number;
  /** Most iterations of a run: passes, or batches of mini-batch k-means. 100 when left out. */
  readonly iterations?: number;
  /** Vectors in a batch: mini-batch k-means. Full passes when left out. */
  readonly batch?: number;
  /**
   * A run ends when an iteration lowers the inertia by less than this part of it; mini-batch: when the smoothed
   * inertia of ten batches in a row did not get lower. 1e-4 when left out; 0: when nothing changes any more.
   */
  readonly tolerance?: number;
  /** Decides every random choice. 0 when left out. */
  readonly seed?: number;
  /** How much each vector counts; all 1 when left out. */
  readonly weights?: ArrayLike<number>;
  /** Vectors of which k-means++ chooses; at least four a cluster are taken. 16,384 when left out. */
  readonly startRows?: number;
  /** Vectors that need at most so many bytes as float32 are held in memory. 1 GiB when left out. */
  readonly memory?: number;
}

const DEFAULTS = {
  metric: "euclidean",
  start: "k-means++",
  restarts: 1,
  iterations: 100,
  tolerance: 1e-4,
  seed: 0,
  startRows: 16_384,
  memory: 2 ** 30,
} as const;

/** Options with defaults filled in. */
export type Settled = Omit<Required<KMeansOptions>, "weights" | "batch"> & {
  readonly batch: number | undefined;
};

/** Fills in defaults. @throws {RetortError} for an option out of range, or more clusters than vectors */
export function settle(vectors: Vectors, options: KMeansOptions): Settled {
  const settled = { ...DEFAULTS, batch: undefined, ...withoutUndefined(options) } as Settled;
  const { clusters, restarts, iterations, batch, tolerance } = settled;
  for (
    const [name, value] of Object.entries({
      clusters,
      restarts,
      iterations,
      ...(batch !== undefined && { batch }),
    })
  ) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new RetortError("kmeans/options", `\`${name}\` is ${value}, expected a whole number from 1`);
    }
  }
  if (!(tolerance >= 0)) {
    throw new RetortError("kmeans/options", `\`tolerance\` is ${tolerance}, expected a number from 0`);
  }
  if (clusters > vectors.rows) {
    throw new RetortError(
      "kmeans/too-few-vectors",
      `${clusters} clusters of ${vectors.rows} vectors: there must be at least as many vectors`,
      { hint: `Ask for ${vectors.rows} clusters or fewer, or give more vectors.` },
    );
  }
  return settled;
}

function withoutUndefined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}
