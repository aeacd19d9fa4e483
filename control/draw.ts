import { RandomStream } from "../circuits/random.ts";
import { RetortError } from "../foundation/errors.ts";
import type { CausalLm } from "../teachers/causal_sampling.ts";
import { choosePiece } from "../teachers/choose_piece.ts";
import { vocabularyDigest } from "./digest.ts";
import {
  ADJUSTMENT_OPTIONS,
  adjustmentOf,
  refuseArgument,
  requireAdjustment,
  requireInteger,
  requireLanguageModel,
  requireOptions,
  requirePlan,
  requireSignal,
} from "./guards.ts";
import type { Adjustment, Continuation } from "./lookahead/continuation.ts";
import type { Beginner } from "./parts.ts";
import { textOfPieces } from "./pieces/spelling.ts";

/** What is drawn from: what `openCausalLm` opens, or anything that reads tokens and gives logits. */
export type DrawnFrom = Pick<CausalLm, "vocabulary" | "longest" | "padding" | "begin">;

/** How texts are drawn. */
export interface ControlledDraws extends Adjustment {
  /** Number of texts. */
  readonly count: number;
  /** Seed of the texts. A text depends only on the seed and its index, not on those drawn with it. */
  readonly seed: number;
  /** Index of the first text; 0 if omitted. */
  readonly first?: number;
  /** Texts that are drawn side by side; 16 if omitted. */
  readonly batch?: number;
  /** What the language model's logits are divided by, before they are adjusted; 1 if omitted. */
  readonly temperature?: number;
  /** Ends the drawing when aborted. */
  readonly signal?: AbortSignal;
}

const DRAW_OPTIONS: Readonly<Record<keyof ControlledDraws, true>> = {
  count: true,
  seed: true,
  first: true,
  batch: true,
  temperature: true,
  signal: true,
  ...ADJUSTMENT_OPTIONS,
};

/** A text that was drawn. */
export interface ControlledText {
  /** Its tokens after the prompt, suffix and end included. */
  readonly tokens: Int32Array;
  /** Its text after the prompt. */
  readonly text: string;
  /** Natural logarithm of the probability with which it was drawn: at the temperature and as adjusted. */
  readonly logProbability: number;
}

/**
 * Draws texts of a plan from a language model, in Retort's own loop: the language model reads a batch of texts at a time,
 * and what the hidden Markov model says is multiplied for all of them at once.
 *
 * @throws {RetortError} when the language model has other tokens, or takes shorter texts than the plan allows
 */
export async function* drawControlled(
  plan: Beginner,
  model: DrawnFrom,
  options: ControlledDraws,
): AsyncGenerator<ControlledText> {
  requirePlan(plan);
  requireOptions("the options of a draw", options, DRAW_OPTIONS);
  const { count, seed, first = 0, batch = 16, temperature = 1, signal } = options ??
    {} as Partial<ControlledDraws>;
  const { beginning, spelling, adjustment } = plan.parts;
  requireInteger("`count`, the number of texts,", count, 0);
  requireInteger("`seed`", seed, 0);
  requireInteger("`first`", first, 0);
  requireInteger("`batch`", batch, 1);
  if (!(Number.isFinite(temperature) && temperature > 0)) {
    refuseArgument("`temperature`", temperature, "a positive number");
  }
  requireSignal(signal);
  requireFitting(plan, model);
  requireAdjustment(options);
  const own = adjustmentOf(adjustment, options);
  for (let done = 0; done < count; done += batch) {
    const size = Math.min(batch, count - done);
    const randoms = Array.from({ length: size }, (_, n) => new RandomStream(seed, first + done + n));
    const rows = await drawBatch(plan, model, randoms, temperature, own, signal);
    for (const { tokens, logProbability } of rows) {
      const text = textAfter(beginning.prompt, tokens, spelling);
      yield { tokens: Int32Array.from(tokens), text, logProbability };
    }
  }
}

/** Refuses a language model of other tokens, or one that takes shorter texts than the plan allows. @throws {RetortError} */
export function requireFitting({ parts }: Beginner, model: DrawnFrom): void {
  requireLanguageModel(model);
  const { vocabulary, beginning, course } = parts;
  if (
    model.vocabulary !== vocabulary && vocabularyDigest(model.vocabulary) !== vocabularyDigest(vocabulary)
  ) {
    throw new RetortError("control/vocabulary", "the language model has other tokens than the plan", {
      hint: "Open the control with the vocabulary of this language model.",
    });
  }
  const fixed = beginning.prompt.length + course.suffix.length;
  if (fixed + course.most > model.longest) {
    throw new RetortError(
      "control/length",
      `texts of the plan have up to ${course.most} tokens and ${fixed} of prompt, suffix and end, ` +
        `and the language model takes ${model.longest} together`,
      {
        hint: fixed < model.longest
          ? `Plan ${model.longest - fixed} \`tokens\` at most, or shorten prompt and suffix.`
          : "Shorten prompt and suffix.",
      },
    );
  }
}

/** A text that is being drawn. */
interface Draw {
  readonly tokens: number[];
  logProbability: number;
}

/** The text that tokens add to a prompt. Of a character that the prompt began and they complete: the whole of it. */
export function textAfter(
  prompt: readonly number[],
  tokens: readonly number[],
  spelling: Beginner["parts"]["spelling"],
): string {
  const before = textOfPieces(prompt, spelling), whole = textOfPieces([...prompt, ...tokens], spelling);
  // The prompt's half of a character, at its end, is shown as one of its own.
  return whole.slice(whole.startsWith(before) ? before.length : before.replace(/\ufffd+$/, "").length);
}

async function drawBatch(
  plan: Beginner,
  model: DrawnFrom,
  randoms: readonly RandomStream[],
  temperature: number,
  adjustment: Adjustment,
  signal: AbortSignal | undefined,
): Promise<Draw[]> {
  const { course: { hmm }, beginning, products } = plan.parts;
  const texts = randoms.map(() => plan.begin());
  const drawn = texts.map((): Draw => ({ tokens: [], logProbability: 0 }));
  const open = new Set(texts.keys());
  const reading = model.begin(texts.length);
  let pieces = texts.map((): readonly number[] => beginning.prompt);
  for (;;) {
    for (const n of open) if (ends(texts[n]!, randoms[n]!, drawn[n]!)) open.delete(n);
    if (open.size === 0) return drawn;
    signal?.throwIfAborted();
    const logits = await reading.read(pieces);
    const weighed = new Float64Array(open.size * hmm.states);
    let row = 0;
    pieces = texts.map((text, n) => {
      if (!open.has(n)) return [model.padding];
      const own = logits[n]!;
      if (temperature !== 1) { for (let i = 0; i < own.length; i++) own[i]! /= temperature; }
      text.adjust(own, adjustment);
      const token = choosePiece(own, 1, randoms[n]!);
      drawn[n]!.tokens.push(token);
      drawn[n]!.logProbability += logProbabilityOf(own, token);
      weighed.set(text.begin(token), row++ * hmm.states);
      return [token];
    });
    const moved = await products.forward(weighed, open.size);
    row = 0;
    for (const n of open) {
      texts[n]!.settle(moved.subarray(row * hmm.states, (row + 1) * hmm.states));
      row++;
    }
  }
}

/** Whether a text ends here; where it may go on as well, that is drawn. */
function ends(text: Continuation, random: RandomStream, drawn: Draw): boolean {
  const share = text.shareOfEnding;
  if (share === 0 || share === 1) return share === 1;
  const isOver = random.uniform() < share;
  drawn.logProbability += Math.log(isOver ? share : 1 - share);
  return isOver;
}

/** Natural logarithm of the probability of a token under the softmax of logits. */
export function logProbabilityOf(logits: ArrayLike<number>, token: number): number {
  let largest = -Infinity, sum = 0;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > largest) largest = logits[i]!;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - largest);
  return logits[token]! - largest - Math.log(sum);
}
