/**
 * A causal language model: a transformer that predicts each token from those before it (Radford et al., "Language Models
 * are Unsupervised Multitask Learners", 2019), with the table of tokens for input and output.
 */
import {
  add,
  constant,
  crossEntropy,
  gatherRows,
  input,
  matmul,
  mean,
  Program,
  reshape,
  type SymbolicTensor,
  TrainingStep,
} from "../kernels/autodiff/mod.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { RetortError } from "../foundation/errors.ts";
import { OnnxGraph, type Value } from "../kernels/onnx/graph.ts";
import type { TeacherConfig, TeacherFiles } from "./config.ts";
import {
  checkSizes,
  encode,
  encoderPlans,
  NORMAL,
  type ParameterPlans,
  parameterTensors,
  type TransformerSizes,
} from "./transformer.ts";
import { ENCODER, encoderGraph } from "./transformer_graph.ts";

/** Sizes of a causal language model. */
export interface CausalLmSizes extends TransformerSizes {
  /** Vocabulary size. */
  readonly tokens: number;
  /** Most tokens that the model reads at a time. */
  readonly length: number;
}

const TABLE = "token/table", BIAS = "token/bias", POSITIONS = "position/table";

/** Parameters of a causal language model. @throws {RetortError} naming a size that makes no sense */
export function causalLmPlans(sizes: CausalLmSizes): ParameterPlans {
  checkSizes(sizes);
  const { width, tokens, length } = sizes;
  for (const [name, n, least] of [["tokens", tokens, 2], ["length", length, 2]] as const) {
    if (Number.isInteger(n) && n >= least) continue;
    throw new RetortError(
      "teacher/options",
      `\`${name}\` of a causal language model is ${n}, expected a whole number from ${least}`,
    );
  }
  return {
    [TABLE]: { shape: [tokens, width], start: NORMAL },
    [BIAS]: { shape: [tokens], start: 0 },
    [POSITIONS]: { shape: [length, width], start: NORMAL },
    ...encoderPlans(sizes, ENCODER),
  };
}

/** `[length, length]`: very negative where a position would look at a later one. */
function causalMask(length: number): Float32Array {
  return Float32Array.from(
    { length: length * length },
    (_, i) => i % length > Math.floor(i / length) ? -1e9 : 0,
  );
}

/**
 * Mean cross-entropy of the next tokens, in nats. Besides the parameters it takes `ids` and `targets`, both int64
 * `[batch * length]`.
 */
function lossOf(sizes: CausalLmSizes, batch: number): SymbolicTensor {
  const { width, length } = sizes;
  const parameters = parameterTensors(causalLmPlans(sizes));
  const table = parameters[TABLE]!;
  const rows = gatherRows(table, input("ids", [batch * length], "int64"));
  const stream = add(reshape(rows, [batch, length, width]), parameters[POSITIONS]!);
  const { out } = encode(
    stream,
    sizes,
    parameters,
    ENCODER,
    constant(causalMask(length), [1, 1, length, length]),
  );
  const logits = add(
    matmul(reshape(out, [batch * length, width]), table, { transB: true }),
    parameters[BIAS]!,
  );
  return mean(crossEntropy(logits, input("targets", [batch * length], "int64")));
}

/** A training step. */
export function causalLmStep(sizes: CausalLmSizes, batch: number): Promise<TrainingStep> {
  return TrainingStep.compile(lossOf(sizes, batch));
}

/** The loss without gradients. */
export function causalLmLoss(sizes: CausalLmSizes, batch: number): Promise<Program> {
  return Program.compile({ loss: lossOf(sizes, batch) });
}

/** Which way a language model reads: `backward`, from what follows, it predicts what precedes. */
export type Direction = "forward" | "backward";

/**
 * A causal language model as a teacher whose pieces are the tokens of its corpus: outputs `logits` of the next token and
 * `vectors`, the states from which they are predicted. The end token precedes every text and ends it.
 *
 * @param direction in which its texts went through it; what reads backward has no logits to draw texts by
 * @throws {RetortError} when the vocabulary has no end token
 */
export function causalLmTeacher(
  sizes: CausalLmSizes,
  weights: ReadonlyMap<string, Float32Array>,
  name: string,
  vocabulary: Vocabulary,
  direction: Direction = "forward",
): TeacherFiles {
  const { width, tokens, length } = sizes;
  const { end, unknown } = vocabulary;
  if (end === null) {
    throw new RetortError(
      "text/no-end-token",
      "a language model needs an end token, which begins and ends texts",
      {
        hint: 'Set `ends` of the tokenizer to something else than "nothing".',
      },
    );
  }
  const graph = new OnnxGraph();
  const ids = graph.input("input_ids", "int64", ["batch", "tokens"]);
  const there = graph.input("attention_mask", "int64", ["batch", "all"]);
  const weight = (name: string, shape: readonly number[]) => graph.constant(weights.get(name)!, shape);
  const table = weight(TABLE, [tokens, width]);
  const { heads } = sizes, size = width / heads;
  const past: TeacherConfig["inputs"]["past"] = [];
  const first = graph.input("past_key_values.0.key", "float32", ["batch", heads, "past", size]);
  const sizeOf = (value: Value, axis: number) =>
    graph.op("Slice", [graph.op("Shape", [value]), graph.integers(axis), graph.integers(axis + 1)]);
  const from = sizeOf(first, 2), to = graph.op("Add", [from, sizeOf(ids, 1)]);
  const zero = graph.integers(0);
  const positions = graph.op("Slice", [weight(POSITIONS, [length, width]), from, to, zero]);
  const stream = graph.op("Add", [graph.op("Gather", [table, ids]), positions]);
  // Rows are the pieces of this call, columns all pieces.
  const square = graph.op("Slice", [
    graph.constant(causalMask(length), [length, length]),
    graph.op("Concat", [from, zero], { axis: 0 }),
    graph.op("Concat", [to, to], { axis: 0 }),
    graph.integers(0, 1),
  ]);
  const absent = graph.op("Sub", [graph.constant(1), graph.op("Cast", [there], { to: 1 })]);
  const hidden = graph.op("Mul", [
    graph.op("Unsqueeze", [absent, graph.integers(1, 2)]),
    graph.constant(-1e9),
  ]);
  const out = encoderGraph(graph, stream, graph.op("Add", [square, hidden]), sizes, weight, {
    caches(layer, kind, own) {
      const name = `past_key_values.${layer}.${kind}`, present = `present.${layer}.${kind}`;
      const before = layer === 0 && kind === "key"
        ? first
        : graph.input(name, "float32", ["batch", heads, "past", size]);
      const all = graph.op("Concat", [before, own], { axis: 2 });
      graph.output(present, all, "float32", ["batch", heads, "all", size]);
      past.push({ name, heads, size, present });
      return all;
    },
  });
  const turned = graph.op("Transpose", [table], { perm: [1, 0] });
  const logits = graph.op("Add", [graph.op("MatMul", [out, turned]), weight(BIAS, [tokens])]);
  graph.output("logits", logits, "float32", ["batch", "tokens", tokens]);
  graph.output("vectors", out, "float32", ["batch", "tokens", width]);
  return {
    model: new Uint8Array(graph.model(name)),
    vocabulary,
    config: {
      name,
      width,
      longest: length,
      causal: true,
      inputs: { ids, mask: there, past },
      output: "vectors",
      ...(direction === "backward" ? { backward: true } : { logits: "logits" }),
      start: [end],
      ends: [end],
      before: [end],
      after: [],
      unknown: [unknown ?? end],
      end: [end],
      padding: end,
    },
  };
}
