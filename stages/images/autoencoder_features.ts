import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import type { Program } from "../../kernels/autodiff/program.ts";
import { shardProgress } from "../../runner/codecs/shard_progress.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { autoencoderFeatures, centred, neighbourhood } from "../../teachers/masked_autoencoder.ts";
import { ShardOutput } from "../shard_output.ts";
import { autoencoder } from "./autoencoder_codecs.ts";
import { images } from "./codecs.ts";
import { patchSource } from "./train_autoencoder.ts";

/** Number of images processed at a time, and number of patches in a graph's batch. */
const BLOCK = 64, BATCH = 256;

/**
 * Features of patches: the output of a masked autoencoder's encoder for a patch, when only that patch and its neighbours
 * are visible. Row `image * patches + patch`.
 */
export const autoencoderPatchFeatures: Stage<
  z.ZodObject<{
    centred: z.ZodDefault<z.ZodBoolean>;
  }, z.core.$strip>,
  { images: typeof images; teacher: typeof autoencoder },
  { features: typeof matrixShards }
> = defineStage({
  name: "images.autoencoder-features",
  params: z.object({
    /**
     * Whether the encoder sees every patch at the position in the middle of the image. Otherwise clusters shared by all
     * positions are wasted on distinguishing positions.
     */
    centred: z.boolean().default(false),
  }),
  inputs: { images, teacher: autoencoder },
  outputs: { features: matrixShards },
  engine: "use",
  checkpoint: shardProgress,
  async run({ inputs, params, context }) {
    context.engine.used("cpu");
    const { teacher } = inputs;
    const { space, count } = inputs.images;
    const { rows, columns, patch: size, encoder: { width } } = teacher;
    const patch = space.height / rows;
    if (patch * patch * space.channels !== size || space.width / columns !== patch) {
      throw new RetortError(
        "inputs/mismatch",
        `the autoencoder sees other patches than those of these images`,
      );
    }
    const source = patchSource(inputs.images, patch, teacher);
    const patches = rows * columns;
    // Patches with equally many neighbours share a graph: interior, border and corner patches.
    const groups = Map.groupBy(
      Array.from({ length: patches }, (_, p) => neighbourhood(teacher, p)),
      (visible) => visible.length,
    );
    const programs = new Map<number, Program>();
    const weights = Object.fromEntries(teacher.weights);
    const output = await ShardOutput.begin(context, { type: "f2", width });
    try {
      for (const visible of groups.keys()) {
        programs.set(visible, await autoencoderFeatures(teacher, BATCH, visible));
      }
      for (let first = output.position; first < count; first += BLOCK) {
        const indices = Uint32Array.from({ length: Math.min(BLOCK, count - first) }, (_, i) => first + i);
        const values = source.read(indices);
        const block = new Float32Array(indices.length * patches * width);
        for (const [visible, sets] of groups) {
          const jobs = sets.flatMap((set) => {
            const places = params.centred ? centred(teacher, set) : set;
            return Array.from(indices, (_, image) => ({ set, places, image }));
          });
          for (let from = 0; from < jobs.length; from += BATCH) {
            const some = jobs.slice(from, from + BATCH);
            const feed = {
              visible: new Float32Array(BATCH * visible * size),
              visibleAt: new BigInt64Array(BATCH * visible),
            };
            some.forEach(({ set, places, image }, j) =>
              set.forEach((p, i) => {
                const at = (image * patches + p) * size;
                feed.visible.set(values.subarray(at, at + size), (j * visible + i) * size);
                feed.visibleAt[j * visible + i] = BigInt(places[i]!);
              })
            );
            const { features } = await programs.get(visible)!.run({ ...weights, ...feed });
            some.forEach(({ set, image }, j) => {
              block.set(features!.subarray(j * width, (j + 1) * width), (image * patches + set[0]!) * width);
            });
          }
        }
        await output.append(block, first + indices.length);
        context.progress(first + indices.length, count, "images");
      }
      return { features: await output.finish() };
    } finally {
      for (const program of programs.values()) await program.release();
    }
  },
});
