import { getOrMake } from "../../foundation/newer.ts";
import {
  CircuitError,
  describeVariable,
  type InputNode,
  type Leaf,
  leafFamily,
  leafOf,
  statesOf,
  variableOf,
} from "../../circuits/mod.ts";
import type { LeafFolds, LeafGraph } from "../leaves/device_leaf.ts";
import { deviceLeaf } from "../leaves/mod.ts";
import type { Plan } from "../plan.ts";
import { transposeInto } from "../../circuits/transpose.ts";
import { ELEMENT_TYPES, type OnnxGraph, type Value } from "./graph.ts";

/** A row outside every table: the runtime refuses to look it up. */
const NOWHERE = 2 ** 48;

/** Options of `exportOnnx`. */
export interface ExportOptions {
  /**
   * Element type of `values`. Default: int64, or float64 if a variable is real, since float32 cannot distinguish all
   * real values.
   */
  readonly type?: "int32" | "int64" | "float32" | "float64";
  /** Whether to add an input `observed`; missing values can also be marked without it. */
  readonly observed?: boolean;
  /** Categorical variables given as weights of their states (soft evidence) instead of values. */
  readonly soft?: readonly number[];
}

/** Converts a value to float64. */
export function double(graph: OnnxGraph, value: Value): Value {
  return graph.op("Cast", [value], { to: ELEMENT_TYPES.float64 });
}

/** Emits leaf log-likelihoods `[folds, samples, units]`. */
export class LeafEmitter implements LeafGraph {
  /** The graph. */
  readonly graph: OnnxGraph;
  readonly #plan: Plan;
  readonly #values: Value;
  readonly #observed: Value | undefined;
  readonly #type: "int32" | "int64" | "float32" | "float64";
  readonly #tables = new Map<string, Value>();
  readonly #externals = new Map<number, Value>();
  /** By variable: weights of its states, `[samples, states]` in float64. */
  readonly #weights = new Map<number, Value>();

  /** Adds the inputs for values. @throws {CircuitError} when the type does not hold them */
  constructor(graph: OnnxGraph, plan: Plan, { type, observed = false, soft = [] }: ExportOptions) {
    this.graph = graph;
    this.#plan = plan;
    const { variables } = plan.circuit;
    const real = variables.findIndex((variable) => variable.kind === "real");
    this.#type = type ?? (real < 0 ? "int64" : "float64");
    if (!["int32", "int64", "float32", "float64"].includes(this.#type)) {
      throw new CircuitError(
        "onnx/value-type",
        `the type of values is \`${type}\`, expected int32, int64, float32 or float64`,
        {
          hint: "The types are int32, int64, float32 and float64.",
        },
      );
    }
    if (real >= 0 && this.#type.startsWith("int")) {
      throw new CircuitError(
        "onnx/value-type",
        `${describeVariable(plan.circuit, real)} is real, which ${this.#type} cannot hold`,
        { hint: "Take float64." },
      );
    }
    this.#values = graph.input(
      "values",
      this.#type,
      ["samples", variables.length],
      "a row for each sample, a column for each variable",
    );
    if (observed) this.#observed = graph.input("observed", "bool", ["samples", variables.length]);
    for (const v of new Set(soft)) {
      const variable = variableOf(plan.circuit, v);
      if (variable.kind !== "categorical") {
        throw new CircuitError(
          "samples/soft-evidence",
          `${
            describeVariable(plan.circuit, v)
          } is ${variable.kind}: soft evidence is about states of categorical variables`,
        );
      }
      const weights = graph.input(
        `weights_${v}`,
        "float32",
        ["samples", variable.states],
        `weights of the states of variable ${v}, ${variable.name}`,
      );
      this.#weights.set(v, double(graph, weights));
    }
  }

  /** Emits the leaves of a segment. */
  emit(leaves: LeafFolds): Value {
    const rows = deviceLeaf(leaves.group.family).onnx(this, leaves), variables = variablesOf(leaves);
    if (!variables.some((v) => this.#weights.has(v))) return rows;
    const { graph } = this;
    const folds = variables.map((v, fold) => {
      const weights = this.#weights.get(v);
      return weights === undefined
        ? graph.op("Slice", [rows, graph.integers(fold), graph.integers(fold + 1), graph.integers(0)])
        : graph.op("Unsqueeze", [this.#mixed(leaves, fold, weights), graph.integers(0)]);
    });
    const all = folds.length === 1 ? folds[0] as Value : graph.op("Concat", folds, { axis: 0 });
    return this.orNothing(this.observed(leaves, this.values(leaves), true), all);
  }

  /** Log-likelihoods of a fold's units, `[samples, units]`, under weights of states. */
  #mixed(leaves: LeafFolds, fold: number, weights: Value): Value {
    const { graph } = this, { units } = leaves.group;
    const node = this.#node(leaves, fold), { leaf, first } = this.leaf(leaves, fold);
    const states = statesOf(leaf.variable);
    const family = leafFamily(node.family);
    const { family: name, parameter, settings } = node;
    const key = `${name} ${parameter} ${JSON.stringify(settings)} ${states} ${units} ${first}`;
    const table = getOrMake(this.#tables, key, () =>
      graph.constant(
        Float64Array.from({ length: states * units }, (_, i) =>
          Math.exp(family.logProbability(leaf, first + i % units, Math.floor(i / units)))),
        [states, units],
      ));
    return graph.op("Log", [graph.op("MatMul", [weights, table])]);
  }

  /** See {@link LeafGraph.values}. */
  values(leaves: LeafFolds): Value {
    return this.#folded(this.#values, variablesOf(leaves));
  }

  /** See {@link LeafGraph.doubles}. */
  doubles(x: Value): Value {
    return this.#type === "float64" ? x : double(this.graph, x);
  }

  /** See {@link LeafGraph.whole}. */
  whole(x: Value): Value {
    return this.#type === "int64" ? x : this.graph.op("Cast", [x], { to: ELEMENT_TYPES.int64 });
  }

  /** See {@link LeafGraph.observed}. */
  observed(leaves: LeafFolds, x: Value, whole: boolean): Value {
    const { graph } = this;
    const marks = [
      ...(whole ? [graph.op("Equal", [x, this.#number(-1)])] : []),
      ...(this.#type.startsWith("int") ? [] : [graph.op("IsNaN", [x])]),
    ];
    const given = graph.op("Not", [marks.reduce((a, b) => graph.op("Or", [a, b]))]);
    return this.#observed === undefined
      ? given
      : graph.op("And", [given, this.#folded(this.#observed, variablesOf(leaves))]);
  }

  /** See {@link LeafGraph.areWhole}. */
  areWhole(x: Value, end: number): Value {
    const { graph } = this;
    const inside = graph.op("And", [
      graph.op("GreaterOrEqual", [x, this.#number(0)]),
      graph.op("Less", [x, this.#number(end)]),
    ]);
    if (this.#type.startsWith("int")) return inside;
    return graph.op("And", [inside, graph.op("Equal", [x, graph.op("Floor", [x])])]);
  }

  /** See {@link LeafGraph.leaf}. */
  leaf(leaves: LeafFolds, fold: number): { leaf: Leaf; node: number; first: number } {
    const node = this.#node(leaves, fold);
    return {
      leaf: leafOf(this.#plan.circuit, node),
      node: node.id,
      first: leaves.group.firstUnits[leaves.from + fold] as number,
    };
  }

  /**
   * See {@link LeafGraph.states}. The table has a row for each state of each distinct parameter, and one for missing
   * values.
   */
  states(leaves: LeafFolds, observed: Value, states: () => Value, valid: () => Value): Value {
    const { graph } = this, { group, folds } = leaves, { units } = group;
    const count = group.states, family = leafFamily(group.family);
    const probabilities = family.rows === true && family.stateScale === undefined;
    const slotOf = new Map<string, number>();
    const makers: (() => Float64Array | Float32Array)[] = [];
    const slots = Array.from({ length: folds }, (_, fold) => {
      const { leaf, first } = this.leaf(leaves, fold), { parameter, settings } = this.#node(leaves, fold);
      return getOrMake(
        slotOf,
        `${parameter ?? JSON.stringify(settings)} ${first}`,
        () => makers.push(() => rowsOf(group.family, leaf, count, first, units)) - 1,
      );
    });
    const name = `${group.index} ${[...slotOf.keys()].join()}`;
    const table = getOrMake(this.#tables, name, () => {
      const rows = new (probabilities ? Float32Array : Float64Array)((makers.length * count + 1) * units);
      if (probabilities) rows.fill(1, makers.length * count * units);
      makers.forEach((make, slot) => rows.set(make(), slot * count * units));
      return graph.constant(rows, [makers.length * count + 1, units]);
    });
    const offsets = BigInt64Array.from(slots, (slot) => BigInt(slot * count));
    const own = states();
    const row = (at: number) => graph.constant(BigInt64Array.of(BigInt(at)), []);
    const index = graph.op("Where", [
      observed,
      graph.op("Where", [
        valid(),
        graph.op("Add", [own, graph.constant(offsets, [folds, 1])]),
        row(NOWHERE),
      ]),
      row(makers.length * count),
    ]);
    const rows = graph.op("Gather", [table, index], { axis: 0 });
    return probabilities ? graph.op("Log", [double(graph, rows)]) : rows;
  }

  /** See {@link LeafGraph.orNothing}. */
  orNothing(observed: Value, logs: Value): Value {
    const { graph } = this;
    return graph.op("Where", [
      graph.op("Unsqueeze", [observed, graph.integers(2)]),
      logs,
      graph.constant(Float64Array.of(0), []),
    ]);
  }

  /** See {@link LeafGraph.given}. */
  given(leaves: LeafFolds): Value {
    const { graph } = this, variables = variablesOf(leaves);
    const { group, from } = leaves;
    const parts = variables.map((v, fold) => {
      const logs = getOrMake(this.#externals, v, () =>
        double(
          graph,
          graph.input(
            `logs_${v}`,
            "float32",
            ["samples", this.#node(leaves, fold).units],
            `log-likelihoods of variable ${v}, ${this.#plan.circuit.variables[v]?.name}`,
          ),
        ));
      const first = group.firstUnits[from + fold] as number;
      const columns = graph.op("Slice", [
        logs,
        graph.integers(first),
        graph.integers(first + group.units),
        graph.integers(1),
      ]);
      return graph.op("Unsqueeze", [columns, graph.integers(0)]);
    });
    const rows = parts.length === 1 ? parts[0] as Value : graph.op("Concat", parts, { axis: 0 });
    const observed = this.observed(leaves, this.values(leaves), true);
    const seen = graph.op("Unsqueeze", [observed, graph.integers(2)]);
    return graph.op("Where", [seen, rows, graph.constant(Float64Array.of(0), [])]);
  }

  /** A constant of the element type of `values`. */
  #number(x: number): Value {
    const of = {
      int32: () => Int32Array.of(x),
      int64: () => BigInt64Array.of(BigInt(x)),
      float32: () => Float32Array.of(x),
      float64: () => Float64Array.of(x),
    };
    return getOrMake(this.#tables, `number ${x}`, () => this.graph.constant(of[this.#type](), []));
  }

  /** Columns of `[samples, variables]` as `[folds, samples]`. */
  #folded(value: Value, variables: readonly number[]): Value {
    const columns = this.graph.op("Gather", [value, this.graph.integers(...variables)], { axis: 1 });
    return this.graph.op("Transpose", [columns], { perm: [1, 0] });
  }

  #node({ group, from }: LeafFolds, fold: number): InputNode {
    const blocks = group.folds / group.nodes.length;
    const id = group.nodes[Math.floor((from + fold) / blocks)] as number;
    return this.#plan.circuit.nodes[id] as InputNode;
  }
}

function variablesOf({ group, from, folds }: LeafFolds): number[] {
  return [...group.variables.subarray(from, from + folds)];
}

/** Rows `[states, units]` of a leaf's units from `first` on: probabilities if it has them, otherwise logarithms. */
function rowsOf(
  name: string,
  leaf: Leaf,
  states: number,
  first: number,
  units: number,
): Float64Array | Float32Array {
  const family = leafFamily(name);
  if (family.rows && family.stateScale === undefined) {
    const rows = leaf.values.subarray(first * states, (first + units) * states);
    return transposeInto(rows, 0, states, units, states, new Float32Array(states * units), 0, units);
  }
  return Float64Array.from({ length: states * units }, (_, i) => {
    const unit = first + i % units, state = Math.floor(i / units);
    return family.rows
      ? Math.log(leaf.values[unit * states + state] as number) + (family.stateScale?.(leaf, state) ?? 0)
      : family.logProbability(leaf, unit, state);
  });
}
