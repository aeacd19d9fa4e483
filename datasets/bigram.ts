/**
 * An interpolated bigram model of tokens: p(w | v) = weight * count(v, w) / count(v) + (1 - weight) * p(w), where
 * p(w) is the unigram with one added to every count, so that no token is impossible (Jelinek and Mercer,
 * "Interpolated estimation of Markov source parameters from sparse data", 1980). A baseline for latent variable
 * models of text.
 */
export class BigramModel {
  readonly #unigram: Float64Array;
  readonly #next = new Map<number, Map<number, number>>();
  readonly #previous: readonly number[];

  /**
   * Takes counts as they are.
   *
   * @param unigrams occurrences by token id
   * @param pairs flat triples: previous id, next id, occurrences
   * @param weight of the bigram, 0 to 1
   */
  constructor(unigrams: readonly number[], pairs: readonly number[], readonly weight: number) {
    const total = unigrams.reduce((sum, n) => sum + n + 1, 0);
    this.#unigram = Float64Array.from(unigrams, (n) => (n + 1) / total);
    const previous = new Array<number>(unigrams.length).fill(0);
    for (let i = 0; i < pairs.length; i += 3) {
      const [from, to, count] = [pairs[i]!, pairs[i + 1]!, pairs[i + 2]!];
      previous[from]! += count;
      let next = this.#next.get(from);
      if (next === undefined) this.#next.set(from, next = new Map());
      next.set(to, count);
    }
    this.#previous = previous;
  }

  /** The probability of a token given the previous one; sums to one over all tokens. */
  probability(token: number, previous: number): number {
    const seen = this.#previous[previous]!;
    const weight = seen === 0 ? 0 : this.weight;
    const pair = seen === 0 ? 0 : (this.#next.get(previous)?.get(token) ?? 0) / seen;
    return weight * pair + (1 - weight) * this.#unigram[token]!;
  }

  /** Negative log2 probability of a token sequence whose first token follows `start`. */
  bits(tokens: Int32Array, start: number): number {
    let bits = 0;
    let previous = start;
    for (const token of tokens) {
      bits -= Math.log2(this.probability(token, previous));
      previous = token;
    }
    return bits;
  }
}

/** Counts tokens and adjacent pairs incrementally. */
export class BigramCounts {
  readonly #unigrams: number[];
  readonly #pairs = new Map<number, number>();
  #previous: number;

  /** The first token counted follows `start`. */
  constructor(vocabulary: number, start: number) {
    this.#unigrams = new Array<number>(vocabulary).fill(0);
    this.#previous = start;
  }

  /** Counts tokens that continue those counted before. */
  add(tokens: Int32Array): void {
    const size = this.#unigrams.length;
    let previous = this.#previous;
    for (const token of tokens) {
      this.#unigrams[token]! += 1;
      const pair = previous * size + token;
      this.#pairs.set(pair, (this.#pairs.get(pair) ?? 0) + 1);
      previous = token;
    }
    this.#previous = previous;
  }

  /** Occurrences by token id, and pairs as flat triples: previous id, next id, occurrences. */
  get counts(): { unigrams: number[]; pairs: number[] } {
    const size = this.#unigrams.length;
    const pairs = [...this.#pairs].sort(([a], [b]) => a - b)
      .flatMap(([pair, count]) => [Math.floor(pair / size), pair % size, count]);
    return { unigrams: [...this.#unigrams], pairs };
  }
}
