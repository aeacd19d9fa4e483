import type { Circuit } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import type { Flows } from "../evaluator.ts";
import { requireNumber, requireObject, requireWhole } from "../guards.ts";
import { blockedHmm, type BlockedHmmOptions } from "../structures/blocked_hmm.ts";

/**
 * Smoothing that turns counts into the parameters of a blocked HMM, from the general to the particular: virtual samples of a
 * distribution, drawn from one that fewer counts decide.
 */
export interface BlockedSmoothing {
  /** First states, drawn as states are in the whole text; 20 if omitted. */
  readonly initial?: number;
  /** Next blocks of every state, as its block has them; 120 if omitted. */
  readonly transition?: number;
  /** Next states of every state within each next block, as its block has them there; 10 if omitted. */
  readonly within?: number;
  /** Next states of every block within each next block, as the whole text has them there; 10 if omitted. */
  readonly between?: number;
  /** What is taken of the number of times that a block follows another, for blocks that do not (absolute discounting); 0.8 if omitted. */
  readonly discount?: number;
  /** Of every state's emissions, from the symbols of its block; 60 if omitted. */
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
  readonly #transitions: readonly Float32Array[];
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
      new Float32Array(blocks[b]!.states * list.reduce((sum, f) => sum + blocks[f]!.states, 0))
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

  /**
   * Adds expected counts of samples under a circuit of these blocks: those of an E-step, see `Evaluator.flows`. What went through a
   * backoff counts for the states as the backoff shared it out among the next ones.
   */
  addExpected({ weights, statistics }: Pick<Flows, "weights" | "statistics">): void {
    const { blocks } = this.#options;
    addTo(this.#initial, weights.get("initial")!);
    blocks.forEach((block, b) => {
      addTo(this.#emissions[b]!, statistics.get(`emission/${b}`)!);
      const edges = weights.get(`transition/${b}`), shared = weights.get(`backoff/${b}`);
      if (edges === undefined || shared === undefined) return;
      const own = this.#transitions[b]!, backoff = this.#backoffs[b]!, columns = this.#columns[b]!;
      const width = own.length / block.states;
      const through = shared.reduce((sum, n) => sum + n, 0);
      for (let u = 0; u < block.states; u++) {
        const share = through > 0 ? edges[u * (width + 1) + width]! / through : 0;
        blocks.forEach(({ states }, f) => {
          const column = columns[f]!, to = this.#first[f]!;
          for (let j = 0; j < states; j++) {
            const spread = share * shared[to + j]!;
            if (column < 0) {
              backoff[to + j]! += spread;
              continue;
            }
            const n = edges[u * (width + 1) + column + j]! + spread;
            own[u * width + column + j]! += n;
            backoff[to + j]! += n;
          }
        });
      }
    });
  }

  /** The circuit of these counts, over windows of the length of the options. @throws {CircuitError} on smoothing below 0 */
  circuit(smoothing: BlockedSmoothing = {}): Circuit {
    requireSmoothing(smoothing);
    const { initial = 20, transition = 120, within = 10, between = 10, discount = 0.8, emission = 60 } =
      smoothing;
    const { blocks } = this.#options, first = this.#first, states = first[blocks.length]!;
    const values = new Map<string, Float64Array | Float32Array>();
    // Of the whole text: states, blocks, and states within each block; one virtual sample of each.
    const seen = this.#initial.map((n, z) => this.#backoffs.reduce((sum, counts) => sum + counts[z]!, n));
    values.set("initial", smoothed(this.#initial, states, initial, smoothed(seen, states, 1)));
    const ofBlock = (counts: ArrayLike<number>, b: number): number => {
      let sum = 0;
      for (let z = first[b]!; z < first[b + 1]!; z++) sum += counts[z]!;
      return sum;
    };
    const anyBlock = smoothed(Float64Array.from(blocks, (_, b) => ofBlock(seen, b)), blocks.length, 1);
    const anyState = new Float64Array(states);
    blocks.forEach((block, b) => {
      const own = seen.subarray(first[b], first[b + 1]);
      anyState.set(smoothed(own, block.states, 1), first[b]);
    });
    blocks.forEach((block, b) => {
      const counts = this.#backoffs[b]!, columns = this.#columns[b]!, own = this.#transitions[b]!;
      const next = Float64Array.from(blocks, (_, f) => ofBlock(counts, f));
      const taken = next.map((n) => Math.min(n, discount)), lost = taken.reduce((a, n) => a + n, 0) + 1;
      const total = next.reduce((a, n) => a + n, 0) + 1;
      const nextBlock = next.map((n, f) => (n - taken[f]! + lost * anyBlock[f]!) / total);
      const nextState = new Float64Array(states);
      blocks.forEach(({ states: count }, f) => {
        const to = first[f]!, base = anyState.subarray(to, to + count);
        nextState.set(smoothed(counts.subarray(to, to + count), count, between, base), to);
      });
      const left = nextBlock.map((p, f) => columns[f]! < 0 ? p : 0).reduce((a, p) => a + p, 0);
      // The backoff is for blocks that never follow; without any it has all, and nothing comes to it.
      values.set(
        `backoff/${b}`,
        nextState.map((p, z) => {
          const f = this.#blockOfState(z);
          return left > 0 ? columns[f]! < 0 ? p * nextBlock[f]! / left : 0 : p * nextBlock[f]!;
        }),
      );
      const width = own.length / block.states, rows = new Float32Array(block.states * (width + 1));
      for (let u = 0; u < block.states; u++) {
        const from = u * width, to = u * (width + 1);
        let uses = 0;
        for (let i = from; i < from + width; i++) uses += own[i]!;
        const all = uses + transition;
        blocks.forEach(({ states: count }, f) => {
          const column = columns[f]!;
          if (column < 0) return;
          const seen = own.subarray(from + column, from + column + count);
          const times = seen.reduce((a, n) => a + n, 0);
          const p = all > 0 ? (times + transition * nextBlock[f]!) / all : nextBlock[f]!;
          const base = nextState.subarray(first[f], first[f]! + count);
          smoothed(seen, count, within, base).forEach((q, j) => rows[to + column + j] = p * q);
        });
        rows[to + width] = all > 0 ? transition * left / all : left;
      }
      values.set(`transition/${b}`, rows);
      const words = new Float64Array(block.symbols.length);
      this.#emissions[b]!.forEach((n, i) => words[i % words.length]! += n);
      values.set(
        `emission/${b}`,
        smoothed(this.#emissions[b]!, words.length, emission, smoothed(words, words.length, 1)),
      );
    });
    return blockedHmm({ ...this.#options, values });
  }

  #blockOfState(z: number): number {
    let low = 0, high = this.#options.blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#first[middle]! <= z) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function addTo(sums: Float64Array, more: ArrayLike<number>): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += more[i]!;
}

/** Checks the numbers of levels. @throws {CircuitError} naming one below 0 or unknown */
export function requireSmoothing(smoothing: BlockedSmoothing): void {
  requireObject("the smoothing of blocked HMM counts", smoothing);
  for (const [name, x] of Object.entries(smoothing)) if (x !== undefined) requireNumber(name, x, 0);
}

/** Rows of counts and `pseudocount` virtual ones, drawn from `base`, or uniform; as distributions. */
function smoothed(
  counts: Float64Array | Float32Array,
  width: number,
  pseudocount: number,
  base?: Float64Array,
): Float64Array {
  const out = new Float64Array(counts.length);
  for (let at = 0; at < counts.length; at += width) {
    const own = counts.subarray(at, at + width);
    let total = 0;
    for (const n of own) total += n;
    // Without any counts the virtual ones are all there is.
    const virtual = total + pseudocount > 0 ? pseudocount : 1;
    for (let i = 0; i < width; i++) {
      out[at + i] = (own[i]! + virtual * (base?.[i] ?? 1 / width)) / (total + virtual);
    }
  }
  return out;
}
