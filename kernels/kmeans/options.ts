import { RetortError } from "../../foundation/errors.ts";
import type { Metric } from "./data.ts";
import type { Vectors } from "./vectors.ts";

/** Options of {@link kmeans}. */
export interface KMeansOptions {
  /** Number of clusters, at most the number of vectors. */
  readonly clusters: number;
  /** Distance. Default: `euclidean`. */
  readonly metric?: Metric;
  /**
   * Initial centroids: `k-means++` (default), `sample` (distinct vectors drawn by weight), or an array
   * `[clusters, width]`.
   */
  readonly start?: "k-means++" | "sample" | Float32Array;
  /** Number of runs from different starts; the run with the lowest inertia is kept. Default: 1. */
  readonly restarts?: number;
  /** Maximum iterations of a run: passes, or batches in mini-batch k-means. Default: 100. */
  readonly iterations?: number;
  /** Vectors per batch for mini-batch k-means. Default: full passes. */
  readonly batch?: number;
  /**
   * Relative tolerance. A run ends when an iteration lowers the inertia by less than this fraction of it or, in
   * mini-batch k-means, when the smoothed inertia has not improved for ten consecutive batches. Default: 1e-4; 0 runs
   * until nothing changes.
   */
  readonly tolerance?: number;
  /** Seed of every random choice. Default: 0. */
  readonly seed?: number;
  /** Weight of each vector. Default: all 1. */
  readonly weights?: ArrayLike<number>;
  /** Number of vectors sampled for k-means++, at least four per cluster. Default: 16,384. */
  readonly startRows?: number;
  /** Vectors that take at most this many bytes as float32 are held in memory. Default: 1 GiB. */
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
