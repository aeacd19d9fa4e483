import { RandomStream } from "../../circuits/random.ts";
import { OnnxGraph } from "../../kernels/onnx/graph.ts";
import type { TeacherFiles } from "../../teachers/config.ts";
import { describeTeacher } from "../../teachers/describe.ts";
import { tinyTokenizer } from "./tiny.ts";

/** Pieces of the tiny tokenizer, and the logits that a graph gives: two more, as exporters do. */
export const PIECES = 10, LOGITS = 12;

const random = new RandomStream(5);
/** Logits of what follows each piece, `[PIECES, LOGITS]`. */
export const table: Float32Array = Float32Array.from(
  { length: PIECES * LOGITS },
  () => 1.5 * random.normal(),
);
/** How the logits change with the sum of all pieces so far. */
const slope = Float32Array.from({ length: LOGITS }, () => 0.05 * random.normal());

/** A language model with the logits `table[piece] + slope * sum of pieces so far`; the sum comes from a cache or not. */
export async function languageModel(cached: boolean, sum = true): Promise<TeacherFiles> {
  const graph = new OnnxGraph();
  const ids = graph.input("input_ids", "int64", ["batch", "tokens"]);
  const mask = graph.input("attention_mask", "int64", ["batch", "all"]);
  const own = graph.op("Unsqueeze", [graph.op("Cast", [ids], { to: 1 }), graph.integers(1, 3)]);
  const all = cached
    ? graph.op("Concat", [graph.input("past_key_values.0.key", "float32", ["batch", 1, "past", 1]), own], {
      axis: 2,
    })
    : own;
  const sums = graph.op("CumSum", [all, graph.constant(BigInt64Array.of(2n), [])]);
  // The last ones: as many as there are pieces in this call.
  const count = graph.op("Slice", [graph.op("Shape", [ids]), graph.integers(1), graph.integers(2)]);
  const last = graph.op("Slice", [
    sums,
    graph.op("Neg", [count]),
    graph.integers(1_000_000),
    graph.integers(2),
  ]);
  // The mask reaches over the cache, so its sum is a size that the graph checks by adding nothing.
  const masked = graph.op("Mul", [graph.op("Cast", [mask], { to: 1 }), graph.constant(0)]);
  const nothing = graph.op("ReduceSum", [masked, graph.integers(1)], { keepdims: 1 });
  const added = graph.op("Mul", [
    graph.op("Squeeze", [last, graph.integers(1)]),
    graph.constant(slope.map((x) => sum ? x : 0), [LOGITS]),
  ]);
  const rows = graph.op("Gather", [graph.constant(table, [PIECES, LOGITS]), ids]);
  const logits = graph.op("Add", [
    graph.op("Add", [rows, added]),
    graph.op("Unsqueeze", [nothing, graph.integers(2)]),
  ]);
  graph.output("logits", logits, "float32", ["batch", "tokens", LOGITS]);
  if (cached) graph.output("present.0.key", all, "float32", ["batch", 1, "whole", 1]);
  const model = new Uint8Array(graph.model());
  const config = await describeTeacher(model, tinyTokenizer, { name: "tiny", causal: true, longest: 16 });
  return { config, model, tokenizer: tinyTokenizer };
}
