import {
  type Circuit,
  CircuitError,
  describeVariable,
  type InputNode,
  leafFamily,
  leafOf,
  parameterOf,
} from "../../circuits/mod.ts";
import { takeOperand } from "../cpu/forward.ts";
import { isInput, isProduct, isSum, type Segment, segmentsOf } from "../cpu/segments.ts";
import { transposeInto } from "../transpose.ts";
import { joinRows } from "../cpu/turn.ts";
import { matricesOf } from "../cpu/weights.ts";
import { type InputGroup, type Plan, planOf, type SumGroup } from "../plan.ts";
import { ELEMENT_TYPES, OnnxGraph, type Value } from "./graph.ts";

/** The largest message of a protocol buffer. */
const LARGEST = 2 ** 31 - 1;
/** Stands for the logarithm of zero where a difference of two must not be NaN. */
const LOWEST = -1e300;
/** A row that no table has: what looks it up is refused by the runtime. */
const NOWHERE = 2 ** 48;

/** What {@link exportOnnx} may be told. */
export interface ExportOptions {
  /**
   * Element type of `values`: int64 when left out, or float64 if a variable is real, for float32 cannot tell all real values
   * apart.
   */
  readonly type?: "int32" | "int64" | "float32" | "float64";
  /** Whether there is an input `observed`; values that are missing can be told without it. */
  readonly observed?: boolean;
}

/**
 * A circuit as an `.onnx` file that any ONNX runtime with the standard operators runs: log-likelihoods in nats.
 * Probabilities are stored as float32, real numbers as float64; computation is in float64 in the log domain.
 *
 * | input | shape | |
 * |---|---|---|
 * | `values` | `[samples, variables]` | states and real values, of the type asked for. Missing: -1 for states, NaN for all |
 * | `observed` | `[samples, variables]` | bool, where asked for: false where a value is missing, whatever it is |
 * | `logs_<v>` | `[samples, units]` | float32, for every external variable `v`: its log-likelihoods |
 *
 * The output `log_likelihoods` is `[samples, units of the root]`, float64; -Infinity for impossible samples. The runtime
 * refuses what is neither a state nor missing ("out of data bounds").
 * @throws {CircuitError} when the parameters do not fit in one file of 2 GiB, or the type holds no real values
 */
export function exportOnnx(circuit: Circuit, options: ExportOptions = {}): Uint8Array {
  const bytes = [...circuit.parameters.values()].reduce((total, { values }) => total + values.byteLength, 0);
  if (bytes > LARGEST - 2 ** 24) {
    throw new CircuitError(`The parameters take ${bytes} bytes; an .onnx file holds less than ${LARGEST}.`);
  }
  const plan = planOf(circuit), { segments } = segmentsOf(plan);
  const graph = new OnnxGraph();
  const leaves = new LeafExport(graph, plan, options);
  const weights = new Map<string, Value>();
  const rows: Value[] = [];
  for (const segment of segments) {
    if (isInput(segment)) rows.push(leaves.emit(segment));
    else {
      const operands = segment.operands.map((operand) =>
        joinRows(
          graph,
          takeOperand(graph, segments, operand, (i) => rows[i] as Value, true),
          segment.folds,
          operand.pieces,
          operand.units,
        )
      );
      if (isProduct(segment)) rows.push(operands.reduce((a, b) => graph.op("Add", [a, b])));
      else if (isSum(segment)) {
        const x = operands.length === 1 ? operands[0] as Value : graph.op("Concat", operands, { axis: 2 });
        rows.push(emitSum(graph, plan, segment, x, weights));
      }
    }
  }
  // [blocks, samples, units] to one row for each sample.
  const { folds, group } = segments.at(-1) as Segment;
  const turned = graph.op("Transpose", [rows.at(-1)], { perm: [1, 0, 2] });
  const root = graph.op("Reshape", [turned, graph.integers(-1, folds * group.units)]);
  graph.output("log_likelihoods", root, "float64", ["samples", folds * group.units], "natural logarithms");
  return graph.model("Log-likelihoods of a probabilistic circuit; what is not observed is summed out.");
}

function double(graph: OnnxGraph, value: Value): Value {
  return graph.op("Cast", [value], { to: ELEMENT_TYPES.float64 });
}

function emitSum(
  graph: OnnxGraph,
  plan: Plan,
  segment: Segment<SumGroup>,
  x: Value,
  weights: Map<string, Value>,
): Value {
  const run = matricesOf(segment);
  const w = weights.getOrInsertComputed(run.name, () => double(graph, matrixConstant(graph, plan, segment)));
  const lowest = graph.constant(Float64Array.of(LOWEST), []);
  const most = graph.op("Max", [graph.op("ReduceMax", [x, graph.integers(2)], { keepdims: 1 }), lowest]);
  const linear = graph.op("Exp", [graph.op("Sub", [x, most])]);
  const single = run.slots === 1;
  const stacked = single || run.slots === segment.folds
    ? linear
    : graph.op("Reshape", [linear, graph.integers(run.slots, -1, run.inputs)]);
  const product = graph.op("MatMul", [stacked, w]);
  const y = stacked === linear
    ? product
    : graph.op("Reshape", [product, graph.integers(segment.folds, -1, run.units)]);
  return graph.op("Add", [graph.op("Log", [y]), most]);
}

/** Matrices transposed, `[slots, inputs, units]` or, for one, `[inputs, units]`. */
function matrixConstant(graph: OnnxGraph, plan: Plan, segment: Segment<SumGroup>): Value {
  const { table, slot, slots, units, inputs } = matricesOf(segment);
  const size = units * inputs;
  const values = new Float32Array(slots * size);
  for (const { id, slot: first } of plan.weightTables[table]?.parameters ?? []) {
    const matrices = parameterOf(plan.circuit, id).values;
    for (let i = 0; i * size < matrices.length; i++) {
      const at = first + i - slot;
      if (at < 0 || at >= slots) continue;
      transposeInto(matrices, i * size, inputs, units, inputs, values, at * size, units);
    }
  }
  return graph.constant(values, slots === 1 ? [inputs, units] : [slots, inputs, units]);
}

/** Emits leaves as logarithms `[folds, samples, units]`. */
class LeafExport {
  readonly #graph: OnnxGraph;
  readonly #plan: Plan;
  readonly #values: Value;
  readonly #observed: Value | undefined;
  readonly #type: "int32" | "int64" | "float32" | "float64";
  readonly #tables = new Map<string, Value>();
  readonly #externals = new Map<number, Value>();

  constructor(graph: OnnxGraph, plan: Plan, { type, observed = false }: ExportOptions) {
    this.#graph = graph;
    this.#plan = plan;
    const { variables } = plan.circuit;
    const real = variables.findIndex((variable) => variable.kind === "real");
    this.#type = type ?? (real < 0 ? "int64" : "float64");
    if (!["int32", "int64", "float32", "float64"].includes(this.#type)) {
      throw new CircuitError(`There is no type \`${type}\` of values.`, {
        hint: "The types are int32, int64, float32 and float64.",
      });
    }
    if (real >= 0 && this.#type.startsWith("int")) {
      throw new CircuitError(
        `${describeVariable(plan.circuit, real)} is real: ${this.#type} does not hold it.`,
        {
          hint: "Take float64.",
        },
      );
    }
    this.#values = graph.input(
      "values",
      this.#type,
      ["samples", variables.length],
      "a row for each sample, a column for each variable",
    );
    if (observed) this.#observed = graph.input("observed", "bool", ["samples", variables.length]);
  }

  emit(segment: Segment<InputGroup>): Value {
    const { group, from, folds } = segment;
    const variables = [...group.variables.subarray(from, from + folds)];
    if (group.family === "external") return this.#external(segment, variables);
    const x = this.#folded(this.#values, variables);
    const observed = this.#observedOf(variables, x, group.family === "gaussian");
    if (group.states === 0) return this.#gaussian(segment, x, observed);
    return this.#tokens(segment, x, observed);
  }

  /** Which values `x` of columns are there, `[folds, samples]`. */
  #observedOf(variables: readonly number[], x: Value, real: boolean): Value {
    const graph = this.#graph;
    const marks = [
      ...(real ? [] : [graph.op("Equal", [x, this.#number(-1)])]),
      ...(this.#type.startsWith("int") ? [] : [graph.op("IsNaN", [x])]),
    ];
    const given = graph.op("Not", [marks.reduce((a, b) => graph.op("Or", [a, b]))]);
    return this.#observed === undefined
      ? given
      : graph.op("And", [given, this.#folded(this.#observed, variables)]);
  }

  /** A number of the type of values. */
  #number(x: number): Value {
    const of = {
      int32: () => Int32Array.of(x),
      int64: () => BigInt64Array.of(BigInt(x)),
      float32: () => Float32Array.of(x),
      float64: () => Float64Array.of(x),
    };
    return this.#tables.getOrInsertComputed(`number ${x}`, () => this.#graph.constant(of[this.#type](), []));
  }

  /** Whether values `x` are states, `[folds, samples]`. */
  #areStates(x: Value, states: number): Value {
    const graph = this.#graph;
    const inside = graph.op("And", [
      graph.op("GreaterOrEqual", [x, this.#number(0)]),
      graph.op("Less", [x, this.#number(states)]),
    ]);
    if (this.#type.startsWith("int")) return inside;
    return graph.op("And", [inside, graph.op("Equal", [x, graph.op("Floor", [x])])]);
  }

  /** Columns of `[samples, variables]` as `[folds, samples]`. */
  #folded(value: Value, variables: readonly number[]): Value {
    const columns = this.#graph.op("Gather", [value, this.#graph.integers(...variables)], { axis: 1 });
    return this.#graph.op("Transpose", [columns], { perm: [1, 0] });
  }

  #node(segment: Segment<InputGroup>, fold: number): InputNode {
    const { group, from } = segment;
    const blocks = group.folds / group.nodes.length;
    const id = group.nodes[Math.floor((from + fold) / blocks)] as number;
    return this.#plan.circuit.nodes[id] as InputNode;
  }

  /** A row of the table for every state of every distinct parameter, and one for what was not observed. */
  #tokens(segment: Segment<InputGroup>, x: Value, observed: Value): Value {
    const graph = this.#graph, { group, folds } = segment;
    const states = group.states, units = group.units;
    const slotOf = new Map<string, number>();
    const makers: (() => Float64Array | Float32Array)[] = [];
    const slots = Array.from({ length: folds }, (_, fold) => {
      const node = this.#node(segment, fold);
      const first = group.firstUnits[segment.from + fold] as number;
      return slotOf.getOrInsertComputed(
        `${node.parameter ?? JSON.stringify(node.settings)} ${first}`,
        () => makers.push(() => rowsOf(this.#plan.circuit, node, first, units)) - 1,
      );
    });
    const name = `${group.index} ${[...slotOf.keys()].join()}`;
    const table = this.#tables.getOrInsertComputed(name, () => {
      const probabilities = leafFamily(group.family).rows;
      const rows = new (probabilities ? Float32Array : Float64Array)((makers.length * states + 1) * units);
      if (probabilities) rows.fill(1, makers.length * states * units);
      makers.forEach((make, slot) => rows.set(make(), slot * states * units));
      return graph.constant(rows, [makers.length * states + 1, units]);
    });
    const offsets = BigInt64Array.from(slots, (slot) => BigInt(slot * states));
    const states64 = this.#type === "int64" ? x : graph.op("Cast", [x], { to: ELEMENT_TYPES.int64 });
    const row = (at: number) => graph.constant(BigInt64Array.of(BigInt(at)), []);
    const index = graph.op("Where", [
      observed,
      graph.op("Where", [
        this.#areStates(x, states),
        graph.op("Add", [states64, graph.constant(offsets, [folds, 1])]),
        row(NOWHERE),
      ]),
      row(makers.length * states),
    ]);
    const rows = graph.op("Gather", [table, index], { axis: 0 });
    return leafFamily(group.family).rows ? graph.op("Log", [double(graph, rows)]) : rows;
  }

  #gaussian(segment: Segment<InputGroup>, x: Value, observed: Value): Value {
    const graph = this.#graph, { group, folds } = segment, { units } = group;
    const means = new Float64Array(folds * units), inverses = means.slice(), constants = means.slice();
    for (let fold = 0; fold < folds; fold++) {
      const { values } = leafOf(this.#plan.circuit, this.#node(segment, fold));
      const first = group.firstUnits[segment.from + fold] as number;
      for (let u = 0; u < units; u++) {
        const at = fold * units + u;
        const stddev = values[(first + u) * 2 + 1] as number;
        means[at] = values[(first + u) * 2] as number;
        inverses[at] = 1 / stddev;
        constants[at] = Math.log(stddev) + 0.5 * Math.log(2 * Math.PI);
      }
    }
    const shape = [folds, 1, units], last = graph.integers(2);
    const value = graph.op("Unsqueeze", [this.#type === "float64" ? x : double(graph, x), last]);
    const z = graph.op("Mul", [
      graph.op("Sub", [value, graph.constant(means, shape)]),
      graph.constant(inverses, shape),
    ]);
    const square = graph.op("Mul", [graph.op("Mul", [z, z]), graph.constant(Float64Array.of(-0.5), [])]);
    const log = graph.op("Sub", [square, graph.constant(constants, shape)]);
    return graph.op("Where", [
      graph.op("Unsqueeze", [observed, last]),
      log,
      graph.constant(Float64Array.of(0), []),
    ]);
  }

  #external(segment: Segment<InputGroup>, variables: readonly number[]): Value {
    const graph = this.#graph, { group, from } = segment;
    const parts = variables.map((v, fold) => {
      const logs = this.#externals.getOrInsertComputed(v, () =>
        double(
          graph,
          graph.input(
            `logs_${v}`,
            "float32",
            ["samples", this.#node(segment, fold).units],
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
    const observed = this.#observedOf(variables, this.#folded(this.#values, variables), false);
    const seen = graph.op("Unsqueeze", [observed, graph.integers(2)]);
    return graph.op("Where", [seen, rows, graph.constant(Float64Array.of(0), [])]);
  }
}

/** Rows `[states, units]` of a leaf's units from `first` on: probabilities where it has them, else logs. */
function rowsOf(
  circuit: Circuit,
  node: InputNode,
  first: number,
  units: number,
): Float64Array | Float32Array {
  const leaf = leafOf(circuit, node), family = leafFamily(node.family);
  const variable = circuit.variables[node.variable];
  const states = variable?.kind === "categorical" ? variable.states : 0;
  if (family.rows) {
    const rows = leaf.values.subarray(first * states, (first + units) * states);
    return transposeInto(rows, 0, states, units, states, new Float32Array(states * units), 0, units);
  }
  return Float64Array.from(
    { length: states * units },
    (_, i) => family.logProbability(leaf, first + i % units, Math.floor(i / units)),
  );
}
