import { RetortError } from "../../foundation/errors.ts";
import { type Metric, prepareVectors } from "./data.ts";
import type { KernelFactory } from "./kernel.ts";
import { type Pass, passOver } from "./pass.ts";
import { unitVectors, type Vectors } from "./vectors.ts";

/** What {@link nearestCentroids} finds. */
export type Assignment = Pick<Pass, "labels" | "distances" | "inertia"> & {
  /** `[clusters]`: vectors by cluster. */
  readonly sizes: Int32Array;
};

/**
 * The nearest centroid of every vector: clusters of vectors that k-means did not see, such as those of a test set.
 * @param centroids `[clusters, width]`, as k-means returned them
 * @throws {RetortError} when the width differs, and on vectors that k-means would refuse
 */
export async function nearestCentroids(
  vectors: Vectors,
  centroids: Float32Array,
  options: {
    readonly metric?: Metric;
    /** How much each vector counts; all 1 when left out. Those of weight 0 may be zero under cosine. */
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
