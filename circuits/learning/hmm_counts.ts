import type { Circuit } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireObject, requireShape, requireWhole } from "../guards.ts";
import { hmm } from "../structures/hmm.ts";
import { updateRows } from "../update.ts";

/** Options of {@link HmmCounts}. */
export interface HmmCountsOptions {
  /** Number of hidden states, including the end state. */
  readonly states: number;
  /** Number of symbols a position can hold. */
  readonly symbols: number;
  /**
   * A symbol that marks an end, such as the end of a sentence. It always belongs to the last state, `states - 1`,
   * whatever its label, and that state emits no other symbol; labels range from 0 to `states - 2`. If omitted, no state
   * is reserved for it.
   */
  readonly end?: number;
}

/** Smoothing that turns counts into the parameters of an HMM: virtual samples, as in {@link ParameterSettings}. */
export interface HmmSmoothing {
  /** Virtual windows with a uniform first state; 0.001 if omitted. */
  readonly initial?: number;
  /** Virtual transitions out of every state, uniform; 0.001 if omitted. */
  readonly transition?: number;
  /** Virtual symbols per state, drawn from the symbol distribution over all states; 1 if omitted. */
  readonly emission?: number;
  /**
   * Share of every state's emissions, from 0 to 1, that is replaced by the symbol distribution over all states; 0 if
   * omitted.
   */
  readonly emissionMix?: number;
  /**
   * Virtual uniform symbols added to the symbol distribution over all states, so that unseen symbols are possible; 1 if
   * omitted.
   */
  readonly unigram?: number;
}

/**
 * Counts of a hidden Markov model with given hidden states, such as clusters of a teacher's embeddings: with observed
 * states, the parameters that maximise `log p(x, z)` are relative counts. Does what `countComplete` does for any circuit,
 * for the one needed by latent variable distillation of texts, in one pass over the windows.
 */
export class HmmCounts {
  /** Hidden states. */
  readonly states: number;
  /** Symbols. */
  readonly symbols: number;
  /** The symbol of the last state; undefined if there is none. */
  readonly end: number | undefined;
  /** `[states]`: windows that start in each state. */
  readonly initial: Float64Array;
  /** `[states, states]`: row `i` counts the states that follow state `i`. */
  readonly transition: Float64Array;
  /** `[states, symbols]`: symbols emitted by each state. */
  readonly emission: Float64Array;
  /** Number of windows counted. */
  windows = 0;

  /** Starts with zero counts. @throws {CircuitError} on sizes or an end that make no sense */
  constructor(options: HmmCountsOptions) {
    requireObject("the options of HMM counts", options);
    const { states, symbols, end } = options;
    requireWhole("`states`", states, 1);
    requireWhole("`symbols`", symbols, 1);
    requireShape("the emissions", [states, symbols]);
    if (end !== undefined && !(Number.isInteger(end) && end >= 0 && end < symbols)) {
      throw new CircuitError(
        "learning/hmm-counts",
        `\`end\` is ${end}, expected a symbol from 0 to ${symbols - 1}`,
      );
    }
    if (end !== undefined && states < 2) {
      throw new CircuitError(
        "learning/hmm-counts",
        "one state is that of the end: at least 2 states are needed",
      );
    }
    this.states = states;
    this.symbols = symbols;
    this.end = end;
    this.initial = new Float64Array(states);
    this.transition = new Float64Array(states * states);
    this.emission = new Float64Array(states * symbols);
  }

  /**
   * Adds windows. Transitions between windows are not counted.
   * @param x `[windows, length]`: symbols
   * @param z `[windows, length]`: states; ignored at the end symbol
   * @param observed `[windows, length]`: 0 for positions that do not count, such as padding; a transition counts if both its
   *   ends do. All positions count if omitted.
   * @throws {CircuitError} naming the window and position of a symbol or state out of range; what came before it is
   *   counted then
   */
  add(x: ArrayLike<number>, z: ArrayLike<number>, length: number, observed?: ArrayLike<number>): void {
    requireWhole("length", length, 1);
    if (x.length !== z.length || x.length % length !== 0 || (observed?.length ?? x.length) !== x.length) {
      throw new CircuitError(
        "learning/hmm-counts",
        `${x.length} symbols with ${z.length} states are not windows of length ${length}`,
      );
    }
    const { states, symbols, end } = this;
    const labels = end === undefined ? states : states - 1;
    for (let at = 0, t = 0, before = -1; at < x.length; at++, t = t + 1 === length ? 0 : t + 1) {
      if (t === 0) before = -1;
      if (observed !== undefined && observed[at] === 0) {
        if (t === 0) this.windows++;
        before = -1;
        continue;
      }
      const symbol = x[at]!;
      const state = symbol === end ? states - 1 : z[at]!;
      if (!(Number.isInteger(symbol) && symbol >= 0 && symbol < symbols)) {
        this.#refuse(at, length, "symbol", symbol, symbols);
      }
      if (symbol !== end && !(Number.isInteger(state) && state >= 0 && state < labels)) {
        this.#refuse(at, length, "state", state, labels);
      }
      if (t === 0) {
        this.initial[state]!++;
        this.windows++;
      } else if (before >= 0) this.transition[before * states + state]!++;
      this.emission[state * symbols + symbol]!++;
      before = state;
    }
  }

  #refuse(at: number, length: number, what: string, found: number, most: number): never {
    const window = this.windows + (at % length === 0 ? 0 : -1);
    throw new CircuitError(
      "learning/hmm-counts",
      `window ${window}, position ${at % length}: the ${what} is ${found}, expected 0 to ${most - 1}`,
      what === "state" && this.end !== undefined
        ? { hint: `State ${this.states - 1} is that of the end symbol alone.` }
        : {},
    );
  }

  /** `[symbols]`: the distribution of the symbols over all states except the end state. */
  unigram(pseudocount = 1): Float64Array {
    const { states, symbols, end } = this;
    const counts = new Float64Array(symbols);
    this.emission.forEach((count, i) => counts[i % symbols]! += count);
    const open = end === undefined || states === 1 ? symbols : symbols - 1;
    for (let v = 0; v < symbols; v++) counts[v] = v === end ? 0 : counts[v]! + pseudocount / open;
    const total = counts.reduce((a, b) => a + b, 0);
    return counts.map((count) => total > 0 ? count / total : 1 / symbols);
  }

  /**
   * The homogeneous HMM of these counts over windows of `length` positions. A row without counts and without pseudocount
   * gets the distribution that its pseudocount would have added. With an end symbol, the end state emits only that
   * symbol, and the other states never emit it.
   * @throws {CircuitError} on smoothing out of range
   */
  circuit(length: number, smoothing: HmmSmoothing = {}): Circuit {
    const { states, symbols, end } = this;
    const { initial = 0.001, transition = 0.001, emission = 1, emissionMix = 0, unigram = 1 } = smoothing;
    for (const [name, x] of Object.entries({ initial, transition, emission, unigram })) {
      if (!(x >= 0 && x < Infinity)) {
        throw new CircuitError("circuit/argument", `\`${name}\` is ${x}, expected a number from 0`);
      }
    }
    if (!(emissionMix >= 0 && emissionMix <= 1)) {
      throw new CircuitError(
        "circuit/argument",
        `\`emissionMix\` is ${emissionMix}, expected a number from 0 to 1`,
      );
    }
    const rows = (counts: Float64Array, base: Float64Array, pseudocount: number, mix = 0) => {
      const values = new Float32Array(counts.length);
      for (let at = 0; at < values.length; at += base.length) values.set(base, at);
      updateRows(values, counts, base.length, { step: { kind: "em" }, pseudocount, mix, base });
      return values;
    };
    const uniform = new Float64Array(states).fill(1 / states);
    const emissions = rows(this.emission, this.unigram(unigram), emission, emissionMix);
    if (end !== undefined) {
      emissions.fill(0, (states - 1) * symbols);
      emissions[(states - 1) * symbols + end] = 1;
    }
    return hmm({
      length,
      states,
      symbols,
      initial: rows(this.initial, uniform, initial),
      transition: rows(this.transition, uniform, transition),
      emission: emissions,
    });
  }
}
