import type { Circuit } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireNumber, requireObject, requireWhole } from "../guards.ts";
import { blockedHmm, type BlockedHmmOptions } from "../structures/blocked_hmm.ts";

/** Smoothing that turns counts into the parameters of a blocked HMM: virtual samples. */
export interface BlockedSmoothing {
  /** Of the first state, uniform; 1 if omitted. */
  readonly initial?: number;
  /** Of every state's transitions, from its block's backoff; 10 if omitted. */
  readonly transition?: number;
  /** Of every block's backoff, uniform; 10 if omitted. */
  readonly backoff?: number;
  /** Of every state's emissions, from the symbols of its block; 10 if omitted. */
  readonly emission?: number;
}

/**
 * Counts of a blocked HMM with given hidden states: what `HmmCounts` is for a dense one. A symbol is in one block; its state is
 * told by its number within that block. Pairs of blocks that `follows` leaves out are counted in the backoff alone.
 */
export class BlockedHmmCounts {
  readonly #options: BlockedHmmOptions;
  /** By symbol: its block, and its place among the symbols of the block. */
  readonly #blockOf: Int32Array;
  readonly #placeOf: Int32Array;
  /** By block: its first state, by block of those that follow: their first column, -1 for others; counts. */
  readonly #first: Int32Array;
  readonly #columns: readonly Int32Array[];
  readonly #transitions: readonly Float64Array[];
  readonly #backoffs: readonly Float64Array[];
  readonly #emissions: readonly Float64Array[];
  readonly #initial: Float64Array;

  /** Starts with zero counts. @throws {CircuitError} on a symbol in several blocks, or without one unit of backoff */
  constructor(options: BlockedHmmOptions) {
    requireObject("the options of blocked HMM counts", options, ["blocks"]);
    const { blocks, symbols, backoff } = options,
      follows = options.follows ?? blocks.map(() => [...blocks.keys()]);
    if (backoff !== 1) {
      throw new CircuitError(
        "circuit/argument",
        `\`backoff\` is ${backoff}, expected 1: counts say nothing of more units`,
      );
    }
    this.#options = options;
    this.#blockOf = new Int32Array(symbols).fill(-1);
    this.#placeOf = new Int32Array(symbols);
    this.#first = new Int32Array(blocks.length + 1);
    blocks.forEach((block, b) => {
      this.#first[b + 1] = this.#first[b]! + block.states;
      block.symbols.forEach((symbol, i) => {
        if (this.#blockOf[symbol] !== -1) {
          throw new CircuitError(
            "circuit/argument",
            `symbol ${symbol} is in several blocks: its state tells no block`,
          );
        }
        this.#blockOf[symbol] = b;
        this.#placeOf[symbol] = i;
      });
    });
    const states = this.#first[blocks.length]!;
    this.#columns = follows.map((list) => {
      const columns = new Int32Array(blocks.length).fill(-1);
      let column = 0;
      for (const f of list) {
        columns[f] = column;
        column += blocks[f]!.states;
      }
      return columns;
    });
    this.#transitions = follows.map((list, b) =>
      new Float64Array(blocks[b]!.states * list.reduce((sum, f) => sum + blocks[f]!.states, 0))
    );
    this.#backoffs = blocks.map(() => new Float64Array(states));
    this.#emissions = blocks.map((block) => new Float64Array(block.states * block.symbols.length));
    this.#initial = new Float64Array(states);
  }

  /**
   * Adds windows.
   * @param x `[windows, length]`: symbols
   * @param z `[windows, length]`: states within the block of the symbol
   * @param observed `[windows, length]`: 0 for positions that do not count; all count if omitted
   * @throws {CircuitError} on a symbol or state out of range
   */
  add(x: ArrayLike<number>, z: ArrayLike<number>, length: number, observed?: ArrayLike<number>): void {
    requireWhole("length", length, 1);
    const { blocks } = this.#options;
    for (let at = 0, before = -1, own = -1; at < x.length; at++) {
      if (at % length === 0) before = -1;
      if (observed?.[at] === 0) {
        before = -1;
        continue;
      }
      const b = this.#blockOf[x[at]!] ?? -1, state = z[at]!;
      if (b < 0 || !(Number.isInteger(state) && state >= 0 && state < blocks[b]!.states)) {
        throw new CircuitError(
          "learning/hmm-counts",
          `position ${at}: symbol ${x[at]} with state ${state} is in no block`,
        );
      }
      if (at % length === 0) this.#initial[this.#first[b]! + state]!++;
      else if (before >= 0) {
        const column = this.#columns[before]![b]!, rows = this.#transitions[before]!;
        const width = rows.length / blocks[before]!.states;
        if (column >= 0) rows[own * width + column + state]!++;
        this.#backoffs[before]![this.#first[b]! + state]!++;
      }
      this.#emissions[b]![state * blocks[b]!.symbols.length + this.#placeOf[x[at]!]!]!++;
      [before, own] = [b, state];
    }
  }

  /** The circuit of these counts, over windows of the length of the options. @throws {CircuitError} on smoothing below 0 */
  circuit(smoothing: BlockedSmoothing = {}): Circuit {
    const { initial = 1, transition = 10, backoff = 10, emission = 10 } = smoothing;
    for (const [name, x] of Object.entries({ initial, transition, backoff, emission })) {
      requireNumber(name, x, 0);
    }
    const { blocks } = this.#options, values = new Map<string, Float64Array>();
    values.set("initial", smoothed(this.#initial, this.#initial.length, initial));
    blocks.forEach((block, b) => {
      values.set(`backoff/${b}`, smoothed(this.#backoffs[b]!, this.#backoffs[b]!.length, backoff));
      const own = this.#transitions[b]!, width = own.length / block.states;
      // The last input is the backoff: it gets what is virtual.
      const rows = new Float64Array(block.states * (width + 1));
      for (let u = 0; u < block.states; u++) {
        const counts = own.subarray(u * width, (u + 1) * width),
          total = counts.reduce((a, n) => a + n, 0) + transition;
        for (let i = 0; i < width; i++) rows[u * (width + 1) + i] = total > 0 ? counts[i]! / total : 0;
        rows[u * (width + 1) + width] = total > 0 ? transition / total : 1;
      }
      values.set(`transition/${b}`, rows);
      const all = new Float64Array(block.symbols.length);
      this.#emissions[b]!.forEach((n, i) => all[i % all.length]! += n);
      values.set(
        `emission/${b}`,
        smoothed(this.#emissions[b]!, all.length, emission, smoothed(all, all.length, 1)),
      );
    });
    return blockedHmm({ ...this.#options, values });
  }
}

/** Rows of counts and `pseudocount` virtual ones, drawn from `base`, or uniform; as distributions. */
function smoothed(
  counts: Float64Array,
  width: number,
  pseudocount: number,
  base?: Float64Array,
): Float64Array {
  const out = new Float64Array(counts.length);
  for (let at = 0; at < counts.length; at += width) {
    const own = counts.subarray(at, at + width), total = own.reduce((a, n) => a + n, 0);
    // Without any counts the virtual ones are all there is.
    const virtual = total + pseudocount > 0 ? pseudocount : 1;
    for (let i = 0; i < width; i++) {
      out[at + i] = (own[i]! + virtual * (base?.[i] ?? 1 / width)) / (total + virtual);
    }
  }
  return out;
}
