import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { kmeans } from "../../kernels/kmeans/kmeans.ts";
import { everyNth, type Vectors } from "../../kernels/kmeans/vectors.ts";
import { patchCount, patchGrid } from "../../datasets/images/geometry.ts";
import { array, type NumericArray } from "../../runner/codecs/array.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { openClustering } from "../open_clustering.ts";
import { images } from "./codecs.ts";
import { patchClusters } from "./patch_codecs.ts";
import type { Codec } from "../../runner/codec.ts";

/** Centroids of k-means: `f4 [clusters, width]`; if positions have their own clusters, these are concatenated. */
export const patchCentroids: Codec<NumericArray<"f4">, NumericArray<"f4">, "patch-centroids"> = array(
  "patch-centroids",
  "f4",
  2,
);

/** Clusters patches by their features with k-means, over all positions together or for each position separately. */
export const clusterPatches: Stage<
  z.ZodObject<{
    patch: z.ZodInt;
    clusters: z.ZodInt;
    shared: z.ZodDefault<z.ZodBoolean>;
    iterations: z.ZodDefault<z.ZodInt>;
    restarts: z.ZodDefault<z.ZodInt>;
    batch: z.ZodOptional<z.ZodInt>;
  }, z.core.$strip>,
  { images: typeof images; features: typeof matrixShards },
  { clusters: typeof patchClusters; centroids: typeof patchCentroids }
> = defineStage({
  name: "images.cluster-patches",
  params: z.object({
    /** Side length of a patch in pixels. */
    patch: z.int().min(1),
    /** Number of clusters, in all if positions share them, otherwise per position. */
    clusters: z.int().min(1),
    /** Whether positions share clusters. */
    shared: z.boolean().default(true),
    /** Maximum number of iterations per run. */
    iterations: z.int().min(1).default(200),
    /** Number of runs; the one with the lowest inertia is kept. */
    restarts: z.int().min(1).default(5),
    /** Batch size of mini-batch k-means; omitted: full passes. */
    batch: z.int().min(1).optional(),
  }),
  inputs: { images, features: matrixShards },
  outputs: { clusters: patchClusters, centroids: patchCentroids },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const { patch, clusters, shared, iterations, restarts, batch } = params;
    const patches = patchCount(patchGrid(inputs.images.space, patch));
    const features: Vectors = inputs.features;
    const expected = inputs.images.count * patches;
    if (features.rows !== expected) {
      throw new RetortError("inputs/mismatch", `${features.rows} features for ${expected} patches`, {
        hint: "Features and clusters need the same size of patches.",
      });
    }
    await using engine = await openClustering(context);
    const positions = shared ? 1 : patches;
    const assignments = new Int32Array(expected);
    const data = new Float32Array(positions * clusters * features.width);
    let inertia = 0;
    for (let p = 0; p < positions; p++) {
      const found = await kmeans(shared ? features : everyNth(features, patches, p), {
        clusters,
        iterations,
        restarts,
        ...(batch !== undefined && { batch }),
        seed: context.seed,
      }, {
        ...engine,
        iteration: () => context.signal.throwIfAborted(),
      });
      found.labels.forEach((k, row) => assignments[shared ? row : row * patches + p] = k);
      data.set(found.centroids, p * clusters * features.width);
      inertia += found.inertia;
      const { min, max } = { min: Math.min(...found.sizes), max: Math.max(...found.sizes) };
      context.log(`${shared ? "all positions" : `position ${p}`}: ${min} to ${max} patches a cluster`);
      context.progress(p + 1, positions, "positions");
    }
    context.metric("inertia a patch", inertia / expected);
    return {
      clusters: { patch, clusters, shared, assignments, patches },
      centroids: { data, shape: [positions * clusters, features.width] },
    };
  },
});
