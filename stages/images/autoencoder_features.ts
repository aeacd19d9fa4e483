import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import type { Program } from "../../kernels/autodiff/program.ts";
import type { ImageSet } from "../../datasets/images/image_set.ts";
import {
  type NewShardProgress,
  type ShardProgress,
  shardProgress,
} from "../../runner/codecs/shard_progress.ts";
import { type FloatType, matrixShards } from "../../runner/codecs/shard_codecs.ts";
import type { NewShards } from "../../runner/codecs/shards.ts";
import { defineStage, type Stage, type StageContext } from "../../runner/stage.ts";
import { autoencoderFeatures, centred, neighbourhood } from "../../teachers/masked_autoencoder.ts";
import { type PartOf, WHOLE, wholeBlocks } from "../join_shards.ts";
import { onnxEngine } from "../onnx_engine.ts";
import { ShardOutput } from "../shard_output.ts";
import { type Autoencoder, autoencoder } from "./autoencoder_codecs.ts";
import { images } from "./codecs.ts";
import { patchSource } from "./train_autoencoder.ts";

/** Number of images processed at a time, and number of patches in a graph's batch. */
const BLOCK = 64, BATCH = 256;

/** Parameters of features by a masked autoencoder. */
export const featureParams: z.ZodObject<{ centred: z.ZodDefault<z.ZodBoolean> }, z.core.$strip> = z.object({
  /**
   * Whether the encoder sees every patch at the position in the middle of the image. Otherwise clusters shared by all
   * positions are wasted on distinguishing positions.
   */
  centred: z.boolean().default(false),
});

/** What features by a masked autoencoder are made from. */
export const featureInputs: { images: typeof images; teacher: typeof autoencoder } = {
  images,
  teacher: autoencoder,
};

/**
 * Features of patches: the output of a masked autoencoder's encoder for a patch, when only that patch and its neighbours
 * are visible. Row `image * patches + patch`.
 */
export const autoencoderPatchFeatures: Stage<
  typeof featureParams,
  typeof featureInputs,
  { features: typeof matrixShards }
> = defineStage({
  name: "images.autoencoder-features",
  params: featureParams,
  inputs: featureInputs,
  outputs: { features: matrixShards },
  engine: "use",
  checkpoint: shardProgress,
  run: async ({ inputs, params, context }) => ({ features: await featuresOf(inputs, params, context) }),
});

/**
 * Features of the patches of some images.
 *
 * @param part those of one of several parts, which begin and end with blocks of images: what is computed together is the
 * same as without parts
 * @throws {RetortError} for more parts than blocks, and for a teacher of other patches
 */
export async function featuresOf(
  inputs: { readonly images: ImageSet; readonly teacher: Autoencoder },
  params: z.output<typeof featureParams>,
  context: StageContext<ShardProgress, NewShardProgress>,
  part: PartOf = WHOLE,
): Promise<NewShards<FloatType>> {
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
  const { from, to } = wholeBlocks(count, BLOCK, part);
  const output = await ShardOutput.begin(context, { type: "f2", width }, from);
  try {
    for (const visible of groups.keys()) {
      programs.set(visible, await autoencoderFeatures(teacher, BATCH, visible, onnxEngine(context)));
    }
    for (let first = output.position; first < to; first += BLOCK) {
      const indices = Uint32Array.from({ length: Math.min(BLOCK, to - first) }, (_, i) => first + i);
      const values = source.read(indices);
      const block = new Float32Array(indices.length * patches * width);
      for (const [visible, sets] of groups) {
        const jobs = sets.flatMap((set) => {
          const places = params.centred ? centred(teacher, set) : set;
          return Array.from(indices, (_, image) => ({ set, places, image }));
        });
        for (let at = 0; at < jobs.length; at += BATCH) {
          const some = jobs.slice(at, at + BATCH);
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
      context.progress(first + indices.length - from, to - from, "images");
    }
    return await output.finish();
  } finally {
    for (const program of programs.values()) await program.release();
  }
}
