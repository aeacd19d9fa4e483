/** Questions about images with hidden pixels, and a model's answers: those of the dashboard's explorer and of pages alike. */
import { pixelVariables } from "../circuits/queries/masks.ts";
import type { Samples } from "../circuits/samples.ts";
import { dimensionsOf, type ImageSet, imagesOfSamples } from "../datasets/images/image_set.ts";
import type { Picture } from "../datasets/images/pictures.ts";
import { sheet } from "../datasets/images/sheets.ts";
import type { CompletionModel } from "../circuits/queries/complete.ts";
import { bitsOf } from "./ask.ts";

/** What is hidden of an image, and how often it is filled in. */
export interface HoleQuestion {
  /** `[height, width]`: 1 where a pixel is hidden. */
  readonly hidden: Uint8Array;
  /** Number of fillings drawn. */
  readonly draws: number;
  /** Seed of the fillings. */
  readonly seed: number;
}

/** A model's answer about an image with a hole. */
export interface HoleAnswer {
  /** The image. */
  readonly original: Picture;
  /** Number of hidden pixels. */
  readonly hidden: number;
  /** -log2 p(hidden | seen) of what is really there; null if nothing is hidden or it is impossible. */
  readonly bits: number | null;
  /** Drawn from the exact distribution of the hidden pixels given the others. */
  readonly drawn: readonly Picture[];
  /** Exact expected values of the hidden pixels given the others. */
  readonly mean: Picture;
}

/** A model's answer about one image with hidden pixels. */
export async function answerHole(
  model: Omit<CompletionModel, "close">,
  image: ImageSet,
  { hidden, draws, seed }: HoleQuestion,
): Promise<HoleAnswer> {
  const { space } = image, variables = dimensionsOf(space);
  const picture = (values: Samples["values"]) =>
    sheet(imagesOfSamples({ count: 1, values }, space), { gap: 0 });
  const missing = new Set(pixelVariables(space, hidden));
  const whole: Samples = { count: 1, variables, values: image.pixels };
  const original = sheet(image, { gap: 0 });
  const about = { original, hidden: missing.size / space.channels };
  if (missing.size === 0) return { ...about, bits: null, drawn: [], mean: original };
  const given: Samples = {
    ...whole,
    observed: Uint8Array.from({ length: variables }, (_, v) => missing.has(v) ? 0 : 1),
  };
  const completed = await model.complete(given, { seed, draws });
  const means = await model.means(given);
  const [all] = await model.logLikelihoods(whole), [seen] = await model.logLikelihoods(given);
  return {
    ...about,
    bits: bitsOf(all! - seen!),
    drawn: Array.from(
      { length: draws },
      (_, draw) => picture(completed.values.slice(draw * variables, (draw + 1) * variables)),
    ),
    mean: picture(means.map(Math.round)),
  };
}
