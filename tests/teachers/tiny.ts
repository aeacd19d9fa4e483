import { OnnxGraph } from "../../kernels/onnx/graph.ts";
import type { TeacherFiles } from "../../teachers/config.ts";

/** A WordPiece tokenizer of a few words, with `[CLS]` before and `[SEP]` after a text. */
export const tinyTokenizer: string = JSON.stringify({
  version: "1.0",
  truncation: { max_length: 2, strategy: "LongestFirst", stride: 0 },
  padding: null,
  added_tokens: ["[PAD]", "[CLS]", "[SEP]", "[UNK]"].map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [
      { SpecialToken: { id: "[CLS]", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "[SEP]", type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      "[CLS]": { id: "[CLS]", ids: [1], tokens: ["[CLS]"] },
      "[SEP]": { id: "[SEP]", ids: [2], tokens: ["[SEP]"] },
    },
  },
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: {
      "[PAD]": 0,
      "[CLS]": 1,
      "[SEP]": 2,
      "[UNK]": 3,
      "un": 4,
      "##seen": 5,
      "##able": 6,
      "cats": 7,
      "-": 8,
      "it": 9,
    },
  },
});

/** Units of a corpus over it. */
export const tinyVocabulary = {
  kind: "words",
  words: ["<unk>", "<eos>", "Cats", "unseen", "@-@", "unable", "it", "dogs"],
  unknown: 0,
  end: 1,
} as const;

/**
 * A graph of two numbers a piece: its id, and the mean of the ids of all pieces that are there (`encoder`) or of it and
 * those before it (`causal`): so the vector of a piece tells what it saw.
 */
export function tinyModel(kind: "encoder" | "causal"): Uint8Array<ArrayBuffer> {
  const graph = new OnnxGraph();
  const ids = graph.input("input_ids", "int64", ["batch", "tokens"]);
  const mask = graph.input("attention_mask", "int64", ["batch", "tokens"]);
  const own = graph.op("Cast", [ids], { to: 1 });
  const there = graph.op("Cast", [mask], { to: 1 });
  const seen = graph.op("Mul", [own, there]);
  const last = graph.constant(BigInt64Array.of(1n), []);
  const [sum, count] = kind === "causal"
    ? [graph.op("CumSum", [seen, last]), graph.op("CumSum", [there, last])]
    : [seen, there].map((value) =>
      graph.op("Add", [
        graph.op("ReduceSum", [value, graph.integers(1)], { keepdims: 1 }),
        graph.op("Mul", [own, graph.constant(0)]), // As many columns as there are pieces.
      ])
    );
  const columns = [own, graph.op("Div", [sum!, count!])].map((value) =>
    graph.op("Unsqueeze", [value, graph.integers(2)])
  );
  graph.output("last_hidden_state", graph.op("Concat", columns, { axis: 2 }), "float32", [
    "batch",
    "tokens",
    2,
  ]);
  graph.output("first", graph.op("Concat", [columns[0]!, columns[0]!], { axis: 2 }), "float32", [
    "batch",
    "tokens",
    2,
  ]);
  return new Uint8Array(graph.model());
}

/** A teacher of that graph. */
export function tinyTeacher(kind: "encoder" | "causal", longest = 100): TeacherFiles {
  return {
    config: {
      name: `tiny ${kind}`,
      width: 2,
      longest,
      causal: kind === "causal",
      inputs: { ids: "input_ids", mask: "attention_mask", past: [] },
      output: "last_hidden_state",
      before: [1],
      after: [2],
      unknown: [3],
      end: [2],
      padding: 0,
    },
    model: tinyModel(kind),
    tokenizer: tinyTokenizer,
  };
}
