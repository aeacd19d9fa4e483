import type { Exclusion } from "../../circuits/queries/exclude.ts";
import { logLikelihood } from "../../circuits/queries/likelihood.ts";
import { pixelVariables } from "../../circuits/queries/masks.ts";
import type { Samples } from "../../circuits/samples.ts";
import { dimensionsOf, type ImageSet, sliceImages } from "../../datasets/images/image_set.ts";
import { sheet } from "../../datasets/images/sheets.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { CallError, RetortError } from "../../foundation/errors.ts";
import type { Evaluator } from "../../circuits/evaluator.ts";
import type { ImageModel } from "../../stages/images/open_model.ts";
import { imagesOfSamples } from "../../stages/images/show_images.ts";
import { type BlankedSentence, fillBlanks, type FilledBlanks, readBlanks } from "../../stages/text/blanks.ts";
import { likeliestFilling } from "../../stages/text/likeliest.ts";
import { textOfTokens } from "../../datasets/text/text_of_tokens.ts";
import { askedFrame } from "../../stages/text/frame.ts";
import { encodePlainPng } from "../view/png.ts";
import { dataUrl } from "../view/preview.ts";
import type { ImageAnswer, ImageQuestion, TextAnswer, TextQuestion } from "./protocol.ts";

/** An open text model: its circuit, and for blanks the circuit in which they cannot be end tokens. */
export interface TextModel {
  readonly evaluator: Evaluator;
  withoutEnds(
    blanks: readonly number[],
  ): Promise<{ evaluator: Evaluator; condition: Exclusion["condition"] }>;
}

/** A text circuit's answer about a sentence. Uses the stages' own code, without a run. */
export async function answerText(
  { evaluator, withoutEnds }: TextModel,
  vocabulary: Vocabulary,
  { sentence, ends, list, draws, seed, likeliest }: Omit<TextQuestion, "model" | "vocabulary" | "kind">,
): Promise<TextAnswer> {
  const { circuit } = evaluator;
  // A circuit without information about its windows is queried directly.
  const frame = askedFrame(circuit, vocabulary, {}, () => {});
  const read = readSentence(sentence, vocabulary, circuit.variables.length, frame, ends);
  const [log] = await logLikelihood(evaluator, read.samples);
  let filled: FilledBlanks = { drawn: [], blanks: [] };
  let best: TextAnswer["likeliest"] = null;
  if (read.blanks.length > 0) {
    const asked = await withoutEnds(read.blanks);
    const samples = asked.condition(read.samples);
    filled = await fillBlanks(asked.evaluator, { ...read, samples }, vocabulary, { list, draws, seed });
    if (likeliest) best = await likeliestOf(asked.evaluator, { ...read, samples }, vocabulary);
  }
  return {
    kind: "text",
    bits: bitsOf(log!),
    given: read.samples.observed!.reduce((sum, one) => sum + one, 0),
    unknown: read.unknown,
    vocabulary: vocabulary.words.length,
    unknownWord: vocabulary.unknown === null
      ? null
      : textOfTokens([vocabulary.unknown], vocabulary).trim() || vocabulary.words[vocabulary.unknown]!,
    likeliest: best,
    ...filled,
  };
}

async function likeliestOf(
  evaluator: Evaluator,
  { samples, blanks, words }: BlankedSentence,
  vocabulary: Vocabulary,
): Promise<TextAnswer["likeliest"]> {
  const found = await likeliestFilling(evaluator, samples, blanks, (value) => value !== vocabulary.unknown);
  if (found === undefined) return null;
  const values = samples.values.slice();
  found.values.forEach((value, i) => values[blanks[i]!] = value);
  const { probability, exact } = found;
  return { text: textOfTokens(values.slice(words.from, words.to), vocabulary), probability, exact };
}

/** {@link readBlanks}, but a sentence that does not fit is a bad request here, not a failed run. */
function readSentence(...args: Parameters<typeof readBlanks>): ReturnType<typeof readBlanks> {
  try {
    return readBlanks(...args);
  } catch (error) {
    if (!(error instanceof RetortError)) throw error;
    throw new CallError(error.code, error.message, { hint: error.hint, cause: error });
  }
}

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

/** Converts a log-likelihood in nats to bits of surprise. */
function bitsOf(log: number): number | null {
  return Number.isFinite(log) ? -log / Math.LN2 : null;
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
