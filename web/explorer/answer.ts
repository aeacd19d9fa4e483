import { pixelVariables } from "../../circuits/queries/masks.ts";
import type { Samples } from "../../circuits/samples.ts";
import { bitsOf } from "../../browser/ask.ts";
import { dimensionsOf, type ImageSet, sliceImages } from "../../datasets/images/image_set.ts";
import { sheet } from "../../datasets/images/sheets.ts";
import { CallError } from "../../foundation/errors.ts";
import type { ImageModel } from "../../stages/images/open_model.ts";
import { imagesOfSamples } from "../../stages/images/show_images.ts";
import { encodePlainPng } from "../view/png.ts";
import { dataUrl } from "../view/preview.ts";
import type { ImageAnswer, ImageQuestion } from "./protocol.ts";

/** An image model's answer about an image with hidden pixels. */
export async function answerImage(
  model: ImageModel,
  set: ImageSet,
  { image, hidden, draws, seed }: Omit<ImageQuestion, "model" | "images" | "kind">,
): Promise<ImageAnswer> {
  if (image >= set.count) {
    throw new CallError("page/not-found", `there is no image ${image}: the set has ${set.count}`);
  }
  const original = sliceImages(set, image, image + 1);
  const { space } = original;
  const mask = maskOf(hidden, space.height * space.width);
  const variables = dimensionsOf(space);
  const missing = new Set(pixelVariables(space, mask));
  const whole: Samples = { count: 1, variables, values: original.pixels };
  const given: Samples = {
    ...whole,
    observed: Uint8Array.from({ length: variables }, (_, v) => missing.has(v) ? 0 : 1),
  };
  const answer = {
    kind: "images" as const,
    original: picture(original),
    hidden: missing.size / space.channels,
  };
  if (missing.size === 0) return { ...answer, bits: null, drawn: [], mean: answer.original };
  const completed = await model.complete(given, { seed, draws });
  const means = await model.means(given);
  const [all] = await model.logLikelihoods(whole), [seen] = await model.logLikelihoods(given);
  return {
    ...answer,
    bits: bitsOf(all! - seen!),
    drawn: Array.from({ length: draws }, (_, draw) =>
      picture(imagesOfSamples({
        count: 1,
        variables,
        values: completed.values.slice(draw * variables, (draw + 1) * variables),
      }, space))),
    mean: picture(imagesOfSamples({ count: 1, variables, values: means.map(Math.round) }, space)),
  };
}

/** `[height, width]`: 1 where a pixel is hidden. */
function maskOf(text: string, pixels: number): Uint8Array {
  let bits: Uint8Array;
  try {
    bits = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch (cause) {
    throw new CallError("page/argument", "what is hidden is not base64url", { cause });
  }
  if (bits.length !== Math.ceil(pixels / 8)) {
    throw new CallError("page/argument", `what is hidden has ${8 * bits.length} bits for ${pixels} pixels`);
  }
  return Uint8Array.from({ length: pixels }, (_, i) => bits[i >> 3]! >> (i & 7) & 1);
}

function picture(set: ImageSet): string {
  return dataUrl("image/png", encodePlainPng(sheet(set, { gap: 0 })));
}
