import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { kmeans } from "../../kernels/kmeans/kmeans.ts";
import { vectorsOf } from "../../kernels/kmeans/vectors.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { openClustering } from "../open_clustering.ts";
import { tokens, windows } from "../text/codecs.ts";
import { clusterLabels } from "./codecs.ts";

/**
 * Clusters of the vectors of windows within word classes: k-means among the positions whose word is in a class, for each class by
 * itself. Labels are numbers within the class; those of padding are 0.
 */
export const clusterWithin: Stage<
  z.ZodObject<{
    clusters: z.ZodInt;
    iterations: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  {
    vectors: typeof matrixShards;
    tokens: typeof tokens;
    windows: typeof windows;
    classes: typeof clusterLabels;
  },
  { labels: typeof clusterLabels }
> = defineStage({
  name: "clusters.within",
  params: z.object({
    /** Clusters of a class; a class with fewer different vectors has fewer. */
    clusters: z.int().min(1),
    /** Most iterations of k-means for a class. */
    iterations: z.int().min(1).default(12),
  }),
  inputs: { vectors: matrixShards, tokens, windows, classes: clusterLabels },
  outputs: { labels: clusterLabels },
  seeded: true,
  engine: "use",
  async run({ inputs, params: { clusters, iterations }, context }) {
    const { windows, classes } = inputs, { width, rows } = inputs.vectors;
    if (rows !== windows.count * windows.length) {
      throw new RetortError(
        "inputs/mismatch",
        `${rows} vectors for ${windows.count} windows of ${windows.length}`,
        {
          hint: "The vectors must be those of these windows.",
        },
      );
    }
    const positions: number[][] = Array.from({ length: classes.clusters }, () => []);
    for await (const { first, values, observed } of windows.blocks(inputs.tokens.ids, 4096)) {
      for (let i = 0; i < values.length; i++) {
        if (observed?.[i] !== 0) positions[classes.labels[values[i]!]!]!.push(first * windows.length + i);
      }
    }
    const all = new Float32Array(rows * width);
    for await (const { first, values } of inputs.vectors.blocks()) all.set(values, first * width);
    await using engine = await openClustering(context);
    const labels = new Int32Array(rows);
    let distance = 0;
    for (const [g, own] of positions.entries()) {
      context.signal.throwIfAborted();
      if (own.length === 0) continue;
      const values = new Float32Array(own.length * width);
      own.forEach((row, i) => values.set(all.subarray(row * width, (row + 1) * width), i * width));
      const found = await kmeans(vectorsOf(values, width), {
        clusters: Math.min(clusters, own.length),
        iterations,
        seed: context.seed + g,
      }, engine);
      own.forEach((row, i) => labels[row] = found.labels[i]!);
      distance += found.inertia;
      context.progress(g + 1, positions.length, "classes");
    }
    context.metric("mean squared distance", distance / rows);
    return { labels: { labels, clusters } };
  },
});
