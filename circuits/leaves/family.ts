import type { LeafSettings, ParameterArray, Variable } from "../circuit.ts";
import type { RandomStream } from "../random.ts";

export { statesOf } from "../circuit.ts";

/** How far a row of probabilities may be from one: float32 rounding of long rows, and no more. */
export const ROW_TOLERANCE = 1e-4;

/** What a leaf family is told of a node: everything but the values of its parameter. */
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

/**
 * A family of univariate distributions, the one place that knows its mathematics. A missing value needs no
 * method: every family integrates to one, so its log-likelihood is 0.
 *
 * Learning is by expected sufficient statistics: for every observed value, `accumulate` adds `flow` times
 * its statistics to the row of the unit, and `maximise` turns the sums into parameters (the M-step).
 */
export interface LeafFamily {
  /** Name in files and in {@link InputNode.family}. */
  readonly name: string;
  /** Kinds of variable it can model. */
  readonly kinds: readonly Variable["kind"][];
  /** Shape of its parameter, `[units, ...]`, or undefined when it has none. */
  parameterShape(leaf: LeafShape): readonly number[] | undefined;
  /** Whether its parameter is kept in float64: real numbers of any size, of which float32 has too few digits. */
  readonly double?: boolean;
  /** Whether its parameter is rows `[units, states]` that are any distribution, and its statistics counts of states. */
  readonly rows?: boolean;
  /** Values in full from a shorter form that is taken too, such as older files have it; others as they are. */
  expand?(leaf: LeafShape, values: ParameterArray): ParameterArray;
  /** What is wrong with the settings, or undefined. */
  checkSettings(leaf: LeafShape): string | undefined;
  /** What is wrong with the parameter values (first fault, with its unit), or undefined. */
  checkValues(leaf: Leaf): string | undefined;
  /** Random starting values, different for every unit. */
  initialise(leaf: LeafShape, random: RandomStream): ParameterArray;
  /** Natural logarithm of the likelihood of `value` under unit `unit`, in float64; -Infinity if impossible. */
  logProbability(leaf: Leaf, unit: number, value: number): number;
  /** Sufficient statistics kept for a unit, in numbers. */
  statisticsWidth(leaf: LeafShape): number;
  /**
   * Adds `flow` times the statistics of `value` to row `unit` of `statistics`, `[units, width]`. They may be about
   * the values that the leaf has: see {@link LeafFamily.recentre}.
   */
  accumulate(leaf: Leaf, unit: number, value: number, flow: number, statistics: Float64Array): void;
  /**
   * The parameter that maximises the expected log-likelihood, `pseudocount` virtual samples a unit included.
   * A unit with nothing to learn from keeps its values. Never lowers the likelihood of `statistics` when
   * `pseudocount` is 0.
   *
   * @param spread standard deviation of all values that were counted of the leaf's column, for real ones; 0 where
   *   they are equal or unknown
   */
  maximise(leaf: Leaf, statistics: Float64Array, pseudocount: number, spread?: number): ParameterArray;
  /** Adds the statistics of `weight` samples that are as unit `unit` itself would draw them on average. */
  accumulateExpected(leaf: Leaf, unit: number, weight: number, statistics: Float64Array): void;
  /** A part `inertia` (0 to 1) of the parameter as it is and the rest of `fresh`: mini-batch EM. */
  blend(leaf: Leaf, fresh: ParameterArray, inertia: number): ParameterArray;
  /** Turns statistics that were counted under the values of `leaf` into those under `fresh`, in place. */
  recentre?(leaf: Leaf, fresh: ParameterArray, statistics: Float64Array): void;
  /** A value drawn from unit `unit`. */
  sample(leaf: Leaf, unit: number, random: RandomStream): number;
  /** The most probable value of unit `unit`; the smallest of equals. */
  mode(leaf: Leaf, unit: number): number;
  /** Expected value of unit `unit`, as a number (of the state, for a categorical variable). */
  mean(leaf: Leaf, unit: number): number;
}

/** Entry by entry `inertia * old + (1 - inertia) * fresh`. */
export function blendLinearly(old: ParameterArray, fresh: ParameterArray, inertia: number): ParameterArray {
  return old.map((x, i) => inertia * x + (1 - inertia) * (fresh[i] as number));
}

/**
 * What is wrong with rows of probabilities `[rows, width]`, or undefined: the first that is negative, not
 * finite, or in a row that does not sum to one.
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
 * Random rows that sum to one, `[rows, width]`. Entries are proportional to `exp(-spread * u)`, `u` uniform:
 * unequal enough to break symmetry, never near zero, which EM could not leave.
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

/**
 * Rows of counts made into rows of probabilities, `pseudocount` shared equally by the entries of a row.
 * A row without counts keeps `old`. Shapes are all `[rows, width]`.
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
