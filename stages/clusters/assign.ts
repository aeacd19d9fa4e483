import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { nearestCentroids } from "../../kernels/kmeans/assign.ts";
import { everyNth } from "../../kernels/kmeans/vectors.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { openClustering } from "../open_clustering.ts";
import { centroids, clusterLabels } from "./codecs.ts";
import { weightsOfRows } from "./vectors.ts";

/** Assigns vectors that were not used by k-means, such as a test set's, to their nearest clusters. */
export const assignClusters: Stage<
  z.ZodObject<{
    zeros: z.ZodDefault<
      z.ZodEnum<{
        keep: "keep";
        skip: "skip";
      }>
    >;
  }, z.core.$strip>,
  { vectors: typeof matrixShards; centroids: typeof centroids },
  { labels: typeof clusterLabels }
> = defineStage({
  name: "clusters.assign",
  params: z.object({
    /** `skip`: zero rows, which are padding, get an arbitrary cluster and do not count. */
    zeros: z.enum(["keep", "skip"]).default("keep"),
  }),
  inputs: { vectors: matrixShards, centroids },
  outputs: { labels: clusterLabels },
  engine: "use",
  async run({ inputs, params, context }) {
    const { rows, width } = inputs.vectors;
    const { values, positions, clusters, metric, width: expected } = inputs.centroids;
    if (width !== expected) {
      throw new RetortError("kmeans/width", `vectors of ${width} numbers, but centroids of ${expected}`, {
        hint:
          "Vectors and centroids must come from the same teacher, and the same components if there are any.",
      });
    }
    if (rows % positions !== 0) {
      throw new RetortError(
        "inputs/mismatch",
        `${rows} vectors cannot be split into samples of ${positions} positions`,
      );
    }
    await using engine = await openClustering(context);
    const labels = new Int32Array(rows);
    let inertia = 0;
    for (let p = 0; p < positions; p++) {
      const size = clusters * width;
      const vectors = positions === 1 ? inputs.vectors : everyNth(inputs.vectors, positions, p);
      const weights = params.zeros === "skip" ? await weightsOfRows(vectors) : undefined;
      const found = await nearestCentroids(vectors, values.subarray(p * size, (p + 1) * size), {
        metric,
        weights,
        kernel: engine.kernel,
      });
      for (let row = 0; row < found.labels.length; row++) labels[row * positions + p] = found.labels[row]!;
      inertia += found.inertia;
      context.progress(p + 1, positions, "positions");
    }
    context.metric("mean squared distance", inertia / rows);
    return { labels: { labels, clusters } };
  },
});
