/** History of one run of {@link kmeans}, from one start. */
export interface KMeansRun {
  /** Inertia by iteration, under the centroids at the start of the iteration; smoothed in mini-batch k-means. */
  readonly inertia: readonly number[];
  /** Number of empty clusters that were given a vector, by iteration. */
  readonly filled: readonly number[];
  /** Whether the run converged before reaching the iteration limit. */
  readonly converged: boolean;
}

/** State of {@link kmeans} between two iterations: everything needed to resume with identical numbers. */
export interface KMeansState {
  /** Index of the current run, from 0. */
  readonly restart: number;
  /** Iterations completed in this run. */
  readonly iteration: number;
  /** `[clusters, width]`: current centroids. */
  readonly centroids: Float32Array;
  /** `[clusters]`: weight that each centroid has seen; mini-batch only. */
  readonly seen: Float64Array | undefined;
  /** Finished runs, then the current one. */
  readonly runs: readonly KMeansRun[];
  /** Centroids and inertia of the best finished run. */
  readonly best:
    | { readonly restart: number; readonly centroids: Float32Array; readonly inertia: number }
    | undefined;
}
