import { z } from "zod";
import { pixelVariables, rectangleMask } from "../../circuits/queries/masks.ts";
import { RandomStream } from "../../circuits/random.ts";
import { unobserved } from "../../circuits/samples.ts";
import { plainColours } from "../../datasets/images/colours.ts";
import {
  dimensionsOf,
  type ImageSet,
  type PixelSpace,
  sliceImages,
} from "../../datasets/images/image_set.ts";
import { sheet, sideBySide } from "../../datasets/images/sheets.ts";
import { defineStage, type Stage, type StageContext } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { type CaptionedPicture, images, pictures } from "./codecs.ts";
import type { CompletionModel } from "../../circuits/queries/complete.ts";
import { imagesOfSamples } from "../../datasets/images/image_set.ts";
import { openPatchModel, openPixelCircuit } from "./open_model.ts";
import { patchModel } from "./patch_codecs.ts";

const sampleParams = z.object({
  /** Number of images to sample. */
  count: z.int().min(1).default(64),
  /** Magnification: each pixel becomes a square with this side length. */
  scale: z.int().min(1).default(2),
});

/** Images sampled from a patch model, on one sheet. */
export const showModelSamples: Stage<
  z.ZodObject<{
    count: z.ZodDefault<z.ZodInt>;
    scale: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { model: typeof patchModel },
  { pictures: typeof pictures }
> = defineStage({
  name: "images.show-model-samples",
  params: sampleParams,
  inputs: { model: patchModel },
  outputs: { pictures },
  seeded: true,
  engine: "use",
  run: async ({ inputs, params, context }) => ({
    pictures: await drawn(await openPatchModel(inputs.model, context), inputs.model.space, params, context),
  }),
});

/** Images sampled from a circuit over pixels, on one sheet. The input images only provide the pixel space. */
export const showCircuitSamples: Stage<
  z.ZodObject<{
    count: z.ZodDefault<z.ZodInt>;
    scale: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit; images: typeof images },
  { pictures: typeof pictures }
> = defineStage({
  name: "images.show-circuit-samples",
  params: sampleParams,
  inputs: { circuit, images },
  outputs: { pictures },
  seeded: true,
  engine: "use",
  run: async ({ inputs, params, context }) => ({
    pictures: await drawn(
      await openPixelCircuit(inputs.circuit, context),
      inputs.images.space,
      params,
      context,
    ),
  }),
});

async function drawn(
  model: CompletionModel,
  space: PixelSpace,
  { count, scale }: z.output<typeof sampleParams>,
  context: StageContext,
): Promise<CaptionedPicture[]> {
  try {
    const found = await model.complete(unobserved(count, dimensionsOf(space)), { seed: context.seed });
    return [{
      name: "samples",
      caption: `${count} images drawn from the model`,
      picture: sheet(imagesOfSamples(found, space), { scale }),
    }];
  } finally {
    await model.close();
  }
}

const inpaintParams = z.object({
  /** Number of images to complete: the first ones of the set. */
  count: z.int().min(1).default(8),
  /** Number of draws per image. */
  draws: z.int().min(1).default(3),
  /** What is hidden: the central quarter, the left or bottom half, or a random half of the pixels. */
  masks: z.array(z.enum(["centre", "left", "bottom", "random"])).min(1).default([
    "centre",
    "bottom",
    "random",
  ]),
  /** Magnification: each pixel becomes a square with this side length. */
  scale: z.int().min(1).default(2),
});

/** Test images with parts hidden, completed by exact conditional sampling and by expected values. */
export const showModelInpainting: Stage<
  z.ZodObject<{
    count: z.ZodDefault<z.ZodInt>;
    draws: z.ZodDefault<z.ZodInt>;
    masks: z.ZodDefault<
      z.ZodArray<
        z.ZodEnum<{
          random: "random";
          left: "left";
          centre: "centre";
          bottom: "bottom";
        }>
      >
    >;
    scale: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { model: typeof patchModel; images: typeof images },
  { pictures: typeof pictures }
> = defineStage({
  name: "images.show-model-inpainting",
  params: inpaintParams,
  inputs: { model: patchModel, images },
  outputs: { pictures },
  seeded: true,
  engine: "use",
  run: async ({ inputs, params, context }) => ({
    pictures: await inpainted(await openPatchModel(inputs.model, context), inputs.images, params, context),
  }),
});

/** The same as {@link showModelInpainting}, for a circuit over pixels. */
export const showCircuitInpainting: Stage<
  z.ZodObject<{
    count: z.ZodDefault<z.ZodInt>;
    draws: z.ZodDefault<z.ZodInt>;
    masks: z.ZodDefault<
      z.ZodArray<
        z.ZodEnum<{
          random: "random";
          left: "left";
          centre: "centre";
          bottom: "bottom";
        }>
      >
    >;
    scale: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit; images: typeof images },
  { pictures: typeof pictures }
> = defineStage({
  name: "images.show-circuit-inpainting",
  params: inpaintParams,
  inputs: { circuit, images },
  outputs: { pictures },
  seeded: true,
  engine: "use",
  run: async ({ inputs, params, context }) => ({
    pictures: await inpainted(
      await openPixelCircuit(inputs.circuit, context),
      inputs.images,
      params,
      context,
    ),
  }),
});

async function inpainted(
  model: CompletionModel,
  set: ImageSet,
  { count, draws, masks, scale }: z.output<typeof inpaintParams>,
  context: StageContext,
): Promise<CaptionedPicture[]> {
  const original = sliceImages(set, 0, count);
  const { space } = original;
  const variables = dimensionsOf(space);
  const made: CaptionedPicture[] = [];
  try {
    for (const [m, mask] of masks.entries()) {
      context.signal.throwIfAborted();
      const hidden = new Set(pixelVariables(space, maskOf(mask, space, context.seed)));
      const observed = Uint8Array.from(
        { length: original.count * variables },
        (_, i) => hidden.has(i % variables) ? 0 : 1,
      );
      const given = { count: original.count, variables, values: original.pixels, observed };
      const completed = await model.complete(given, { seed: context.seed + m * 0x1_0000_0000_0000, draws });
      const means = await model.means(given);
      const columns = Array.from({ length: draws }, (_, draw) => {
        const values = new Int32Array(original.count * variables);
        for (let i = 0; i < original.count; i++) {
          const from = (i * draws + draw) * variables;
          values.set(completed.values.subarray(from, from + variables) as Int32Array, i * variables);
        }
        return imagesOfSamples({ count: original.count, values }, space);
      });
      made.push({
        name: `inpainting-${mask}`,
        caption:
          `${mask} hidden. From left to right: image, what the model sees, ${draws} draws of what is hidden ` +
          "given the rest, expected values",
        picture: sideBySide([
          original,
          greyedOut(original, hidden),
          ...columns,
          imagesOfSamples({ count: original.count, values: means.map(Math.round) }, space),
        ], { scale }),
      });
      context.progress(m + 1, masks.length, "masks");
    }
  } finally {
    await model.close();
  }
  return made;
}

/** `[height, width]`: 1 where a pixel is hidden. */
function maskOf(mask: string, { height, width }: PixelSpace, seed: number): Uint8Array {
  const [h, w] = [Math.floor(height / 4), Math.floor(width / 4)];
  if (mask === "centre") {
    return rectangleMask({ height, width }, { top: h, left: w, bottom: height - h, right: width - w });
  }
  if (mask === "left") {
    return rectangleMask({ height, width }, { top: 0, left: 0, bottom: height, right: width >> 1 });
  }
  if (mask === "bottom") {
    return rectangleMask({ height, width }, { top: height >> 1, left: 0, bottom: height, right: width });
  }
  const random = new RandomStream(seed, 0, 0, 0x6d61736b);
  return Uint8Array.from({ length: height * width }, () => random.uniform() < 0.5 ? 1 : 0);
}

function greyedOut(set: ImageSet, hidden: ReadonlySet<number>): ImageSet {
  const plain = plainColours(set), size = dimensionsOf(plain.space);
  return { ...plain, pixels: plain.pixels.map((x, i) => hidden.has(i % size) ? 128 : x) as Uint8Array };
}
