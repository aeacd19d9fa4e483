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

/** A column of data that leaves start from. */
export interface StartColumn {
  /** `[rows]`: values, NaN where one is missing. */
  readonly values: Float64Array;
  /** `[rows]`: how often each counts. */
  readonly weights: Float64Array;
  /** `[rows]`: the unit whose cluster a row is in; -1 where there are no clusters. */
  readonly clusters: Int32Array;
}

/** A leaf as a line of a `.jpc` file says it. */
export interface JpcLeaf {
  /** What the line begins with. */
  readonly kind: string;
  /** What follows the number of the variable. */
  readonly words: readonly number[];
  /** States that the variable has by this line; 0 where it does not tell. */
  readonly states: number;
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
  /** The version of circuit files that has it first, where that is not the first. */
  readonly since?: number;
  /** Kinds of variable it can model. */
  readonly kinds: readonly Variable["kind"][];
  /** Shape of its parameter, `[units, ...]`, or undefined when it has none. */
  parameterShape(leaf: LeafShape): readonly number[] | undefined;
  /** Whether its log-likelihoods come with the samples, so that it has no values of its own. */
  readonly external?: boolean;
  /** Whether values that are near each other are alike: clusters of them start its units. */
  readonly ordered?: boolean;
  /** Whether its parameter is kept in float64: real numbers of any size, of which float32 has too few digits. */
  readonly double?: boolean;
  /** Whether its parameter is rows `[units, states]` that are any distribution, and its statistics counts of states. */
  readonly rows?: boolean;
  /**
   * Into how many states its likelihood divides the values; those of a state are all alike. 0 where every value has a
   * likelihood of its own.
   */
  states(leaf: LeafShape): number;
  /** The state of a value, -1 for a value that is impossible; the value itself when left out. */
  stateOf?(leaf: LeafShape, value: number): number;
  /** What the logarithm of a state's probability lacks to that of the likelihood of a value in it; 0 when left out. */
  stateScale?(leaf: LeafShape, state: number): number;
  /** `[units]`: the state that settings give all mass of each unit, for families that are nothing else. */
  certain?(leaf: LeafShape): readonly number[];
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
  /** Starting values from data; `leaf` has the values before. Every unit takes what its cluster has. */
  start(leaf: Leaf, column: StartColumn, random: RandomStream): ParameterArray;
  /** The parameter with noise, `amount` as a share of what is usual for it: units that were equal differ. */
  perturb(leaf: Leaf, amount: number, random: RandomStream): ParameterArray;
  /**
   * For families whose M-step looks at a whole column: the standard deviation of all values that statistics count, of leaves
   * that share parameters or variables; `rounding` as in {@link Accumulators}.
   */
  spreadOf?(
    parts: readonly { readonly leaf: Leaf; readonly statistics: ArrayLike<number> }[],
    rounding?: number,
  ): number;
  /** How a `.jpc` file says a unit; leaves over states are tables there when left out. */
  jpc?(leaf: Leaf, unit: number): JpcLeaf;
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

/** Rows that sum to one, `[rows, width]`, each entry times `exp(-amount * u)`, `u` uniform. */
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
