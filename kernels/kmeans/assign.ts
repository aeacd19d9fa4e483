import { RetortError } from "../../foundation/errors.ts";
import { type Metric, prepareVectors } from "./data.ts";
import type { KernelFactory } from "./kernel.ts";
import { passOver } from "./pass.ts";
import { unitVectors, type Vectors } from "./vectors.ts";

/** Result of {@link nearestCentroids}. */
export interface Assignment {
  /** `[rows]`: index of the nearest centroid; the smallest index on ties. */
  readonly labels: Int32Array;
  /** `[rows]`: squared distance to it, in float32; for cosine, 2 (1 - cosine). */
  readonly distances: Float32Array;
  /** Weighted sum of the squared distances, in float64. */
  readonly inertia: number;
  /** `[clusters]`: number of vectors in each cluster. */
  readonly sizes: Int32Array;
}

/**
 * Assigns each vector to its nearest centroid, for vectors that k-means was not fitted to, such as a test set.
 * @param centroids `[clusters, width]`, as returned by k-means
 * @throws {RetortError} when the width differs, and on vectors that k-means would refuse
 */
export async function nearestCentroids(
  vectors: Vectors,
  centroids: Float32Array,
  options: {
    readonly metric?: Metric;
    /** Weight of each vector; all 1 by default. Under cosine, vectors of weight 0 may be zero. */
    readonly weights?: ArrayLike<number> | undefined;
    readonly kernel: KernelFactory;
  },
): Promise<Assignment> {
  const { width } = vectors;
  const clusters = centroids.length / width;
  if (!(Number.isInteger(clusters) && clusters >= 1)) {
    throw new RetortError(
      "kmeans/width",
      `${centroids.length} numbers do not divide into centroids of width ${width}`,
      {
        hint: "Vectors and centroids must come from the same embedding.",
      },
    );
  }
  const { metric = "euclidean" } = options;
  const origin = new Float64Array(width);
  if (metric === "euclidean") {
    centroids.forEach((x, i) => origin[i % width]! += x / clusters);
  }
  const data = await prepareVectors(vectors, metric, origin.map(Math.fround), options.weights);
  const kernel = await options.kernel(width, clusters);
  try {
    const used = metric === "cosine" ? unitVectors(centroids, width) : centroids;
    const { labels, distances, inertia, sums } = await passOver(kernel, data, used);
    return { labels, distances, inertia, sizes: Int32Array.from(sums.counts) };
  } finally {
    await kernel.release();
  }
}
