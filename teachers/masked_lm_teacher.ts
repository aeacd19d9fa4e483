import { OnnxGraph, type Value } from "../kernels/onnx/graph.ts";
import type { TeacherFiles } from "./config.ts";
import { type MaskedLmSizes, TOKEN_TABLE } from "./masked_lm.ts";
import { encoderGraph } from "./transformer_graph.ts";

/** Information that {@link maskedLmTeacher} needs besides the weights. */
export interface MaskedLmTeacherOptions {
  /** Display name. */
  readonly name: string;
  /** Id of the unknown token; null if there is none. */
  readonly unknown: number | null;
  /** Id of the end-of-sequence token; null if there is none. */
  readonly end: number | null;
  /** The layer whose vectors are returned, from 1; by default the last one, normalised. */
  readonly layer?: number;
}

/**
 * A masked language model as a teacher whose pieces are the tokens of its corpus. The graph takes any number of windows
 * of any length up to the trained length. A piece attends to both sides or, if `suffixes` is 1, only to itself and what
 * follows.
 */
export function maskedLmTeacher(
  sizes: MaskedLmSizes,
  weights: ReadonlyMap<string, Float32Array>,
  { name, unknown, end, layer }: MaskedLmTeacherOptions,
): TeacherFiles {
  const { width, tokens, length } = sizes;
  const graph = new OnnxGraph();
  const ids = graph.input("input_ids", "int64", ["batch", "tokens"]);
  const there = graph.input("attention_mask", "int64", ["batch", "tokens"]);
  const suffixes = graph.input("suffixes", "float32", [1]);
  const weight = (name: string, shape: readonly number[]) => graph.constant(weights.get(name)!, shape);

  const span = graph.op("Slice", [graph.op("Shape", [ids]), graph.integers(1), graph.integers(2)]);
  const rows = graph.op("Gather", [weight(TOKEN_TABLE, [tokens + 1, width]), ids]);
  const positions = graph.op("Slice", [
    weight("position/table", [length, width]),
    graph.integers(0),
    span,
    graph.integers(0),
  ]);
  const stream = graph.op("Add", [rows, positions]);
  const mask = attentionMask(graph, there, suffixes, span, length);
  const out = encoderGraph(graph, stream, mask, sizes, weight, { layer });
  graph.output("vectors", out, "float32", ["batch", "tokens", width]);
  return {
    model: new Uint8Array(graph.model(name)),
    config: {
      name,
      width,
      longest: length,
      causal: false,
      inputs: { ids, mask: there, suffixes, past: [] },
      output: "vectors",
      before: [],
      after: [],
      unknown: [unknown ?? 0],
      end: [end ?? 0],
      padding: 0,
    },
  };
}

/** `[batch, 1, tokens, tokens]`: -1e9 where a position must not be attended to. */
function attentionMask(
  graph: OnnxGraph,
  there: Value,
  suffixes: Value,
  span: Value,
  length: number,
): Value {
  const absent = graph.op("Sub", [graph.constant(1), graph.op("Cast", [there], { to: 1 })]);
  const before = Float32Array.from(
    { length: length * length },
    (_, i) => i % length < Math.floor(i / length) ? 1 : 0,
  );
  const square = graph.op("Slice", [
    graph.constant(before, [length, length]),
    graph.integers(0, 0),
    graph.op("Concat", [span, span], { axis: 0 }),
    graph.integers(0, 1),
  ]);
  const unseen = graph.op("Add", [
    graph.op("Unsqueeze", [absent, graph.integers(1, 2)]),
    graph.op("Mul", [square, suffixes]),
  ]);
  return graph.op("Mul", [unseen, graph.constant(-1e9)]);
}
