import type { Circuit, Leaf, LeafShape, NodeId, ParameterArray } from "../../circuits/mod.ts";
import type { OnnxGraph, Value } from "../onnx/graph.ts";
import type { InputGroup } from "../plan.ts";

/**
 * How a leaf family is computed by WebGPU and by exported graphs; the reference and the CPU engine use float64 on the
 * host instead. Everything specific to a family is here, as in `LeafFamily` for the mathematics.
 */
export interface DeviceLeaf {
  /** How the WebGPU engine evaluates and counts it. */
  readonly gpu: GpuLeaf;
  /** Emits leaf log-likelihoods, `[folds, samples, units]` in float64, into an exported graph. */
  onnx(graph: LeafGraph, leaves: LeafFolds): Value;
}

/**
 * - `given`: the host writes the log-likelihoods of every batch;
 * - `list`: an integer per unit (`LeafFamily.certain`), nothing to learn;
 * - `table`: numbers per unit, in rows.
 */
export type GpuLeaf = { readonly kind: "given" } | GpuList | GpuTable;

/** A family without parameters, with one integer per unit that kernels read. */
export interface GpuList {
  /** Tells the ways apart. */
  readonly kind: "list";
  /**
   * Whether the integer is the unit's only possible state. Then kernels evaluate soft evidence, otherwise the host
   * does.
   */
  readonly byState?: true;
  /** Encoding of a sample's value on the device. */
  encoding(leaf: LeafShape): Encoding;
  /** WGSL that computes `log`. */
  readonly value: ValueSnippet;
}

/** A family whose parameters are a table `[rows, units]` on the device. */
export interface GpuTable {
  /** Tells the ways apart. */
  readonly kind: "table";
  /**
   * Whether rows of the table and of the statistics are states, and its values are probabilities or base-2 logarithms.
   * Then kernels evaluate soft evidence, otherwise the host does.
   */
  readonly byState?: { readonly logs: boolean };
  /**
   * Whether the table is the parameter itself, a probability per state. Then the M-step runs on the device, otherwise
   * on the host.
   */
  readonly probabilities: boolean;
  /** Encoding of a sample's value on the device. */
  encoding(leaf: LeafShape): Encoding;
  /** Rows of the table for leaves with `states` states. */
  tableRows(states: number): number;
  /** Rows of the statistics. */
  statisticsRows(states: number): number;
  /** Writes rows of the table. */
  encode(leaf: Leaf, into: TableRows): void;
  /** WGSL that computes `log` from `table`. */
  readonly value: ValueSnippet;
  /** WGSL that accumulates statistics from flows. */
  readonly statistics: StatisticsSnippet;
  /** For leaves whose moments have other units or origins on the device. */
  readonly moments?: Moments;
  /** For real values that may be too far from all units for float32. */
  readonly reach?: Reach;
}

/** Destination of {@link GpuTable.encode}. */
export interface TableRows {
  /** Subtracted from the column's real values before they are rounded to float32. */
  readonly centre: number;
  /** First row. */
  readonly from: number;
  /** End of the rows (exclusive). */
  readonly to: number;
  /** Entry of unit `u` in row `row` is `out[at + (row - from) * stride + u]`. */
  readonly out: Float32Array;
  /** Index of the first entry in `out`. */
  readonly at: number;
  /** Entries from one row to the next. */
  readonly stride: number;
}

/**
 * Words that encode a value:
 * - `state`: an integer as it is, {@link MISSING} where there is none;
 * - `real`: two float32 whose sum is the distance from the column's centre;
 * - `own`: the family's own encoding, an integer and a float32, in a separate column for each variable and `key`.
 */
export type Encoding = { readonly kind: "state" } | { readonly kind: "real" } | OwnEncoding;

/** A family's own encoding of a value. */
export interface OwnEncoding {
  /** Tells the encodings apart. */
  readonly kind: "own";
  /** Leaves over a variable with equal keys share a column. */
  readonly key: string;
  /** The words of an observed value. */
  words(value: number): readonly [word: number, companion: number];
}

/** WGSL inserted into a template; for lines that begin with `//#` see template.ts. */
export interface Snippet {
  /** Distinguishes kernels with different snippets. */
  readonly kind: string;
  /** Lines of WGSL. */
  readonly code: string;
}

/**
 * Body of leaves.wgsl, which sets `log`, of type `Value`, initially 0. In scope: `value`, the first word of the
 * sample's value, `sample`, `unit`, `shape` and `fold`.
 */
export interface ValueSnippet extends Snippet {
  /** Declaration of binding 5. */
  readonly declarations: string;
  /** Additional constants, such as `LOG`. */
  constants?(circuit: Circuit): Readonly<Record<string, number | boolean>>;
}

/** Everything in scatter.wgsl after the first bindings. */
export interface StatisticsSnippet extends Snippet {
  /** What is bound besides flows and statistics: the batch's sorted tokens, or its values and the table. */
  readonly reads: "tokens" | "values";
  /** Operations per flow. */
  readonly flops: number;
}

/** Converts statistics between the device's form and the family's. */
export interface Moments {
  /** Converts from the device's form to the family's, in place; `parameter` holds the values they were counted under. */
  toFamily(statistics: Float64Array, parameter: ParameterArray): void;
  /** Inverse of `toFamily`. */
  toDevice(statistics: Float64Array, parameter: ParameterArray): Float32Array;
}

/** Which values are close enough to a unit to be computed on the device. */
export interface Reach {
  /**
   * By unit, the first and last value at most `limit` standard deviations away or, for other distributions, as likely
   * as such a normal value.
   */
  spans(parameter: ParameterArray, limit: number): [from: number, to: number][];
}

/** Leaves of a group that are emitted together. */
export interface LeafFolds {
  /** Their group. */
  readonly group: InputGroup;
  /** First fold. */
  readonly from: number;
  /** Number of folds. */
  readonly folds: number;
}

/** An exported graph, as seen by leaf families. */
export interface LeafGraph {
  /** The graph. */
  readonly graph: OnnxGraph;
  /** Values of the leaves' variables, `[folds, samples]`, in the input's element type. */
  values(leaves: LeafFolds): Value;
  /** `x` as float64. */
  doubles(x: Value): Value;
  /** Which values `x` are observed, `[folds, samples]`; integers may be missing as -1. */
  observed(leaves: LeafFolds, x: Value, whole: boolean): Value;
  /** Which of `x` are integers from 0 to `end - 1`. */
  areWhole(x: Value, end: number): Value;
  /** `x` as int64. */
  whole(x: Value): Value;
  /** The leaf of a fold, and the first of its units in the fold. */
  leaf(
    leaves: LeafFolds,
    fold: number,
  ): { readonly leaf: Leaf; readonly node: NodeId; readonly first: number };
  /**
   * Looks up rows of likelihood tables by state. `states` emits the states of the values, `[folds, samples]` int64;
   * `valid` emits whether they are states at all. The runtime refuses others.
   */
  states(leaves: LeafFolds, observed: Value, states: () => Value, valid: () => Value): Value;
  /** Log-likelihoods supplied with the samples, `[folds, samples, units]`. */
  given(leaves: LeafFolds): Value;
  /** `logs` where values are observed, 0 elsewhere. */
  orNothing(observed: Value, logs: Value): Value;
}
