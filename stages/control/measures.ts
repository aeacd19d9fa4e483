/** What texts that were drawn under a constraint are measured by, beside those of rejection sampling, which are exact. */
import type { ReadOf } from "../../runner/codec.ts";
import type { Tokens } from "../text/codecs.ts";
import type { controlledTexts } from "./codecs.ts";

type ControlledTexts = ReadOf<typeof controlledTexts>;

/** Measures of one method's texts. */
export interface TextMeasures {
  /** How many there are. */
  readonly texts: number;
  /** Share that satisfies the constraint. */
  readonly satisfied: number;
  /** Perplexity under the language model; null without texts. */
  readonly perplexity: number | null;
  /** Texts drawn for each that was kept. */
  readonly attempts: number;
  /** Mean number of tokens. */
  readonly length: number;
  /** Jensen-Shannon divergence, in bits, between the frequencies of tokens in these texts and in exact ones. */
  readonly tokenDistance: number | null;
  /** Total variation between the distributions of lengths. */
  readonly lengthDistance: number | null;
  /** Divergence of the method's distribution of texts from the exact one, in bits a text. */
  readonly divergence: number | null;
}

/** The texts of rejection sampling among others, if it found any. */
export function exactTexts(list: readonly ControlledTexts[]): ControlledTexts | undefined {
  return list.find(({ method, texts }) => method === "rejection" && texts.length > 0);
}

/** Measures of texts beside exact ones. */
export function measuresOf(own: ControlledTexts, exact: ControlledTexts | undefined): TextMeasures {
  const { texts, satisfied, perplexity, attempts } = own;
  const count = Math.max(1, texts.length);
  const isMeasured = exact !== undefined && texts.length > 0;
  return {
    texts: texts.length,
    satisfied: satisfied / count,
    perplexity,
    attempts: attempts / count,
    length: texts.reduce((sum, { tokens }) => sum + tokens.length, 0) / count,
    tokenDistance: !isMeasured ? null : jensenShannon(
      shares(exact.texts.flatMap(({ tokens }) => tokens)),
      shares(texts.flatMap(({ tokens }) => tokens)),
    ),
    lengthDistance: !isMeasured ? null : totalVariation(
      shares(exact.texts.map(({ tokens }) => tokens.length)),
      shares(texts.map(({ tokens }) => tokens.length)),
    ),
    divergence: isMeasured ? divergence(own, exact) : null,
  };
}

/**
 * The mean of `log q(text) - log p(text | constraint)` over texts of a method that draws them with probability `q`: its
 * Kullback-Leibler divergence from the language model under the constraint. `p(text | constraint)` is the language model's
 * probability over that of the constraint, which the share of texts that rejection kept estimates.
 */
function divergence(own: ControlledTexts, exact: ControlledTexts): number | null {
  if (own === exact) return 0;
  if (own.temperature !== 1 || exact.temperature !== 1) return null;
  const constraint = Math.log(exact.texts.length / exact.attempts);
  let sum = 0;
  for (const { logProbability, logDrawn } of own.texts) {
    if (logDrawn === null) return null;
    sum += logDrawn - logProbability + constraint;
  }
  return sum / own.texts.length / Math.LN2;
}

/** The first texts of many, as tokens. */
export async function firstTexts({ ids, starts }: Tokens, most: number): Promise<ArrayLike<number>[]> {
  const all = await ids.all();
  return Array.from(
    { length: Math.min(most, starts.length - 1) },
    (_, n) => all.subarray(starts[n], starts[n + 1]),
  );
}

/** Bits a token of texts with these logarithms of probabilities, in nats. */
export function bitsPerToken(scores: Iterable<number>, texts: readonly ArrayLike<number>[]): number {
  const count = texts.reduce((sum, text) => sum + text.length, 0);
  let sum = 0;
  for (const score of scores) sum -= score;
  return sum / count / Math.LN2;
}

/** Shares of numbers among others. */
function shares(list: readonly number[]): Map<number, number> {
  const found = new Map<number, number>();
  for (const x of list) found.set(x, (found.get(x) ?? 0) + 1 / list.length);
  return found;
}

/** Jensen-Shannon divergence in bits: 0 for equal distributions, 1 for those that share nothing. */
function jensenShannon(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const p = a.get(key) ?? 0, q = b.get(key) ?? 0, mean = (p + q) / 2;
    for (const x of [p, q]) if (x > 0) sum += x * Math.log2(x / mean) / 2;
  }
  return Math.max(0, sum);
}

function totalVariation(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    sum += Math.abs((a.get(key) ?? 0) - (b.get(key) ?? 0)) / 2;
  }
  return sum;
}
