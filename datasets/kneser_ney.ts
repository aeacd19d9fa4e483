/**
 * Interpolated modified Kneser-Ney models of tokens (Chen and Goodman, "An empirical study of smoothing techniques for
 * language modeling", 1999): of each count one of three discounts is taken, by whether it is 1, 2 or more, and given to the
 * model of a context one token shorter, whose counts are the numbers of different tokens before an n-gram. Below the
 * unigram stands the uniform distribution, so no token is impossible. Baselines for latent variable models of text.
 */
import type { Ngrams } from "./ngrams.ts";

/** Discounts where counts are too few to estimate them. */
const FALLBACK = [0, 0.5, 1, 1.5] as const;

/** What a context gives: by its node, the sum of its counts and the share that goes to the shorter context. */
interface Level {
  readonly counts: Uint32Array;
  readonly totals: Float64Array;
  readonly left: Float64Array;
  readonly discounts: readonly number[];
}

/** Predicts tokens from as many tokens before them as are known, at most `order - 1`. */
export class KneserNeyModel {
  readonly #ngrams: Ngrams;
  /** By length of the n-gram: with its occurrences, for the longest context that is known. */
  readonly #longest: Level[];
  /** By length of the n-gram: with its left extensions, for all shorter contexts. */
  readonly #shorter: Level[];

  /** A model of all orders up to that of the counts. */
  constructor(ngrams: Ngrams) {
    this.#ngrams = ngrams;
    const lengths = Array.from({ length: ngrams.order }, (_, i) => i + 1);
    this.#longest = lengths.map((k) => levelOf(ngrams, k, ngrams.occurrences(k)));
    this.#shorter = lengths.slice(0, -1).map((k) => levelOf(ngrams, k, ngrams.extensions(k)));
  }

  /** Most tokens before a token that it is predicted from, plus one. */
  get order(): number {
    return this.#ngrams.order;
  }

  /**
   * The probability of a token after others; sums to one over all tokens. With fewer than `order - 1` tokens before
   * it, the model is the one of that smaller order, not a part of the larger.
   *
   * @param before the tokens before it, oldest first; only the last `order - 1` of `to` are read
   */
  probability(token: number, before: ArrayLike<number>, to: number = before.length): number {
    const longest = Math.min(to, this.#ngrams.order - 1);
    let p = 1 / this.#ngrams.vocabulary;
    for (let length = 0; length <= longest; length++) {
      const context = this.context(before, to, length);
      const { taken, left } = this.share(context, length, token, length === longest);
      p = taken + left * p;
    }
    return p;
  }

  /** The context of the last `length` of the first `to` tokens, or -1 if it was never seen. */
  context(before: ArrayLike<number>, to: number, length: number): number {
    return this.#ngrams.find(before, to - length, to);
  }

  /** How often a context was seen before a token. */
  uses(context: number, length: number): number {
    return context < 0 ? 0 : this.#longest[length]!.totals[context] ?? 0;
  }

  /**
   * What a context of `length` tokens gives: the discounted share of its own counts that is the token's, and the share that is left
   * to the context one token shorter, or below the empty one to the uniform distribution.
   *
   * @param longest whether no longer context is known, so that its occurrences count
   */
  share(
    context: number,
    length: number,
    token: number,
    longest: boolean,
  ): { readonly taken: number; readonly left: number } {
    const level = longest ? this.#longest[length]! : this.#shorter[length]!;
    // A context that was never seen, or never before a token, leaves everything to the shorter one.
    const total = context < 0 ? 0 : level.totals[context] ?? 0;
    if (total === 0) return { taken: 0, left: 1 };
    const node = this.#ngrams.childOf(length, context, token);
    const count = node < 0 ? 0 : level.counts[node]!;
    return { taken: (count - level.discounts[Math.min(count, 3)]!) / total, left: level.left[context]! };
  }

  /** Negative log2 probability of `tokens`; the first follows `before`, oldest first. */
  bits(tokens: Int32Array, before: ArrayLike<number> = []): number {
    const all = new Int32Array(before.length + tokens.length);
    all.set(before);
    all.set(tokens, before.length);
    let bits = 0;
    for (let at = before.length; at < all.length; at++) {
      bits -= Math.log2(this.probability(all[at]!, all, at));
    }
    return bits;
  }
}

function levelOf(ngrams: Ngrams, length: number, counts: Uint32Array): Level {
  const discounts = discountsOf(counts);
  const parents = ngrams.parents(length);
  const contexts = length === 1 ? 1 : ngrams.occurrences(length - 1).length;
  const totals = new Float64Array(contexts), left = new Float64Array(contexts);
  for (const [node, count] of counts.entries()) {
    totals[parents[node]!]! += count;
    left[parents[node]!]! += discounts[Math.min(count, 3)]!;
  }
  for (let i = 0; i < contexts; i++) if (totals[i]! > 0) left[i]! /= totals[i]!;
  return { counts, totals, left, discounts };
}

/** Discounts of counts 0, 1, 2, and 3 or more, from the numbers of n-grams with counts 1 to 4. */
function discountsOf(counts: Uint32Array): readonly number[] {
  const n = [0, 0, 0, 0, 0];
  for (const count of counts) if (count >= 1 && count <= 4) n[count]! += 1;
  const y = n[1]! / (n[1]! + 2 * n[2]!);
  const discounts = [0, 1, 2, 3].map((k) => k === 0 ? 0 : k - (k + 1) * y * n[k + 1]! / n[k]!);
  return discounts.every((d, k) => d >= 0 && d <= k) ? discounts : FALLBACK;
}
