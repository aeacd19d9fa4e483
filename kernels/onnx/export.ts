import { getOrMake } from "../../foundation/newer.ts";
import { type Circuit, CircuitError, parameterOf } from "../../circuits/mod.ts";
import { takeOperand } from "../cpu/forward.ts";
import { isInput, isProduct, isSum, type Segment, segmentsOf } from "../cpu/segments.ts";
import { transposeInto } from "../../circuits/transpose.ts";
import { joinRows } from "../cpu/turn.ts";
import { matricesOf } from "../cpu/weights.ts";
import { type Plan, planOf, type SumGroup } from "../plan.ts";
import { OnnxGraph, type Value } from "./graph.ts";
import { double, type ExportOptions, LeafEmitter } from "./leaf_emitter.ts";
import { requireCircuit } from "../../circuits/guards.ts";

export type { ExportOptions } from "./leaf_emitter.ts";

/** Maximum size of a protocol buffer message. */
const LARGEST = 2 ** 31 - 1;
/** Stands for log 0 where the difference of two must not be NaN. */
const LOWEST = -1e300;

/**
 * Exports a circuit as an `.onnx` file that computes log-likelihoods in nats in any ONNX runtime with the standard
 * operators. Probabilities are stored as float32, real numbers as float64; computation is in float64 in the log domain.
 *
 * | input | shape | |
 * |---|---|---|
 * | `values` | `[samples, variables]` | states and real values, of element type `type`. Missing: -1 for states, NaN for all |
 * | `observed` | `[samples, variables]` | bool, with the option `observed`: false where a value is missing, whatever it holds |
 * | `logs_<v>` | `[samples, units]` | float32, for every external variable `v`: its log-likelihoods |
 * | `weights_<v>` | `[samples, states]` | float32, for every `v` in `soft`: state weights, read instead of a value that is not missing |
 *
 * Weights are at least 0; where they are read, the value may be any state. The output `log_likelihoods` is
 * `[samples, units of the root]`, float64; -Infinity for impossible samples. The runtime fails on values that are neither a state
 * nor missing ("out of data bounds").
 * @throws {CircuitError} when the parameters do not fit in one file of 2 GiB, or the type holds no real values
 */
export function exportOnnx(circuit: Circuit, options: ExportOptions = {}): Uint8Array {
  requireCircuit(circuit);
  const bytes = [...circuit.parameters.values()].reduce((total, { values }) => total + values.byteLength, 0);
  if (bytes > LARGEST - 2 ** 24) {
    throw new CircuitError(
      "onnx/too-large",
      `the parameters take ${bytes} bytes; an .onnx file holds less than ${LARGEST}`,
    );
  }
  const plan = planOf(circuit), { segments } = segmentsOf(plan);
  const graph = new OnnxGraph();
  const leaves = new LeafEmitter(graph, plan, options);
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
  // From [blocks, samples, units] to one row per sample.
  const { folds, group } = segments.at(-1) as Segment;
  const turned = graph.op("Transpose", [rows.at(-1)], { perm: [1, 0, 2] });
  const root = graph.op("Reshape", [turned, graph.integers(-1, folds * group.units)]);
  graph.output("log_likelihoods", root, "float64", ["samples", folds * group.units], "natural logarithms");
  return graph.model("Log-likelihoods of a probabilistic circuit; what is not observed is summed out.");
}

function emitSum(
  graph: OnnxGraph,
  plan: Plan,
  segment: Segment<SumGroup>,
  x: Value,
  weights: Map<string, Value>,
): Value {
  const run = matricesOf(segment);
  const w = getOrMake(weights, run.name, () => double(graph, matrixConstant(graph, plan, segment)));
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
