/** One run of {@link kmeans}, from one start. */
export interface KMeansRun {
  /** Inertia by iteration, under the centroids that the iteration began with; mini-batch: smoothed. */
  readonly inertia: readonly number[];
  /** Clusters that were empty and got a vector, by iteration. */
  readonly filled: readonly number[];
  /** Whether it ended by itself, before the last iteration that was allowed. */
  readonly converged: boolean;
}

/** Where {@link kmeans} stands between two iterations: all that it needs to go on with the same numbers. */
export interface KMeansState {
  /** The run that is going on, from 0. */
  readonly restart: number;
  /** Iterations that it has made. */
  readonly iteration: number;
  /** `[clusters, width]`: its centroids. */
  readonly centroids: Float32Array;
  /** `[clusters]`: weight that each centroid has seen; only mini-batch. */
  readonly seen: Float64Array | undefined;
  /** Finished runs, then this one. */
  readonly runs: readonly KMeansRun[];
  /** Centroids and inertia of the best finished run. */
  readonly best:
    | { readonly restart: number; readonly centroids: Float32Array; readonly inertia: number }
    | undefined;
}
