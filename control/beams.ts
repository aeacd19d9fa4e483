import { CallError, RetortError } from "../foundation/errors.ts";
import { type DrawnFrom, requireFitting, textAfter } from "./draw.ts";
import {
  ADJUSTMENT_OPTIONS,
  adjustmentOf,
  requireAdjustment,
  requireInteger,
  requireOptions,
  requirePlan,
  requireSignal,
} from "./guards.ts";
import type { Adjustment, Continuation } from "./lookahead/continuation.ts";
import { likeliest } from "./lookahead/likeliest.ts";
import type { Beginner } from "./parts.ts";

/** How likely texts are searched for. */
export interface ControlledSearch extends Adjustment {
  /** Texts that are pursued side by side; 16 if omitted. More find likelier texts. */
  readonly beams?: number;
  /** How many texts are returned at most; 1 if omitted. */
  readonly count?: number;
  /** Ends the search when aborted. */
  readonly signal?: AbortSignal;
}

const SEARCH_OPTIONS: Readonly<Record<keyof ControlledSearch, true>> = {
  beams: true,
  count: true,
  signal: true,
  ...ADJUSTMENT_OPTIONS,
};

/** A text that was found. */
export interface FoundText {
  /** Its tokens after the prompt, suffix and end included. */
  readonly tokens: Int32Array;
  /** Its text after the prompt. */
  readonly text: string;
  /** Natural logarithm of its probability under the language model, after the prompt. */
  readonly logProbability: number;
}

/** A text that is pursued. */
interface Beam {
  readonly text: Continuation;
  readonly tokens: readonly number[];
  /** Logarithm of its probability under the language model. */
  readonly log: number;
}

/** A way to go on with a beam. */
interface Step {
  readonly from: number;
  readonly token: number;
  /** Logarithm of the probability of the text with this token. */
  readonly log: number;
  /** The same and that it is completed, as the hidden Markov model sees it: by this beams are compared. */
  readonly rank: number;
}

/**
 * Likely texts of a plan, by beam search: beams are ranked by their probability under the language model times that of the
 * constraint under the hidden Markov model, so that none is pursued that can hardly be completed. The likeliest first. With
 * enough beams these are the likeliest texts there are.
 *
 * @throws {RetortError} when the language model has other tokens, or takes shorter texts than the plan allows
 */
export async function searchControlled(
  plan: Beginner,
  model: DrawnFrom,
  options: ControlledSearch = {},
): Promise<FoundText[]> {
  requirePlan(plan);
  requireOptions("the options of a search", options, SEARCH_OPTIONS);
  const { beams: width = 16, count = 1, signal } = options;
  requireInteger("`beams`", width, 1);
  requireInteger("`count`, the number of texts,", count, 0);
  requireSignal(signal);
  requireAdjustment(options);
  if (width < Math.max(1, count)) {
    throw new CallError(
      "control/argument",
      `${count} texts by ${width} beams: expected as many beams or more`,
    );
  }
  requireFitting(plan, model);
  const { course: { hmm }, beginning, spelling, adjustment, products } = plan.parts;
  const reading = model.begin(1);
  let beams: Beam[] = [{ text: plan.begin(), tokens: [], log: 0 }];
  let pieces: (readonly number[])[] = [beginning.prompt];
  const found: Beam[] = beams.filter(({ text }) => text.isComplete);
  beams = beams.filter(({ text }) => text.canContinue);
  while (beams.length > 0 && count > 0) {
    signal?.throwIfAborted();
    const logits = await reading.read(pieces);
    const steps = beams.flatMap((beam, from) =>
      stepsOf(beam, from, logits[from]!, width, adjustmentOf(adjustment, options))
    );
    steps.sort((a, b) => b.rank - a.rank || b.log - a.log);
    const chosen = steps.slice(0, width);
    const weighed = new Float64Array(chosen.length * hmm.states);
    const next = chosen.map(({ from, token, log }, row): Beam => {
      const text = beams[from]!.text.fork();
      weighed.set(text.begin(token), row * hmm.states);
      return { text, tokens: [...beams[from]!.tokens, token], log };
    });
    const moved = await products.forward(weighed, next.length);
    next.forEach(({ text }, row) => text.settle(moved.subarray(row * hmm.states, (row + 1) * hmm.states)));
    found.push(...next.filter(({ text }) => text.isComplete));
    found.sort((a, b) => b.log - a.log);
    found.splice(count);
    // Whatever goes on gets less likely: those below what was found already are over.
    const least = found.length < count ? undefined : found.at(-1)!.log;
    const kept = [...next.keys()].filter((row) =>
      next[row]!.text.canContinue && (least === undefined || next[row]!.log > least)
    );
    reading.keep(kept.map((row) => chosen[row]!.from));
    beams = kept.map((row) => next[row]!);
    pieces = kept.map((row) => [chosen[row]!.token]);
  }
  return found.map(({ tokens, log }) => ({
    tokens: Int32Array.from(tokens),
    text: textAfter(beginning.prompt, tokens, spelling),
    logProbability: log,
  }));
}

/** The best ways to go on with a beam. @throws {RetortError} when logits are not numbers */
function stepsOf(
  { text, log }: Beam,
  from: number,
  logits: Float32Array,
  width: number,
  adjustment: Adjustment,
): Step[] {
  let largest = -Infinity, sum = 0;
  for (const x of logits) if (x > largest) largest = x;
  for (const x of logits) sum += Math.exp(x - largest);
  const total = largest + Math.log(sum);
  if (!Number.isFinite(total)) {
    throw new RetortError("teacher/diverged", "the language model gives logits that are not numbers");
  }
  const adjusted = Float64Array.from(logits);
  text.adjust(adjusted, adjustment);
  const allowed = [...adjusted.keys()].filter((token) => adjusted[token]! > -Infinity);
  return likeliest(adjusted, allowed, width).map((token) => ({
    from,
    token,
    log: log + logits[token]! - total,
    rank: log + adjusted[token]! - total,
  }));
}
