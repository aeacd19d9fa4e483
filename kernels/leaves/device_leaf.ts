import type { Circuit, Leaf, LeafShape, NodeId, ParameterArray } from "../../circuits/mod.ts";
import type { OnnxGraph, Value } from "../onnx/graph.ts";
import type { InputGroup } from "../plan.ts";

/**
 * How engines other than the reference and the CPU engine, which have float64 on the host, compute a leaf family: the one
 * place that knows it, as `LeafFamily` is for the mathematics.
 */
export interface DeviceLeaf {
  /** How the WebGPU engine reads and counts it. */
  readonly gpu: GpuLeaf;
  /** Emits the logarithms of leaves, `[folds, samples, units]` in float64, into an exported graph. */
  onnx(graph: LeafGraph, leaves: LeafFolds): Value;
}

/**
 * - `given`: the host writes the logarithms of every batch;
 * - `list`: a whole number for every unit (`LeafFamily.certain`), nothing to learn;
 * - `table`: numbers for every unit, in rows.
 */
export type GpuLeaf = { readonly kind: "given" } | GpuList | GpuTable;

/** A family without parameters, of which kernels read a whole number for every unit. */
export interface GpuList {
  readonly kind: "list";
  /** Whether the number is the one state of the unit: then kernels read soft evidence by it, else the host does. */
  readonly byState?: true;
  /** What a sample's value is on the device. */
  encoding(leaf: LeafShape): Encoding;
  /** Computes `log`. */
  readonly value: ValueSnippet;
}

/** A family whose parameters are a table `[rows, units]` on the device. */
export interface GpuTable {
  readonly kind: "table";
  /**
   * Whether rows of the table and of the statistics are states, and values of the table probabilities or base-2 logarithms: then
   * kernels mix leaves by soft evidence, else the host does.
   */
  readonly byState?: { readonly logs: boolean };
  /**
   * Whether the table is the parameter itself, a probability for every state: the M-step is done on the device then,
   * else on the host.
   */
  readonly probabilities: boolean;
  /** What a sample's value is on the device. */
  encoding(leaf: LeafShape): Encoding;
  /** Rows of the table of leaves that divide values into so many states. */
  tableRows(states: number): number;
  /** Rows of the statistics. */
  statisticsRows(states: number): number;
  /** Writes rows of the table. */
  encode(leaf: Leaf, into: TableRows): void;
  /** Computes `log` from `table`. */
  readonly value: ValueSnippet;
  /** Counts statistics from flows. */
  readonly statistics: StatisticsSnippet;
  /** For leaves whose moments are measured otherwise on the device. */
  readonly moments?: Moments;
  /** For real values that can be too far from all units for float32. */
  readonly reach?: Reach;
}

/** Where {@link GpuTable.encode} writes. */
export interface TableRows {
  /** What is taken off real values of the column before float32 has them. */
  readonly centre: number;
  /** First row. */
  readonly from: number;
  /** End of the rows. */
  readonly to: number;
  /** Entry of unit `u` in row `row` is `out[at + (row - from) * stride + u]`. */
  readonly out: Float32Array;
  readonly at: number;
  readonly stride: number;
}

/**
 * The words of a value:
 * - `state`: a whole number as it is, {@link MISSING} where there is none;
 * - `real`: two float32 whose sum is its distance from the centre of its column;
 * - `own`: what the family makes of it, in a column of its own for each variable and `key`: a whole number and a float32.
 */
export type Encoding = { readonly kind: "state" } | { readonly kind: "real" } | OwnEncoding;

/** A family's own words of a value. */
export interface OwnEncoding {
  readonly kind: "own";
  /** Leaves over a variable with equal keys read the same column. */
  readonly key: string;
  /** The words of a value that was observed. */
  words(value: number): readonly [word: number, companion: number];
}

/** WGSL that a template takes in; lines that begin with `//#` are as in template.ts. */
export interface Snippet {
  /** Tells kernels with different snippets apart. */
  readonly kind: string;
  /** The lines. */
  readonly code: string;
}

/**
 * What leaves.wgsl computes: `log`, of type `Value`, 0 before. There are `value`, the first word of the sample's value, `sample`,
 * `unit`, `shape` and `fold`.
 */
export interface ValueSnippet extends Snippet {
  /** Declares binding 5. */
  readonly declarations: string;
  /** More constants, such as `LOG`. */
  constants?(circuit: Circuit): Readonly<Record<string, number | boolean>>;
}

/** Everything of scatter.wgsl below its first bindings. */
export interface StatisticsSnippet extends Snippet {
  /** What is bound beside flows and statistics: the sorted tokens of the batch, or its values and the table. */
  readonly reads: "tokens" | "values";
  /** Operations a flow. */
  readonly flops: number;
}

/** Statistics as the device has them, and as the family has. */
export interface Moments {
  /** Those of the device made those of the family, in place; `parameter` has the values that they were counted under. */
  toFamily(statistics: Float64Array, parameter: ParameterArray): void;
  /** The inverse. */
  toDevice(statistics: Float64Array, parameter: ParameterArray): Float32Array;
}

/** Which values are near enough to a unit to be computed on the device. */
export interface Reach {
  /**
   * The values at most `limit` standard deviations from each unit, of as little likelihood as that is for a normal
   * distribution: first and last.
   */
  spans(parameter: ParameterArray, limit: number): [from: number, to: number][];
}

/** Leaves of a group that are emitted together. */
export interface LeafFolds {
  /** Their group. */
  readonly group: InputGroup;
  /** The first fold. */
  readonly from: number;
  /** How many. */
  readonly folds: number;
}

/** An exported graph as families add to it. */
export interface LeafGraph {
  /** The graph. */
  readonly graph: OnnxGraph;
  /** Values of the leaves' variables, `[folds, samples]`, of the type of the input. */
  values(leaves: LeafFolds): Value;
  /** The same in float64. */
  doubles(x: Value): Value;
  /** Which of values `x` are there, `[folds, samples]`; whole numbers may be missing as -1. */
  observed(leaves: LeafFolds, x: Value, whole: boolean): Value;
  /** Where `x` are whole numbers from 0 below `end`. */
  areWhole(x: Value, end: number): Value;
  /** `x` as int64. */
  whole(x: Value): Value;
  /** The leaf of a fold, and its first unit that the fold has. */
  leaf(
    leaves: LeafFolds,
    fold: number,
  ): { readonly leaf: Leaf; readonly node: NodeId; readonly first: number };
  /**
   * Rows of tables of likelihoods by state. `states` emits the states of the values, `[folds, samples]` int64, and `valid` where
   * they are any: others are refused by the runtime.
   */
  states(leaves: LeafFolds, observed: Value, states: () => Value, valid: () => Value): Value;
  /** The logarithms that come with the samples, `[folds, samples, units]`. */
  given(leaves: LeafFolds): Value;
  /** `logs` where values were observed, 0 elsewhere. */
  orNothing(observed: Value, logs: Value): Value;
}
