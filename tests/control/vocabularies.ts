import { pieceTokenizer } from "../../datasets/text/pieces.ts";
import { byteVocabulary, type Vocabulary } from "../../datasets/text/vocabulary.ts";
import { tinyTokenizer } from "../teachers/tiny.ts";

/** Two letters and a blank: texts that can be enumerated. */
export const LETTERS: Vocabulary = {
  kind: "characters",
  words: ["<unk>", "<eos>", "a", "b", " "],
  unknown: 0,
  end: 1,
};

function added(contents: readonly string[], special = true) {
  return contents.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special,
  }));
}

const ids = (pieces: readonly string[]) => Object.fromEntries(pieces.map((piece, id) => [piece, id]));

/** A byte-level tokenizer whose pieces overlap, with halves of "é" and of "€". */
export const byteLevel: string = JSON.stringify({
  added_tokens: added(["<|endoftext|>"]),
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
  decoder: { type: "ByteLevel" },
  model: {
    type: "BPE",
    vocab: ids(["<|endoftext|>", "a", "b", "Ġ", "ab", "Ġa", "ba", "Ġab", "Ã", "©", "â", "Ĥ", "¬", "©a", "Ċ"]),
    merges: [["a", "b"], ["Ġ", "a"], ["b", "a"], ["Ġ", "ab"], ["©", "a"]],
  },
});

const llama = JSON.stringify({
  added_tokens: added(["<unk>", "<s>", "</s>"]),
  normalizer: {
    type: "Sequence",
    normalizers: [
      { type: "Prepend", prepend: "▁" },
      { type: "Replace", pattern: { String: " " }, content: "▁" },
    ],
  },
  decoder: {
    type: "Sequence",
    decoders: [
      { type: "Replace", pattern: { String: "▁" }, content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      { type: "Strip", content: " ", start: 1, stop: 0 },
    ],
  },
  model: {
    type: "BPE",
    unk_token: "<unk>",
    byte_fallback: true,
    vocab: ids([
      "<unk>",
      "<s>",
      "</s>",
      "<0xC3>",
      "<0xA9>",
      "<0x0A>",
      "▁",
      "a",
      "b",
      "▁a",
      "ab",
      "▁▁",
      "<0x20>",
    ]),
    merges: [["▁", "a"], ["a", "b"], ["▁", "▁"]],
  },
});

const unigram = JSON.stringify({
  added_tokens: added(["<unk>", "</s>"]),
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
  decoder: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
  model: {
    type: "Unigram",
    unk_id: 0,
    vocab: [["<unk>", 0], ["</s>", 0], ["▁", -2], ["a", -2], ["b", -3], ["▁ab", -2], ["ba", -3]],
  },
});

const clip = JSON.stringify({
  added_tokens: added(["<|endoftext|>"]),
  pre_tokenizer: { type: "WhitespaceSplit" },
  decoder: { type: "BPEDecoder", suffix: "</w>" },
  model: {
    type: "BPE",
    end_of_word_suffix: "</w>",
    vocab: ids(["<|endoftext|>", "a", "b", "a</w>", "b</w>", "ab</w>", "ab"]),
    merges: [["a", "b</w>"], ["a", "b"]],
  },
});

/** Vocabularies of every kind, each small enough for all short sequences of its tokens. */
export const vocabularies: Readonly<Record<string, Vocabulary>> = {
  "byte level": pieceTokenizer(byteLevel).vocabulary,
  "WordPiece": pieceTokenizer(tinyTokenizer).vocabulary,
  "byte fallback": pieceTokenizer(llama).vocabulary,
  "Metaspace": pieceTokenizer(unigram).vocabulary,
  "ends of words": pieceTokenizer(clip).vocabulary,
  "words": {
    kind: "words",
    words: ["<unk>", "<eos>", "a", "b", "ab", ",", "é"],
    unknown: 0,
    end: 1,
    glued: [5],
  },
  "characters": { kind: "characters", words: ["<unk>", "<eos>", "a", "b", " ", "é"], unknown: 0, end: 1 },
};

/** The vocabulary of bytes. */
export const bytes: Vocabulary = byteVocabulary();
