import { z } from "zod";
import { sizeOf } from "../../circuits/circuit.ts";
import { sliceSamples } from "../../circuits/samples.ts";
import { bitsNote, type BitsPerDimension, bitsPerDimension, formatBits } from "../../datasets/images/bits.ts";
import { dimensionsOf, type ImageSet } from "../../datasets/images/image_set.ts";
import type { Codec, WriteOf } from "../../runner/codec.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Stage, type StageContext } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { bitsFigure, images } from "./codecs.ts";
import type { CompletionModel } from "../../circuits/queries/complete.ts";
import { openPatchModel, openPixelCircuit } from "./open_model.ts";
import { modelParameters, patchModel } from "./patch_codecs.ts";

/** Score of a model on images. The figure includes the space it was measured in. */
export const imageScore: Codec<{
  figure: BitsPerDimension;
  standardError: number;
  impossible: number;
  parameters: number;
}, {
  figure: unknown;
  standardError: number;
  impossible: number;
  parameters: number;
}, "image-score"> = json(
  "image-score",
  z.object({
    /** Bits per dimension of the images with nonzero likelihood. */
    figure: bitsFigure,
    /** Standard error of the mean over images, in bits per dimension. */
    standardError: z.number(),
    /** Number of images with zero likelihood, which are excluded from the mean. */
    impossible: z.int(),
    /** Number of parameters of the model, counting shared ones once. */
    parameters: z.int(),
  }),
  1,
  {
    summary: ({ figure, standardError, parameters }) =>
      `${formatBits(figure, 4)} +- ${standardError.toFixed(4)}, ${parameters} parameters\n${
        bitsNote([figure])
      }`,
  },
);

const params = z.object({
  /** Maximum number of images per batch. */
  batchSize: z.int().min(1).default(256),
});

/** Bits per dimension of images under a patch model. */
export const evaluatePatchModel: Stage<
  z.ZodObject<{
    batchSize: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { model: typeof patchModel; images: typeof images },
  { score: typeof imageScore }
> = defineStage({
  name: "images.evaluate-model",
  params,
  inputs: { model: patchModel, images },
  outputs: { score: imageScore },
  engine: "use",
  run: async ({ inputs, params, context }) => ({
    score: await scored(
      await openPatchModel(inputs.model, context),
      modelParameters(inputs.model),
      inputs.images,
      params.batchSize,
      context,
    ),
  }),
});

/** Bits per dimension of images under a circuit over their pixels. */
export const evaluatePixelCircuit: Stage<
  z.ZodObject<{
    batchSize: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit; images: typeof images },
  { score: typeof imageScore }
> = defineStage({
  name: "images.evaluate-circuit",
  params,
  inputs: { circuit, images },
  outputs: { score: imageScore },
  engine: "use",
  run: async ({ inputs, params, context }) => ({
    score: await scored(
      await openPixelCircuit(inputs.circuit, context),
      sizeOf(inputs.circuit).parameters,
      inputs.images,
      params.batchSize,
      context,
    ),
  }),
});

async function scored(
  model: CompletionModel,
  parameters: number,
  { space, count, pixels }: ImageSet,
  batchSize: number,
  context: StageContext,
): Promise<WriteOf<typeof imageScore>> {
  const data = { count, variables: dimensionsOf(space), values: pixels };
  const logs: number[] = [];
  try {
    for (let from = 0; from < count; from += batchSize) {
      context.signal.throwIfAborted();
      logs.push(...await model.logLikelihoods(sliceSamples(data, from, Math.min(count, from + batchSize))));
      context.progress(logs.length, count, "images");
    }
  } finally {
    await model.close();
  }
  const possible = logs.filter((log) => log > -Infinity);
  const impossible = count - possible.length;
  if (impossible > 0) context.log(`${impossible} of ${count} images are impossible`);
  const figure = bitsPerDimension(possible, space);
  const mean = possible.reduce((total, log) => total + log, 0) / possible.length;
  const variance = possible.reduce((total, log) => total + (log - mean) ** 2, 0) / possible.length;
  const standardError = Math.sqrt(variance / possible.length) / Math.LN2 / dimensionsOf(space);
  context.metric("bits per dimension", figure.bits);
  context.metric("parameters", parameters);
  return { figure, standardError, impossible, parameters };
}
