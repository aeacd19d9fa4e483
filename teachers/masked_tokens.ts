import type { RandomStream } from "../circuits/random.ts";

/** Options for hiding tokens in windows. */
export interface HidingOptions {
  /** Number of positions per window. */
  readonly length: number;
  /** Vocabulary size, which is also the id of the mask token. */
  readonly tokens: number;
  /** Total number of hidden tokens in all windows. */
  readonly hidden: number;
  /** Fraction of the windows in which a position attends only to itself and what follows it. */
  readonly suffixes: number;
  /** Fraction of the windows that are cut to a random length, so that the model learns short suffixes too. */
  readonly shorter: number;
}

/** Windows with hidden tokens, as inputs of the graphs. */
export interface HiddenUnits {
  /** `[windows * length]`: input tokens; `tokens` where a token is masked. */
  readonly shown: Int32Array;
  /** `[windows, 1, length, length]`: added to the attention scores. */
  readonly mask: Float32Array;
  /** `[hidden]`: positions of the hidden tokens. */
  readonly where: BigInt64Array;
  /** `[hidden]`: the original tokens at these positions. */
  readonly answers: Int32Array;
}

/** Added to the scores of positions that must not be attended to: softmax makes them 0 without overflow. */
const UNSEEN = -1e9;

/** Fractions of masked tokens that are replaced by the mark and by a random token; the rest are unchanged (BERT: 80/10/10). */
const MARKED = 0.8, REPLACED = 0.1;

/**
 * Hides tokens in windows, `[windows * length]`: of the chosen tokens, 80 % are replaced by the mask token and 10 % by a
 * token from elsewhere in the windows, as in BERT.
 */
export function hideTokens(windows: Int32Array, options: HidingOptions, random: RandomStream): HiddenUnits {
  const { length, tokens, hidden, suffixes, shorter } = options;
  const count = windows.length / length;
  const shown = windows.slice();
  const mask = new Float32Array(count * length * length);
  const open: number[] = [];
  for (let w = 0; w < count; w++) {
    const onlySuffix = random.uniform() < suffixes;
    const end = random.uniform() < shorter ? 1 + random.integer(length) : length;
    for (let query = 0; query < length; query++) {
      const row = (w * length + query) * length;
      for (let key = 0; key < length; key++) {
        if (key >= end || (onlySuffix && key < query)) mask[row + key] = UNSEEN;
      }
      if (query < end) open.push(w * length + query);
    }
  }
  const where = new BigInt64Array(hidden), answers = new Int32Array(hidden);
  for (let n = 0; n < hidden; n++) {
    // The first positions of a random order. A few very short windows may have too few positions; then some are
    // predicted twice.
    const at = n % open.length;
    const other = at + random.integer(open.length - at);
    [open[at], open[other]] = [open[other]!, open[at]!];
    const place = open[at]!;
    where[n] = BigInt(place);
    answers[n] = windows[place]!;
    const fate = random.uniform();
    if (fate < MARKED) shown[place] = tokens;
    else if (fate < MARKED + REPLACED) shown[place] = windows[random.integer(windows.length)]!;
  }
  return { shown, mask, where, answers };
}

/** Candidate tokens, with the logit correction for the omitted ones. */
export interface ChosenCandidates {
  /** Ids of tokens. */
  readonly tokens: Int32Array;
  /** `[tokens]`: added to their logits: minus the logarithm of the probability of being a candidate. */
  readonly correction: Float32Array;
  /** `[answers]`: the index of each answer among the candidates. */
  readonly targets: BigInt64Array;
}

/**
 * Sampled softmax: predictions choose between the answers of the batch and tokens sampled by a power of their frequency,
 * and the logits are corrected for the probability of each candidate being present. Source: Jean, Cho, Memisevic and
 * Bengio, "On Using Very Large Target Vocabulary for Neural Machine Translation" (ACL 2015).
 */
export class Candidates {
  readonly #shares: Float64Array;
  readonly #sums: Float64Array;
  readonly #frequencies: Float64Array;
  readonly #slots: Int32Array;
  /** Number of candidates. */
  readonly size: number;

  /**
   * @param counts `[tokens]`: occurrences in the corpus
   * @param size number of candidates; 0, or at least the vocabulary size: all tokens
   */
  constructor(counts: ArrayLike<number>, size: number) {
    const tokens = counts.length;
    this.size = size === 0 ? tokens : Math.min(size, tokens);
    const seen = Float64Array.from(counts, (n) => n + 1);
    const total = seen.reduce((a, b) => a + b, 0);
    this.#frequencies = seen.map((n) => n / total);
    const powers = this.#frequencies.map((p) => p ** 0.75);
    const all = powers.reduce((a, b) => a + b, 0);
    this.#shares = powers.map((p) => p / all);
    let sum = 0;
    this.#sums = this.#shares.map((p) => sum += p);
    this.#slots = new Int32Array(tokens).fill(-1);
  }

  /** Whether all tokens are candidates, in vocabulary order. */
  get complete(): boolean {
    return this.size === this.#shares.length;
  }

  /** Candidates that include the given answers. */
  choose(answers: Int32Array, random: RandomStream): ChosenCandidates {
    const { size } = this;
    if (this.complete) {
      return {
        tokens: Int32Array.from({ length: size }, (_, token) => token),
        correction: new Float32Array(size),
        targets: BigInt64Array.from(answers, BigInt),
      };
    }
    const tokens = new Int32Array(size);
    let count = 0, draws = 0;
    const put = (token: number) => {
      if (this.#slots[token]! >= 0 || count === size) return;
      this.#slots[token] = count;
      tokens[count++] = token;
    };
    answers.forEach(put);
    while (count < size) {
      put(this.#draw(random));
      draws++;
    }
    const correction = Float32Array.from(tokens, (token) => {
      const absent = answers.length * Math.log1p(-this.#frequencies[token]!) +
        draws * Math.log1p(-this.#shares[token]!);
      return -Math.log(-Math.expm1(absent));
    });
    const targets = BigInt64Array.from(answers, (token) => BigInt(this.#slots[token]!));
    for (const token of tokens) this.#slots[token] = -1;
    return { tokens, correction, targets };
  }

  #draw(random: RandomStream): number {
    const at = random.uniform() * this.#sums.at(-1)!;
    let low = 0, high = this.#sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at < this.#sums[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
