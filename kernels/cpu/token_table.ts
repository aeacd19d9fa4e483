import type { ParameterArray, Samples } from "../../circuits/mod.ts";
import { transposeInto } from "../../circuits/transpose.ts";
import { NOTHING } from "./rows.ts";

/** Derived states of values that are not states themselves, such as bins. */
export interface OwnStates {
  /** The state of a value; -1 if it is impossible. */
  stateOf(value: number): number;
  /** Logarithm of the factor of a state's probability. */
  scaleOf(state: number): number;
}

/**
 * Likelihoods of states under units, with all units of a state contiguous, so that an observed value reads contiguous
 * memory: row `slot * states + k` is state `k` of the parameter in slot `slot`. One more row, of ones, stands for a
 * missing value.
 */
export class TokenTable {
  /** States of a parameter. */
  readonly states: number;
  /** Units of a row. */
  readonly units: number;
  /** Number of parameters. */
  readonly slots: number;
  /** `[slots * states + 1, units]`: likelihoods divided by `exp(scales)`, at most 1. */
  readonly values: Float32Array;
  /** `[slots * states + 1]`: natural logarithms; {@link NOTHING} for a row of zeros. */
  readonly scales: Float64Array;

  /** By slot, where values are not states themselves. */
  readonly #own: OwnStates[] = [];

  /** A table of zeros. */
  constructor(slots: number, states: number, units: number) {
    this.slots = slots;
    this.states = states;
    this.units = units;
    this.values = new Float32Array((slots * states + 1) * units);
    this.values.fill(1, slots * states * units);
    this.scales = new Float64Array(slots * states + 1);
  }

  /** The row for a missing value. */
  get unobserved(): number {
    return this.slots * this.states;
  }

  /** Fills a slot from logarithms, `log(unit, state)`; each row is scaled by its largest entry. */
  fillFromLogs(slot: number, log: (unit: number, state: number) => number): void {
    const { states, units, values, scales } = this;
    const logs = new Float64Array(units);
    for (let k = 0; k < states; k++) {
      let most = -Infinity;
      for (let u = 0; u < units; u++) most = Math.max(most, logs[u] = log(u, k));
      const row = slot * states + k, at = row * units;
      scales[row] = most === -Infinity ? NOTHING : most;
      for (let u = 0; u < units; u++) {
        values[at + u] = most === -Infinity ? 0 : Math.exp((logs[u] as number) - most);
      }
    }
  }

  /** Sets how the values of a slot map to states, if they are not states themselves. */
  setStates(slot: number, own: OwnStates): void {
    this.#own[slot] = own;
  }

  /** The row for a value of a slot; -1 if it is impossible. */
  rowOfValue(slot: number, value: number): number {
    const own = this.#own[slot];
    if (own === undefined) return slot * this.states + value;
    const state = own.stateOf(value);
    return state < 0 ? -1 : slot * this.states + state;
  }

  /** Logarithm of the factor of a row's probabilities. */
  baseOf(row: number): number {
    return this.#own[Math.floor(row / this.states)]?.scaleOf(row % this.states) ?? 0;
  }

  /** Fills a slot with probabilities `[units, states]`. */
  fill(slot: number, probabilities: ParameterArray): void {
    const { states, units, values } = this;
    const from = slot * states * units;
    transposeInto(probabilities, 0, states, units, states, values, from, units);
    this.findZeros(slot);
  }

  /** A slot as probabilities `[units, states]`. */
  read(slot: number): Float32Array {
    const { states, units, values } = this;
    const from = slot * states * units;
    const out = new Float32Array(states * units);
    transposeInto(values, from, units, states, units, out, 0, states);
    return out;
  }

  /** Sets the scales of a slot of probabilities: {@link NOTHING} for zero rows. */
  findZeros(slot: number): void {
    const { states, units, values, scales } = this;
    for (let row = slot * states; row < (slot + 1) * states; row++) {
      let at = row * units;
      const end = at + units;
      while (at < end && values[at] === 0) at++;
      scales[row] = at === end ? NOTHING : this.baseOf(row);
    }
  }

  /** The row for the value of a variable in a sample; -1 if it is impossible. */
  rowOf(slot: number, samples: Samples, s: number, variable: number): number {
    const at = s * samples.variables + variable;
    if (samples.observed !== undefined && samples.observed[at] === 0) return this.unobserved;
    return this.rowOfValue(slot, samples.values[at] as number);
  }
}
