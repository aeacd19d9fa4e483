import { getOrMake } from "../../foundation/newer.ts";
import { childrenOf, Evidence, type NodeId, scopesOf, scopeVariables } from "../../circuits/mod.ts";
import { OnnxGraph, type Value } from "../onnx/graph.ts";
import { type InputGroup, nodesOfFolds, type Plan, type SumGroup } from "../plan.ts";
import { emitBackward, emitRoot } from "./backward.ts";
import { emitForward, type Forward, takeFolds } from "./forward.ts";
import type { LeafLayout, LeafStore } from "./leaf_store.ts";
import { UnboundedArithmetic } from "./unbounded.ts";
import { RowArithmetic, type ScaledRows } from "./rows.ts";
import { isInput, type Segment, type Segmentation } from "./segments.ts";
import type { Trim } from "./trim.ts";
import { Trimming } from "./trimming.ts";
import { Matrices, type MatrixRun, shapeOfRun } from "./weights.ts";

/**
 * - `likelihoods`: the root's rows;
 * - `activations`: the rows of all products and sums;
 * - `leaves`: likelihoods and the flows of all leaves;
 * - `training`: likelihoods, the flows of leaves with parameters and the ratios of all weights;
 * - `partial training`: the same for samples without evidence about some sums, whose edges are not counted;
 * - `trimmed training`: the same, with each segment cut to the rows that have evidence about it; see
 *   `kernels/cpu/trim.ts`.
 *
 * Unbounded programs carry no error bounds; `least` identifies samples that need them, of which nothing is counted.
 */
export type ProgramKind = "likelihoods" | "activations" | "leaves" | TrainingKind | UnboundedKind;

/** Programs that count with error bounds. */
export type TrainingKind = "training" | "partial training";

/** Programs for plans that satisfy {@link isUnbounded} and have no small weights. */
export type UnboundedKind =
  | "unbounded likelihoods"
  | `unbounded ${TrainingKind}`
  | "unbounded trimmed training";

/** Whether a program takes the mask of counted sums. */
export function takesSeen(kind: ProgramKind): boolean {
  return kind.endsWith("partial training") || kind.endsWith("trimmed training");
}

/** Whether a program has a downward pass, and so takes sample weights. */
export function goesDown(kind: ProgramKind): boolean {
  return kind === "leaves" || kind.endsWith("training");
}

/** An output of a program; `batch` in its shape is the number of samples. */
export interface Output {
  /** Name in the graph. */
  readonly name: string;
  /** Element type. */
  readonly type: "float32" | "float64";
  /** Sizes; `batch` is that of the run. */
  readonly shape: readonly (number | "batch")[];
  /** The class whose number of rows `batch` stands for; default: all samples. */
  readonly rows?: number;
}

/** A graph and the meaning of its inputs and outputs. */
export interface GraphProgram {
  /** The model. */
  readonly model: Uint8Array;
  /** Matrices that the graph takes, by input name; those whose names begin with `up` are clamped. */
  readonly matrices: ReadonlyMap<string, MatrixRun>;
  /** All outputs. */
  readonly outputs: readonly Output[];
  /** By leaf segment: the output with its flows. */
  readonly flows: ReadonlyMap<number, string>;
  /** By leaf segment: the output with the flow that reached each fold. */
  readonly passed: ReadonlyMap<number, string>;
  /** By output: the matrices whose ratios it holds. */
  readonly ratios: ReadonlyMap<string, MatrixRun>;
  /** Conversions between row counts, in trimmed programs. */
  readonly trimming?: Trimming;
}

/** Names of the inputs and outputs of all graphs. */
export const NAMES = {
  weights: "weights",
  log: "log",
  bound: "bound",
  least: "least",
  seen: "seen",
  values: (segment: number) => `values_${segment}`,
  scale: (segment: number) => `scale_${segment}`,
  rowBound: (segment: number) => `bound_${segment}`,
  table: (table: number, blocks: number) => `table_${table}_${blocks}`,
  index: (segment: number) => `index_${segment}`,
  leafRows: (segment: number) => `rows_${segment}`,
  leafScale: (segment: number) => `leaf_scale_${segment}`,
};

/** Logarithm, relative to the largest, below which an exponential underflows in float32. */
const LOST = -126 * Math.LN2;

/** Builds the graph of a kind for a plan; with `mixed` it takes rows for all leaves instead of tables and indices. */
export function programOf(
  kind: ProgramKind,
  plan: Plan,
  segmentation: Segmentation,
  store: LeafStore,
  { trim, mixed = false }: { readonly trim?: Trim | undefined; readonly mixed?: boolean } = {},
): GraphProgram {
  const graph = new OnnxGraph(), matrices = new Matrices(graph);
  const outputs: Output[] = [];
  const give = (name: string, value: Value, type: Output["type"], shape: Output["shape"], rows = 0) => {
    graph.output(name, value, type, shape.map((size) => size === "batch" ? sizeName(rows) : size));
    outputs.push({ name, type, shape, rows });
  };
  const trimming = trim !== undefined && kind === "unbounded trimmed training"
    ? new Trimming(graph, trim, segmentation)
    : undefined;
  const tables = new Set<string>();
  const unbounded = kind.startsWith("unbounded") ? new UnboundedArithmetic(graph) : undefined;
  const forward = emitForward(unbounded ?? new RowArithmetic(graph), segmentation, {
    leaves: (segment) =>
      emitLeaves(graph, segment as Segment<InputGroup>, store, {
        tables,
        mixed,
        bounded: unbounded === undefined,
        rows: trimming?.classOf(segment.index) ?? 0,
      }),
    multiply: (segment, x) => matrices.up(segment, x),
    ...(trimming !== undefined && unbounded !== undefined && {
      read: (segment, rows) => trimming.read(segment, rows),
      begin: (segment) => unbounded.rows = trimming.classOf(segment),
    }),
  });
  const flows = new Map<number, string>(), passed = new Map<number, string>();
  const ratios = new Map<string, MatrixRun>();
  const { segments } = segmentation;
  const least = unbounded?.least(trimming && ((rows, value, by) => trimming.fill(rows, 0, value, by)));
  if (least !== undefined) give(NAMES.least, least, "float32", [1, "batch", 1]);
  if (kind === "likelihoods" || kind === "unbounded likelihoods") {
    giveRows(segments.at(-1) as Segment, forward, give, true);
  } else if (kind === "activations") {
    for (const segment of segments) if (!isInput(segment)) giveRows(segment, forward, give, false);
  } else {
    const root = emitRoot(graph, forward.rows.at(-1) as ScaledRows);
    give(NAMES.log, root.log, "float64", [1, "batch", 1]);
    give(NAMES.bound, root.bound, "float64", [1, "batch", 1]);
    const weights = graph.input(NAMES.weights, "float32", [1, "batch", 1]);
    const certified = least === undefined
      ? root.certified
      : graph.op("And", [root.certified, graph.op("GreaterOrEqual", [least, graph.constant(1)])]);
    const counted = graph.op("Where", [certified, weights, graph.constant(0)]);
    const parameters = kind !== "leaves";
    const backward = emitBackward(graph, segmentation, forward, matrices, counted, {
      parameters,
      ...(takesSeen(kind) && { seen: emitSeen(graph, plan, trimming) }),
      ...(trimming !== undefined && { trim: (segment, flow) => trimming.cut(segment, flow) }),
    });
    const checked = checkedVariables(plan);
    const names = new Map<Value, string>();
    for (const segment of segments) {
      if (!isInput(segment)) continue;
      const { group, from, folds } = segment;
      const flow = backward.flows[segment.index] as Value;
      if (
        unbounded === undefined && group.variables.subarray(from, from + folds).some((v) => checked.has(v))
      ) {
        const name = `passed_${segment.index}`;
        passed.set(segment.index, name);
        give(name, graph.op("ReduceSum", [flow, graph.integers(2)], { keepdims: 0 }), "float32", [
          folds,
          "batch",
        ]);
      }
      if (parameters && group.table < 0) continue;
      const name = getOrMake(names, flow, () => {
        const rows = trimming?.classOf(segment.index);
        give(`flow_${segment.index}`, flow, "float32", [folds, "batch", group.units], rows);
        return `flow_${segment.index}`;
      });
      flows.set(segment.index, name);
    }
    for (const [run, value] of backward.weights) {
      const matrix = [...matrices.inputs.values()].find(({ name }) => name === run) as MatrixRun;
      ratios.set(`ratio_${run}`, matrix);
      give(`ratio_${run}`, value, "float32", shapeOfRun(matrix));
    }
  }
  return {
    model: graph.model(),
    matrices: matrices.inputs,
    outputs,
    flows,
    passed,
    ratios,
    ...(trimming !== undefined && { trimming }),
  };
}

/** Dimension name for the row count of a class. */
function sizeName(rows: number): string {
  return rows === 0 ? "batch" : `rows_${rows}`;
}

function giveRows(
  { index, group, folds }: Segment,
  forward: Forward,
  give: (name: string, value: Value, type: Output["type"], shape: Output["shape"]) => void,
  bound: boolean,
): void {
  const rows = forward.rows[index] as ScaledRows;
  give(NAMES.values(index), rows.values, "float32", [folds, "batch", group.units]);
  give(NAMES.scale(index), rows.scale, "float64", [folds, "batch", 1]);
  if (bound && rows.bound !== undefined) {
    give(NAMES.rowBound(index), rows.bound, "float64", [folds, "batch", 1]);
  }
}

function emitLeaves(
  graph: OnnxGraph,
  segment: Segment<InputGroup>,
  store: LeafStore,
  { tables, mixed, bounded, rows }: {
    readonly tables: Set<string>;
    readonly mixed: boolean;
    readonly bounded: boolean;
    readonly rows: number;
  },
): ScaledRows {
  const { index, group, folds } = segment;
  const batch = sizeName(rows);
  const { table, blocks, rounded } = store.layouts[group.index] as LeafLayout;
  const scale = graph.input(NAMES.leafScale(index), "float64", [folds, batch, 1]);
  // Mixed rows are rounded relative to their largest unit.
  const bound = rounded || (mixed && bounded)
    ? graph.op("Add", [scale, new RowArithmetic(graph).double(LOST)])
    : undefined;
  let values: Value;
  if (table === undefined || mixed) {
    values = graph.input(NAMES.leafRows(index), "float32", [folds, batch, group.units]);
  } else {
    const name = NAMES.table(table, blocks), stored = store.tables[table];
    if (!tables.has(name)) {
      tables.add(name);
      graph.input(name, "float32", [((stored?.unobserved ?? 0) + 1) * blocks, group.units]);
    }
    const rows = graph.input(NAMES.index(index), "int32", [folds, batch]);
    values = graph.op("Gather", [name, rows], { axis: 0 });
  }
  return { values, scale, ...(bound !== undefined && { bound }), normal: false };
}

/** Emits which edges of sums are counted; see {@link Evidence}. */
function emitSeen(
  graph: OnnxGraph,
  plan: Plan,
  trimming: Trimming | undefined,
): (segment: Segment<SumGroup>) => Value {
  const { scopes, scopeOf } = Evidence.of(plan.circuit);
  const seen = graph.input(NAMES.seen, "float32", [scopes, "batch", 1]);
  const nodes = plan.groups.map((group) => nodesOfFolds(plan, group));
  return ({ index, group, from, folds }) => {
    const own = (nodes[group.index] as NodeId[]).slice(from, from + folds);
    const taken = takeFolds(graph, seen, own.map((node) => scopeOf[node] as number), scopes);
    return trimming === undefined ? taken : trimming.first(trimming.classOf(index), taken);
  };
}

/**
 * Variables whose leaves together receive all flow that any sum may lose: at least one below every sum. A sample's flow
 * reaches every variable exactly once, so what was lost on the way is missing there.
 */
export function checkedVariables(plan: Plan): ReadonlySet<number> {
  const { circuit } = plan;
  const scopes = scopesOf(circuit);
  const checked = new Set<number>();
  /** By node: whether a checked variable is below it. */
  const covered = new Uint8Array(circuit.nodes.length);
  for (const node of circuit.nodes) {
    if (node.kind === "input") continue;
    if (childrenOf(node).some((child) => covered[child] === 1)) covered[node.id] = 1;
    else if (node.kind === "sum") {
      const [first = 0, ...others] = scopeVariables(scopes[node.id] as Uint32Array);
      if (!checked.has(first) && !others.some((v) => checked.has(v))) checked.add(first);
      covered[node.id] = 1;
    }
  }
  return checked;
}
