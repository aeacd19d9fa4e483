import { z } from "zod";
import { RandomStream } from "../../circuits/random.ts";
import { plainColours } from "../../datasets/images/colours.ts";
import { patchesOf, patchGrid, patchSize } from "../../datasets/images/geometry.ts";
import { type ImageSet, sliceImages } from "../../datasets/images/image_set.ts";
import { shardProgress } from "../../runner/codecs/shard_progress.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { ShardOutput } from "../shard_output.ts";
import { images } from "./codecs.ts";

/** Number of images processed at a time. */
const BLOCK = 256;

/**
 * Features of patches from untrained teachers, for comparison: the patch's own pixels, or a random one-layer network on
 * the patch and its neighbours, which sees the same pixels as the masked autoencoder. Row `image * patches + patch`.
 */
export const controlFeatures: Stage<
  z.ZodObject<{
    patch: z.ZodInt;
    teacher: z.ZodEnum<{
      random: "random";
      pixels: "pixels";
    }>;
    width: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { images: typeof images },
  { features: typeof matrixShards }
> = defineStage({
  name: "images.control-features",
  params: z.object({
    /** Side length of a patch in pixels. */
    patch: z.int().min(1),
    /** The teacher. */
    teacher: z.enum(["pixels", "random"]),
    /** Number of features of the random network. */
    width: z.int().min(1).default(256),
  }),
  inputs: { images },
  outputs: { features: matrixShards },
  seeded: true,
  checkpoint: shardProgress,
  async run({ inputs, params, context }) {
    const { patch, teacher } = params;
    const grid = patchGrid(inputs.images.space, patch);
    const size = patchSize(grid);
    const width = teacher === "pixels" ? size : params.width;
    const network = teacher === "random" ? randomNetwork(9 * size, width, context.seed) : undefined;
    const output = await ShardOutput.begin(context, { type: "f2", width });
    for (let i = output.position; i < inputs.images.count; i += BLOCK) {
      const block = sliceImages(inputs.images, i, i + BLOCK);
      const patches = patchesOf(scaled(block), grid);
      const rows = network === undefined
        ? patches
        : network(withNeighbours(patches, grid.rows, grid.columns, size));
      await output.append(rows, i + block.count);
      context.progress(i + block.count, inputs.images.count, "images");
    }
    return { features: await output.finish() };
  },
});

/** Colours scaled to 0..1. */
export function scaled(set: ImageSet): Float32Array {
  const plain = plainColours(set);
  const { channels, levels } = plain.space;
  return Float32Array.from(plain.pixels, (x, i) => x / (levels[i % channels]! - 1));
}

/**
 * Every patch with its eight neighbours, `[images, patches, 9, patch size]`; zeros beyond the border.
 * @param patches `[images, rows, columns, size]`
 */
export function withNeighbours(
  patches: Float32Array,
  rows: number,
  columns: number,
  size: number,
): Float32Array {
  const out = new Float32Array(patches.length * 9);
  const count = patches.length / (rows * columns * size);
  let at = 0;
  for (let i = 0; i < count; i++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++, at += size) {
            const y = row + dy, x = column + dx;
            if (y < 0 || y >= rows || x < 0 || x >= columns) continue;
            const from = ((i * rows + y) * columns + x) * size;
            out.set(patches.subarray(from, from + size), at);
          }
        }
      }
    }
  }
  return out;
}

/** A layer with random weights and rectified linear units: maps rows of `inputs` numbers to rows of `width`. */
function randomNetwork(inputs: number, width: number, seed: number): (rows: Float32Array) => Float32Array {
  const random = new RandomStream(seed, 0, 0, 0x666561);
  const weights = Float32Array.from({ length: inputs * width }, () => random.normal() / Math.sqrt(inputs));
  const bias = Float32Array.from({ length: width }, () => random.normal() * 0.1);
  return (rows) => {
    const count = rows.length / inputs;
    const out = new Float32Array(count * width);
    for (let r = 0; r < count; r++) {
      const to = r * width;
      out.set(bias, to);
      for (let i = 0; i < inputs; i++) {
        const x = rows[r * inputs + i]!;
        // All zero beyond the border.
        if (x === 0) continue;
        const from = i * width;
        // Centred, because otherwise every feature would mostly measure the brightness of the patch.
        for (let f = 0; f < width; f++) out[to + f]! += (x - 0.5) * weights[from + f]!;
      }
      for (let f = 0; f < width; f++) if (out[to + f]! < 0) out[to + f] = 0;
    }
    return out;
  };
}
