import { RetortError } from "../foundation/errors.ts";

/** Pairs of neighbouring tokens, by first and by second token. */
interface Neighbours {
  /** By token: where its neighbours begin, then the number of all. */
  readonly starts: Int32Array;
  /** The other token of each pair, and how often they occur. */
  readonly tokens: Int32Array;
  readonly counts: Float64Array;
}

/**
 * Classes of words by the exchange algorithm: word after word, by falling frequency, goes to the class that makes the text
 * likeliest under the class bigram `p(class | class before) p(word | class)` (Kneser and Ney, "Improved clustering techniques for
 * class-based statistical language modelling", 1993; Martin, Liermann and Ney 1998). Brown clusters maximise the same.
 */
export class ExchangeClasses {
  /** `[types]`: the class of each type. */
  readonly classes: Int32Array;
  /** Number of classes. */
  readonly count: number;
  readonly #after: Neighbours;
  readonly #before: Neighbours;
  /** Types by falling frequency, those that occur. */
  readonly #order: readonly number[];
  /** By type: occurrences as the first and as the second of a pair. */
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  /** `[classes, classes]`: pairs; by class: first and second of pairs. */
  readonly #pairs: Float64Array;
  readonly #firsts: Float64Array;
  readonly #seconds: Float64Array;
  /** `n log n` for whole numbers. */
  readonly #entropies: Float64Array;
  readonly #types: Float64Array;

  /**
   * Counts the pairs of a text and puts its types into classes in turn, by falling frequency.
   * @param tokens ids from 0 to before `types`
   * @throws {RetortError} on numbers of types or classes that make no sense, and ids of no type
   */
  constructor(tokens: ArrayLike<number>, types: number, classes: number) {
    if (!(Number.isInteger(classes) && classes >= 1 && Number.isInteger(types) && types >= 1)) {
      throw new RetortError(
        "text/classes",
        `${classes} classes of ${types} types, expected whole numbers from 1`,
      );
    }
    for (let i = 0; i < tokens.length; i++) {
      const id = tokens[i]!;
      if (Number.isInteger(id) && id >= 0 && id < types) continue;
      throw new RetortError("text/classes", `token ${i} is ${id}, expected an id from 0 to ${types - 1}`);
    }
    this.count = classes;
    this.#after = neighbours(tokens, types, 1);
    this.#before = neighbours(tokens, types, -1);
    this.#first = totals(this.#after);
    this.#second = totals(this.#before);
    this.#types = new Float64Array(types);
    for (let i = 0; i < tokens.length; i++) this.#types[tokens[i]!]!++;
    this.#order = Array.from({ length: types }, (_, w) => w).filter((w) => this.#types[w]! > 0)
      .sort((a, b) => this.#types[b]! - this.#types[a]! || a - b);
    this.classes = new Int32Array(types);
    this.#order.forEach((w, rank) => this.classes[w] = rank % classes);
    // Types that do not occur: with the rarest.
    let rank = this.#order.length;
    for (let w = 0; w < types; w++) if (this.#types[w] === 0) this.classes[w] = rank++ % classes;
    this.#pairs = new Float64Array(classes * classes);
    this.#firsts = new Float64Array(classes);
    this.#seconds = new Float64Array(classes);
    this.#entropies = Float64Array.from({ length: tokens.length + 2 }, (_, n) => n > 1 ? n * Math.log(n) : 0);
    for (let i = 0; i + 1 < tokens.length; i++) {
      const a = this.classes[tokens[i]!]!, b = this.classes[tokens[i + 1]!]!;
      this.#pairs[a * classes + b]!++;
      this.#firsts[a]!++;
      this.#seconds[b]!++;
    }
  }

  /** Log-likelihood of the text after its first token, in nats, with both distributions of the classes at their best. */
  get logLikelihood(): number {
    const sum = (counts: Float64Array) => counts.reduce((total, n) => total + this.#entropies[n]!, 0);
    return sum(this.#pairs) - sum(this.#firsts) - sum(this.#seconds) + sum(this.#second);
  }

  /** Puts each type once into its best class; returns how many moved. Equally good classes: the present one, then the first. */
  pass(): number {
    const { count, classes } = this;
    const after = new Float64Array(count), before = new Float64Array(count);
    const afterOf = new Int32Array(count), beforeOf = new Int32Array(count);
    let moved = 0;
    for (const w of this.#order) {
      const own = classes[w]!;
      const self = this.#gather(w, after, before);
      this.#add(w, own, after, before, self, -1);
      let [a, b] = [0, 0];
      for (let g = 0; g < count; g++) {
        if (after[g]! > 0) afterOf[a++] = g;
        if (before[g]! > 0) beforeOf[b++] = g;
      }
      let best = own,
        most = this.#gain(w, own, after, before, afterOf.subarray(0, a), beforeOf.subarray(0, b), self);
      for (let g = 0; g < count; g++) {
        if (g === own) continue;
        const gain = this.#gain(w, g, after, before, afterOf.subarray(0, a), beforeOf.subarray(0, b), self);
        // Sums in another order differ by rounding: that is no reason to move.
        if (gain > most + 1e-9 * (1 + Math.abs(most))) [best, most] = [g, gain];
      }
      this.#add(w, best, after, before, self, 1);
      if (best !== own) moved++;
      classes[w] = best;
    }
    return moved;
  }

  /** Pairs of a type with the classes of its neighbours, without itself; returns the pairs with itself. */
  #gather(w: number, after: Float64Array, before: Float64Array): number {
    after.fill(0);
    before.fill(0);
    let self = 0;
    for (let i = this.#after.starts[w]!; i < this.#after.starts[w + 1]!; i++) {
      const other = this.#after.tokens[i]!;
      if (other === w) self = this.#after.counts[i]!;
      else after[this.classes[other]!]! += this.#after.counts[i]!;
    }
    for (let i = this.#before.starts[w]!; i < this.#before.starts[w + 1]!; i++) {
      const other = this.#before.tokens[i]!;
      if (other !== w) before[this.classes[other]!]! += this.#before.counts[i]!;
    }
    return self;
  }

  /** Adds a type to a class, or takes it out of it (`by` -1). */
  #add(w: number, g: number, after: Float64Array, before: Float64Array, self: number, by: number): void {
    const { count } = this;
    for (let h = 0; h < count; h++) {
      this.#pairs[g * count + h]! += by * after[h]!;
      this.#pairs[h * count + g]! += by * before[h]!;
    }
    this.#pairs[g * count + g]! += by * self;
    this.#firsts[g]! += by * this.#first[w]!;
    this.#seconds[g]! += by * this.#second[w]!;
  }

  /** What the log-likelihood gains when a type that is in no class goes into this one. */
  #gain(
    w: number,
    g: number,
    after: Float64Array,
    before: Float64Array,
    afterOf: Int32Array,
    beforeOf: Int32Array,
    self: number,
  ): number {
    const pairs = this.#pairs, f = this.#entropies, { count } = this;
    let gain = 0;
    for (let i = 0; i < afterOf.length; i++) {
      const h = afterOf[i]!;
      if (h === g) continue;
      const n = pairs[g * count + h]!;
      gain += f[n + after[h]!]! - f[n]!;
    }
    for (let i = 0; i < beforeOf.length; i++) {
      const h = beforeOf[i]!;
      if (h === g) continue;
      const n = pairs[h * count + g]!;
      gain += f[n + before[h]!]! - f[n]!;
    }
    const n = pairs[g * count + g]!;
    gain += f[n + after[g]! + before[g]! + self]! - f[n]!;
    const first = this.#firsts[g]!, second = this.#seconds[g]!;
    return gain - (f[first + this.#first[w]!]! - f[first]!) - (f[second + this.#second[w]!]! - f[second]!);
  }
}

function neighbours(tokens: ArrayLike<number>, types: number, side: 1 | -1): Neighbours {
  const { length } = tokens;
  const starts = new Int32Array(types + 1);
  const [from, to] = side === 1 ? [0, length - 1] : [1, length];
  for (let i = from; i < to; i++) starts[tokens[i]! + 1]!++;
  for (let w = 0; w < types; w++) starts[w + 1]! += starts[w]!;
  const places = starts.slice(), others = new Int32Array(Math.max(0, length - 1));
  for (let i = from; i < to; i++) others[places[tokens[i]!]!++] = tokens[i + side]!;
  // Equal neighbours become one with a count.
  const merged = new Int32Array(types + 1),
    kept = new Int32Array(others.length),
    counts = new Float64Array(others.length);
  let end = 0;
  for (let w = 0; w < types; w++) {
    const own = others.subarray(starts[w]!, starts[w + 1]!).sort();
    for (let i = 0; i < own.length; i++) {
      if (i > 0 && own[i] === own[i - 1]) counts[end - 1]!++;
      else {
        kept[end] = own[i]!;
        counts[end++] = 1;
      }
    }
    merged[w + 1] = end;
  }
  return { starts: merged, tokens: kept.slice(0, end), counts: counts.slice(0, end) };
}

function totals({ starts, counts }: Neighbours): Float64Array {
  return Float64Array.from(
    { length: starts.length - 1 },
    (_, w) => counts.subarray(starts[w]!, starts[w + 1]!).reduce((a, b) => a + b, 0),
  );
}
