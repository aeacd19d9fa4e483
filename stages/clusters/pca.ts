import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { principalComponents, projection } from "../../kernels/pca.ts";
import { shardProgress } from "../../runner/codecs/shard_progress.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { ShardOutput } from "../shard_output.ts";
import { principalAxes } from "./codecs.ts";

/** Fits the principal components of vectors: the directions of largest variance. */
export const fitPca: Stage<
  z.ZodObject<{
    components: z.ZodInt;
  }, z.core.$strip>,
  { vectors: typeof matrixShards },
  { axes: typeof principalAxes }
> = defineStage({
  name: "clusters.pca",
  params: z.object({
    /** Number of components. */
    components: z.int().min(1),
  }),
  inputs: { vectors: matrixShards },
  outputs: { axes: principalAxes },
  async run({ inputs, params, context }) {
    const axes = await principalComponents(inputs.vectors, params.components);
    context.metric("explained variance", axes.variances.reduce((a, b) => a + b, 0) / axes.total);
    return { axes };
  },
});

/** Projects vectors onto principal components, so k-means compares fewer dimensions. */
export const projectPca: Stage<
  z.ZodObject<{
    whiten: z.ZodDefault<z.ZodBoolean>;
    precision: z.ZodDefault<
      z.ZodEnum<{
        f2: "f2";
        f4: "f4";
      }>
    >;
  }, z.core.$strip>,
  { vectors: typeof matrixShards; axes: typeof principalAxes },
  { vectors: typeof matrixShards }
> = defineStage({
  name: "clusters.project",
  params: z.object({
    /** Whether to scale all components to unit variance. */
    whiten: z.boolean().default(false),
    /** Half (`f2`) or single (`f4`) precision on disk. */
    precision: z.enum(["f2", "f4"]).default("f4"),
  }),
  inputs: { vectors: matrixShards, axes: principalAxes },
  outputs: { vectors: matrixShards },
  checkpoint: shardProgress,
  async run({ inputs, params, context }) {
    const { vectors, axes } = inputs;
    if (vectors.width !== axes.mean.length) {
      throw new RetortError(
        "kmeans/width",
        `vectors of ${vectors.width} numbers, but components of ${axes.mean.length}`,
      );
    }
    const { project, release } = await projection(axes, { whiten: params.whiten });
    try {
      const output = await ShardOutput.begin(context, {
        type: params.precision,
        width: axes.variances.length,
      });
      for await (const { first, rows, values } of vectors.blocks({ from: output.position })) {
        await output.append(await project(values, rows), first + rows);
        context.progress(first + rows, vectors.rows, "vectors");
      }
      return { vectors: await output.finish() };
    } finally {
      await release();
    }
  },
});
