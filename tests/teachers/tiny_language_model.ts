import { RandomStream } from "../../circuits/random.ts";
import { OnnxGraph } from "../../kernels/onnx/graph.ts";
import type { TeacherFiles } from "../../teachers/config.ts";
import { describeTeacher } from "../../teachers/describe.ts";
import { tinyTokenizer } from "./tiny.ts";

/** Pieces of the tiny tokenizer, and the logits that a graph gives: two more, as exporters do. */
export const PIECES = 10, LOGITS = 12;

const random = new RandomStream(5);
/** Logits of what follows each piece, `[PIECES, LOGITS]`. */
export const logitTable: Float32Array = Float32Array.from(
  { length: PIECES * LOGITS },
  () => 1.5 * random.normal(),
);
/** How the logits change with the sum of all pieces so far. */
const slope = Float32Array.from({ length: LOGITS }, () => 0.05 * random.normal());

/** How a graph differs from the plain one. */
export interface Variant {
  /** Caches and logits in half precision. */
  readonly half?: boolean;
  /** Logits rounded to half precision, in single: what the half variant should say. */
  readonly rounded?: boolean;
  /** Names of ids, logits, cache in and cache out. */
  readonly names?: readonly [string, string, string, string];
  /** Ids and mask in 32 bits. */
  readonly int32?: boolean;
  /** The bool of merged decoders; a graph that is told wrongly says piece 0 for ever. */
  readonly merged?: boolean;
  /** An input for the number of logits to keep; the graph fails unless it is 0. */
  readonly keep?: boolean;
}

/** What describes the graph where its names do not. */
export type Described = Partial<Parameters<typeof describeTeacher>[2]>;

/** A language model with the logits `logitTable[piece] + slope * sum of pieces so far`; the sum comes from a cache or not. */
export async function languageModel(
  cached: boolean,
  sum = true,
  variant: Variant = {},
  described: Described = {},
): Promise<TeacherFiles> {
  const { names = ["input_ids", "logits", "past_key_values.0.key", "present.0.key"], half = false } = variant;
  const [idsName, logitsName, pastName, presentName] = names;
  const integers = variant.int32 === true ? "int32" : "int64", floats = half ? "float16" : "float32";
  const graph = new OnnxGraph();
  const single = (value: string) => graph.op("Cast", [value], { to: 1 });
  const ids = graph.input(idsName, integers, ["batch", "tokens"]);
  const mask = graph.input("attention_mask", integers, ["batch", "all"]);
  const own = graph.op("Unsqueeze", [single(ids), graph.integers(1, 3)]);
  const past = cached ? graph.input(pastName, floats, ["batch", 1, "past", 1]) : undefined;
  const all = past === undefined ? own : graph.op("Concat", [single(past), own], { axis: 2 });
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
  const masked = graph.op("Mul", [single(mask), graph.constant(0)]);
  const nothing = graph.op("ReduceSum", [masked, graph.integers(1)], { keepdims: 1 });
  const added = graph.op("Mul", [
    graph.op("Squeeze", [last, graph.integers(1)]),
    graph.constant(slope.map((x) => sum ? x : 0), [LOGITS]),
  ]);
  const rows = graph.op("Gather", [graph.constant(logitTable, [PIECES, LOGITS]), ids]);
  let logits = graph.op("Add", [
    graph.op("Add", [rows, added]),
    graph.op("Unsqueeze", [nothing, graph.integers(2)]),
  ]);
  if (variant.merged === true) {
    const use = graph.input("use_cache_branch", "bool", [1]);
    const size = graph.op("Slice", [graph.op("Shape", [past!]), graph.integers(2), graph.integers(3)]);
    const wrong = graph.op("Xor", [use, graph.op("Greater", [size, graph.integers(0)])]);
    const first = Float32Array.from({ length: LOGITS }, (_, piece) => piece === 0 ? 1e3 : 0);
    logits = graph.op("Add", [
      logits,
      graph.op("Mul", [graph.op("Cast", [wrong], { to: 1 }), graph.constant(first, [LOGITS])]),
    ]);
  }
  if (variant.keep === true) {
    const kept = graph.input("num_logits_to_keep", "int64", []);
    // A shape of -1 - n is only good for n = 0.
    const shape = graph.op("Sub", [graph.integers(-1), graph.op("Unsqueeze", [kept, graph.integers(0)])]);
    const nil = graph.op("Reshape", [graph.constant(Float32Array.of(0), [1]), shape]);
    logits = graph.op("Add", [logits, nil]);
  }
  if (half || variant.rounded === true) logits = graph.op("Cast", [logits], { to: 10 });
  graph.output(logitsName, half ? logits : single(logits), floats, ["batch", "tokens", LOGITS]);
  if (cached) {
    graph.output(presentName, half ? graph.op("Cast", [all], { to: 10 }) : all, floats, [
      "batch",
      1,
      "whole",
      1,
    ]);
  }
  const model = new Uint8Array(graph.model());
  const config = await describeTeacher(model, tinyTokenizer, {
    name: "tiny",
    causal: true,
    longest: 16,
    ...described,
  });
  return { config, model, tokenizer: tinyTokenizer };
}
