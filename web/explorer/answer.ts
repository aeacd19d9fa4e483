import { answerHole } from "../../browser/ask_image.ts";
import { type ImageSet, sliceImages } from "../../datasets/images/image_set.ts";
import type { Picture } from "../../datasets/images/pictures.ts";
import { CallError } from "../../foundation/errors.ts";
import type { CompletionModel } from "../../circuits/queries/complete.ts";
import { encodePlainPng } from "../view/png.ts";
import { dataUrl } from "../view/preview.ts";
import type { ImageAnswer, ImageQuestion } from "./protocol.ts";

/** An image model's answer about an image with hidden pixels. */
export async function answerImage(
  model: CompletionModel,
  set: ImageSet,
  { image, hidden, draws, seed }: Omit<ImageQuestion, "model" | "images" | "kind">,
): Promise<ImageAnswer> {
  if (image >= set.count) {
    throw new CallError("page/not-found", `there is no image ${image}: the set has ${set.count}`);
  }
  const original = sliceImages(set, image, image + 1);
  const { height, width } = original.space;
  const answer = await answerHole(model, original, { hidden: maskOf(hidden, height * width), draws, seed });
  return {
    kind: "images",
    hidden: answer.hidden,
    bits: answer.bits,
    original: picture(answer.original),
    drawn: answer.drawn.map(picture),
    mean: picture(answer.mean),
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

function picture(of: Picture): string {
  return dataUrl("image/png", encodePlainPng(of));
}
