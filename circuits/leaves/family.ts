import type { LeafSettings, ParameterArray, Variable } from "../circuit.ts";
import type { RandomStream } from "../random.ts";

export { statesOf } from "../circuit.ts";

/** Maximum deviation of a row of probabilities from one: allows only for the float32 rounding of long rows. */
export const ROW_TOLERANCE = 1e-4;

/** What a leaf family knows about a node: everything except the values of its parameter. */
export interface LeafShape {
  /** The variable that the leaf is over. */
  readonly variable: Variable;
  /** Length of the node's vector. */
  readonly units: number;
  /** Settings of the node. */
  readonly settings: LeafSettings;
}

/** An input node with the values of its parameter, row-major; empty for families without one. */
export interface Leaf extends LeafShape {
  /** Values of the node's parameter. */
  readonly values: ParameterArray;
}

/** A data column used to initialise leaves. */
export interface StartColumn {
  /** `[rows]`: values, NaN where missing. */
  readonly values: Float64Array;
  /** `[rows]`: weight of each value. */
  readonly weights: Float64Array;
  /** `[rows]`: the unit whose cluster contains the row; -1 without clusters. */
  readonly clusters: Int32Array;
}

/** A leaf as written on a line of a `.jpc` file. */
export interface JpcLeaf {
  /** First word of the line. */
  readonly kind: string;
  /** Numbers that follow the variable index. */
  readonly words: readonly number[];
  /** Number of states of the variable implied by this line; 0 if it does not tell. */
  readonly states: number;
}

/**
 * A family of univariate distributions, and the only place that implements its mathematics. Missing values need no
 * method: every family integrates to one, so their log-likelihood is 0.
 *
 * Learning uses expected sufficient statistics: for every observed value, `accumulate` adds `flow` times its statistics
 * to the row of the unit, and `maximise` turns the sums into parameters (the M-step).
 */
export interface LeafFamily {
  /** Name in files and in {@link InputNode.family}. */
  readonly name: string;
  /** The first version of circuit files that supports it, if not version 1. */
  readonly since?: number;
  /** Kinds of variable that it can model. */
  readonly kinds: readonly Variable["kind"][];
  /** Shape of its parameter, `[units, ...]`, or undefined when it has none. */
  parameterShape(leaf: LeafShape): readonly number[] | undefined;
  /** Whether its log-likelihoods are supplied with the samples, so that it has no values of its own. */
  readonly external?: boolean;
  /** Whether nearby values are similar, so that clusters of values can initialise its units. */
  readonly ordered?: boolean;
  /** Whether its parameter is stored in float64, for real numbers beyond the precision of float32. */
  readonly double?: boolean;
  /** Whether its parameter is `[units, states]` with arbitrary distributions as rows, and its statistics are state counts. */
  readonly rows?: boolean;
  /**
   * Number of states into which its likelihood partitions the values; values of one state are equally likely. 0 if every
   * value has its own likelihood.
   */
  states(leaf: LeafShape): number;
  /** The state of a value, -1 if the value is impossible; the value itself if this method is omitted. */
  stateOf?(leaf: LeafShape, value: number): number;
  /** Log-likelihood of a value in a state minus the log-probability of the state; 0 if omitted. */
  stateScale?(leaf: LeafShape, state: number): number;
  /**
   * For families over some states of a categorical variable, whatever the parameter: the values that are possible, in the
   * order of the states. All others are impossible under every unit.
   */
  support?(leaf: LeafShape): readonly number[];
  /** `[units]`: the state that holds all the mass of each unit according to the settings, for deterministic families only. */
  certain?(leaf: LeafShape): readonly number[];
  /** Expands values from an accepted shorter form, such as that of older files; other values are returned unchanged. */
  expand?(leaf: LeafShape, values: ParameterArray): ParameterArray;
  /** An error message for invalid settings, or undefined. */
  checkSettings(leaf: LeafShape): string | undefined;
  /** An error message for invalid parameter values (the first fault, with its unit), or undefined. */
  checkValues(leaf: Leaf): string | undefined;
  /** Random starting values, different for every unit. */
  initialise(leaf: LeafShape, random: RandomStream): ParameterArray;
  /** Natural logarithm of the likelihood of `value` under unit `unit`, in float64; -Infinity if impossible. */
  logProbability(leaf: Leaf, unit: number, value: number): number;
  /** Number of sufficient statistics per unit. */
  statisticsWidth(leaf: LeafShape): number;
  /**
   * Adds `flow` times the statistics of `value` to row `unit` of `statistics`, `[units, width]`. The statistics may be
   * centred on the current values of the leaf; see {@link LeafFamily.recentre}.
   */
  accumulate(leaf: Leaf, unit: number, value: number, flow: number, statistics: Float64Array): void;
  /**
   * The parameter that maximises the expected log-likelihood, including `pseudocount` virtual samples per unit. A unit
   * without data keeps its values. Never lowers the likelihood of `statistics` if `pseudocount` is 0.
   *
   * @param spread standard deviation of all values counted for the leaf's column, for real variables; 0 if
   *   they are equal or it is unknown
   */
  maximise(leaf: Leaf, statistics: Float64Array, pseudocount: number, spread?: number): ParameterArray;
  /** Adds the expected statistics of `weight` samples drawn from unit `unit` itself. */
  accumulateExpected(leaf: Leaf, unit: number, weight: number, statistics: Float64Array): void;
  /** Interpolates: a share `inertia` (0 to 1) of the current parameter and the rest from `fresh`, as in mini-batch EM. */
  blend(leaf: Leaf, fresh: ParameterArray, inertia: number): ParameterArray;
  /** Converts statistics counted under the values of `leaf` to those under `fresh`, in place. */
  recentre?(leaf: Leaf, fresh: ParameterArray, statistics: Float64Array): void;
  /** Initial values from data; `leaf` holds the previous values. Every unit starts from its cluster. */
  start(leaf: Leaf, column: StartColumn, random: RandomStream): ParameterArray;
  /** The parameter with noise, `amount` relative to its usual scale, so that equal units become different. */
  perturb(leaf: Leaf, amount: number, random: RandomStream): ParameterArray;
  /**
   * For families whose M-step uses a whole column: the standard deviation of all values in the statistics of leaves that
   * share parameters or variables; `rounding` as in {@link Accumulators}.
   */
  spreadOf?(
    parts: readonly { readonly leaf: Leaf; readonly statistics: ArrayLike<number> }[],
    rounding?: number,
  ): number;
  /** How a `.jpc` file represents a unit; if omitted, leaves over states are written as tables. */
  jpc?(leaf: Leaf, unit: number): JpcLeaf;
  /** A value drawn from unit `unit`. */
  sample(leaf: Leaf, unit: number, random: RandomStream): number;
  /** The most probable value of unit `unit`; ties go to the smallest. */
  mode(leaf: Leaf, unit: number): number;
  /** Expected value of unit `unit`, as a number (the state number, for a categorical variable). */
  mean(leaf: Leaf, unit: number): number;
}

/** Elementwise `inertia * old + (1 - inertia) * fresh`. */
export function blendLinearly(old: ParameterArray, fresh: ParameterArray, inertia: number): ParameterArray {
  return old.map((x, i) => inertia * x + (1 - inertia) * (fresh[i] as number));
}

/**
 * An error message for rows of probabilities `[rows, width]`, or undefined: the first entry that is negative or not
 * finite, or the first row that does not sum to one.
 */
export function checkRows(values: ParameterArray, width: number, rowName: string): string | undefined {
  for (let row = 0; row * width < values.length; row++) {
    let total = 0;
    for (let i = 0; i < width; i++) {
      const p = values[row * width + i] as number;
      if (!(p >= 0) || p === Infinity) {
        return `${rowName} ${row}, entry ${i} is ${p}, expected a probability`;
      }
      total += p;
    }
    if (Math.abs(total - 1) > ROW_TOLERANCE) return `${rowName} ${row} sums to ${total}, expected 1`;
  }
  return undefined;
}

/**
 * Random rows that sum to one, `[rows, width]`. Entries are proportional to `exp(-spread * u)`, `u` uniform: unequal
 * enough to break symmetry, but never near zero, where EM would be stuck.
 */
export function randomRows(rows: number, width: number, random: RandomStream, spread = 2): Float32Array {
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let total = 0;
    const at = row * width;
    for (let i = 0; i < width; i++) total += values[at + i] = Math.exp(-spread * random.uniform());
    for (let i = 0; i < width; i++) values[at + i] = (values[at + i] as number) / total;
  }
  return values;
}

/** Rows with each entry multiplied by `exp(-amount * u)`, `u` uniform, and normalised, `[rows, width]`. */
export function noisyRows(
  old: ParameterArray,
  width: number,
  amount: number,
  random: RandomStream,
): ParameterArray {
  const values = old.map((p) => p * Math.exp(-amount * random.uniform()));
  for (let at = 0; at < values.length; at += width) {
    let total = 0;
    for (let i = 0; i < width; i++) total += values[at + i] as number;
    for (let i = 0; i < width; i++) values[at + i] = (values[at + i] as number) / total;
  }
  return values;
}

/**
 * Normalises rows of counts to probabilities, with `pseudocount` shared equally by the entries of a row. A row without
 * counts keeps `old`. All shapes are `[rows, width]`.
 */
export function normaliseRows(
  counts: ArrayLike<number>,
  old: ParameterArray,
  width: number,
  pseudocount: number,
): Float32Array {
  const values = new Float32Array(old.length);
  for (let at = 0; at < old.length; at += width) {
    let total = pseudocount;
    for (let i = 0; i < width; i++) total += counts[at + i] as number;
    for (let i = 0; i < width; i++) {
      values[at + i] = total > 0
        ? ((counts[at + i] as number) + pseudocount / width) / total
        : old[at + i] as number;
    }
  }
  return values;
}
