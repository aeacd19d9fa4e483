import { z } from "zod";
import { RandomStream } from "../../circuits/random.ts";
import { imagesOf, patchesOf, type PatchGrid, patchGrid, patchSize } from "../../datasets/images/geometry.ts";
import { dimensionsOf, type ImageSet, sliceImages } from "../../datasets/images/image_set.ts";
import { plainColours } from "../../datasets/images/colours.ts";
import { sideBySide } from "../../datasets/images/sheets.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { AutoencoderTraining, type PatchSource } from "../../teachers/autoencoder_training.ts";
import { autoencoderGuesses, hiddenOf, maskedFeed } from "../../teachers/masked_autoencoder.ts";
import {
  type Autoencoder,
  autoencoder,
  autoencoderLog,
  autoencoderState,
  transformerSizes,
} from "./autoencoder_codecs.ts";
import { type CaptionedPicture, images, pictures } from "./codecs.ts";
import { scaled } from "./patch_features.ts";

/** Number of images on the sheet of reconstructions. */
const SHOWN = 12;

/**
 * Trains a masked autoencoder from scratch on the images to be distilled. The defaults are those of the paper; a short
 * training needs a larger `rate`.
 */
export const trainAutoencoder: Stage<
  z.ZodObject<{
    patch: z.ZodInt;
    encoder: z.ZodDefault<
      z.ZodObject<{
        width: z.ZodInt;
        layers: z.ZodInt;
        heads: z.ZodInt;
        hidden: z.ZodInt;
      }, z.core.$strict>
    >;
    decoder: z.ZodDefault<
      z.ZodObject<{
        width: z.ZodInt;
        layers: z.ZodInt;
        heads: z.ZodInt;
        hidden: z.ZodInt;
      }, z.core.$strict>
    >;
    epochs: z.ZodDefault<z.ZodInt>;
    batch: z.ZodDefault<z.ZodInt>;
    rate: z.ZodDefault<z.ZodNumber>;
    warmup: z.ZodDefault<z.ZodNumber>;
    decay: z.ZodDefault<z.ZodNumber>;
    hidden: z.ZodDefault<z.ZodTuple<[z.ZodNumber, z.ZodNumber], null>>;
    shares: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { train: typeof images; valid: typeof images },
  { teacher: typeof autoencoder; log: typeof autoencoderLog; pictures: typeof pictures }
> = defineStage({
  name: "images.train-autoencoder",
  params: z.object({
    /** Side length of a patch in pixels. */
    patch: z.int().min(1),
    /** Sizes of the encoder, which sees the visible patches. */
    encoder: transformerSizes.default({ width: 256, layers: 6, heads: 8, hidden: 512 }),
    /** Sizes of the decoder, which predicts the hidden patches. */
    decoder: transformerSizes.default({ width: 256, layers: 4, heads: 8, hidden: 512 }),
    /** Number of passes over the images. */
    epochs: z.int().min(1).default(20),
    /** Number of images per step. */
    batch: z.int().min(1).default(64),
    /** Maximum learning rate of AdamW, reached after warm-up and followed by cosine decay to zero. */
    rate: z.number().positive().default(5e-5),
    /** Fraction of the steps used for warm-up. */
    warmup: z.number().min(0).max(1).default(0.05),
    /** Weight decay. */
    decay: z.number().min(0).default(0.05),
    /** Minimum and maximum fraction of hidden patches. */
    hidden: z.tuple([z.number(), z.number()]).default([0.1, 0.9]),
    /** Number of different fractions used, evenly spaced. */
    shares: z.int().min(1).default(5),
  }),
  inputs: { train: images, valid: images },
  outputs: { teacher: autoencoder, log: autoencoderLog, pictures },
  seeded: true,
  engine: "use",
  checkpoint: autoencoderState,
  async run({ inputs, params, context }) {
    context.engine.used("cpu");
    const { patch, encoder, decoder, hidden: [least, most], ...options } = params;
    const { space } = inputs.train;
    const grid = patchGrid(space, patch);
    const sizes = { rows: grid.rows, columns: grid.columns, patch: patchSize(grid), encoder, decoder };
    const norm = normOf(inputs.train);
    const training = new AutoencoderTraining(
      sizes,
      { ...options, hidden: [least, most], seed: context.seed },
      patchSource(inputs.train, patch, norm),
      patchSource(inputs.valid, patch, norm),
    );
    try {
      const saved = await context.checkpoint.load();
      if (saved !== undefined) {
        training.restore(saved);
        context.log(`going on after step ${saved.step}`);
      }
      const tell = ({ epoch, train, valid }: { epoch: number; train: number; valid: number }) => {
        context.metric("train loss", train, epoch);
        context.metric("valid loss", valid, epoch);
      };
      training.epochs.forEach(tell);
      while (!training.done) {
        await context.checkpoint.offer(() => training.state());
        const epoch = await training.step();
        if (epoch !== undefined) tell(epoch);
        const { done, total } = training.progress;
        context.progress(done, total, "steps");
      }
      const teacher = { ...sizes, ...norm, weights: training.weights };
      return {
        teacher,
        log: { epochs: training.epochs },
        pictures: await reconstructions(teacher, sliceImages(inputs.valid, 0, SHOWN), patch, context.seed),
      };
    } finally {
      await training.close();
    }
  },
});

/** Statistics that pixels are normalised by. */
type Norm = Pick<Autoencoder, "mean" | "deviation">;

/** Mean and standard deviation of each channel, in 0..1. */
function normOf(set: ImageSet): Norm {
  const { channels } = set.space;
  const sums = new Float64Array(channels), squares = new Float64Array(channels);
  const block = 1024;
  for (let from = 0; from < set.count; from += block) {
    scaled(sliceImages(set, from, from + block)).forEach((x, i) => {
      sums[i % channels]! += x;
      squares[i % channels]! += x * x;
    });
  }
  const count = set.count * dimensionsOf(set.space) / channels;
  const mean = Array.from(sums, (sum) => sum / count);
  const deviation = Array.from(
    squares,
    (square, c) => Math.sqrt(Math.max(1e-8, square / count - mean[c]! ** 2)),
  );
  return { mean, deviation };
}

/** Normalised patches of images, computed when read. */
export function patchSource(set: ImageSet, patch: number, { mean, deviation }: Norm): PatchSource {
  const grid = patchGrid(set.space, patch), size = dimensionsOf(set.space);
  const { channels } = set.space;
  return {
    count: set.count,
    read(indices) {
      const out = new Float32Array(indices.length * size);
      indices.forEach((image, i) => {
        const values = scaled(sliceImages(set, image, image + 1));
        for (let v = 0; v < size; v++) {
          out[i * size + v] = (values[v]! - mean[v % channels]!) / deviation[v % channels]!;
        }
      });
      return patchesOf(out, grid);
    },
  };
}

/** Validation images, their visible patches, and the autoencoder's reconstructions, at two fractions of hidden patches. */
async function reconstructions(
  teacher: Autoencoder,
  set: ImageSet,
  patch: number,
  seed: number,
): Promise<CaptionedPicture[]> {
  const grid = patchGrid(set.space, patch), count = teacher.rows * teacher.columns;
  const patches = patchSource(set, patch, teacher).read(Uint32Array.from({ length: set.count }, (_, i) => i));
  const columns = [set];
  for (const share of [0.5, 0.75]) {
    const visible = Math.min(count - 1, Math.max(1, Math.round(count * (1 - share))));
    const masks = Array.from(
      { length: set.count },
      (_, i) =>
        Uint32Array.from(new RandomStream(seed, i, 0, 0x73686f77).permutation(count).slice(0, visible)),
    );
    const program = await autoencoderGuesses(teacher, set.count, visible);
    const { guesses } = await program.run({
      ...Object.fromEntries(teacher.weights),
      ...maskedFeed(teacher, patches, masks),
    });
    await program.release();
    const seen = patches.slice(), filled = patches.slice();
    masks.forEach((mask, image) => {
      hiddenOf(mask, count).forEach((p, h) => {
        const at = (image * count + p) * teacher.patch;
        const from = (image * (count - visible) + h) * teacher.patch;
        seen.fill(0, at, at + teacher.patch);
        filled.set(guesses!.subarray(from, from + teacher.patch), at);
      });
    });
    columns.push(asImages(seen, grid, set, teacher), asImages(filled, grid, set, teacher));
  }
  return [{
    name: "reconstructions",
    caption:
      "From left to right: image, half of its patches, the autoencoder's guesses, a quarter of its patches, the " +
      "autoencoder's guesses",
    picture: sideBySide(columns, { scale: 2 }),
  }];
}

function asImages(
  patches: Float32Array,
  grid: PatchGrid,
  set: ImageSet,
  { mean, deviation }: Norm,
): ImageSet {
  const plain = plainColours(set), { channels, levels } = plain.space;
  const pixels = Uint8Array.from(imagesOf(patches, grid), (x, i) => {
    const c = i % channels, most = levels[c]! - 1;
    return Math.round(Math.min(1, Math.max(0, x * deviation[c]! + mean[c]!)) * most);
  });
  return { ...plain, pixels };
}
