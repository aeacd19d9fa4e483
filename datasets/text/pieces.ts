import { Tokenizer as Pieces } from "@huggingface/tokenizers";
import { messageOf } from "../../foundation/errors.ts";
import { TextError } from "./errors.ts";
import { type EndsOf, stretches, type Tokenizer } from "./tokenizer.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A teacher's tokenizer: its pieces and their ids. */
export interface PieceTokenizer {
  /** What the ids mean. */
  readonly vocabulary: Vocabulary;
  /** The ids of a text; with the special tokens around it only if asked for. */
  encode(text: string, options?: { special?: boolean }): number[];
  /** The id of a piece, or undefined. */
  id(piece: string): number | undefined;
}

/** Pieces that end a text or stand for unknown ones, as the common tokenizers call them; the first that is there. */
const ENDS = [
  "</s>",
  "<|endoftext|>",
  "<eos>",
  "<EOS>",
  "<|end_of_text|>",
  "<|eot_id|>",
  "<|im_end|>",
  "<｜end▁of▁sentence｜>",
  "[SEP]",
];
const UNKNOWNS = ["<unk>", "[UNK]", "<|unk|>"];

/**
 * A tokenizer from the text of a `tokenizer.json` (https://github.com/huggingface/tokenizers).
 *
 * @param name how messages call the file.
 * @throws TextError when it is not one, or of a kind that is not supported.
 */
export function pieceTokenizer(json: string, name = "tokenizer.json"): PieceTokenizer {
  const fail = (what: string, cause?: unknown): never => {
    throw new TextError(`${name} is no usable tokenizer: ${what}`, {
      hint: "Expected the `tokenizer.json` of Hugging Face's tokenizers: WordPiece, BPE or Unigram.",
      cause,
    });
  };
  let parsed: { model?: { vocab?: unknown } };
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    return fail(`it is not JSON (${messageOf(error)})`, error);
  }
  if (typeof parsed?.model !== "object" || parsed.model === null) fail("it has no `model`");
  if (typeof parsed.model!.vocab !== "object" || parsed.model!.vocab === null) {
    fail("its model has no `vocab`");
  }
  let pieces: Pieces;
  let words: string[];
  try {
    // The padding and the length that a tokenizer was saved with are the matter of whoever makes batches.
    pieces = new Pieces({ ...parsed, padding: null, truncation: null }, {});
    words = [];
    for (const [piece, id] of pieces.get_vocab(true)) words[id] = piece;
    pieces.encode("It works.", { add_special_tokens: false });
  } catch (error) {
    return fail(messageOf(error), error);
  }
  if (words.length === 0) fail("its vocabulary is empty");
  const id = (piece: string) => pieces.token_to_id(piece);
  const first = (list: readonly string[]) => {
    for (const piece of list) if (id(piece) !== undefined) return id(piece)!;
    return null;
  };
  return {
    vocabulary: {
      kind: "pieces",
      words: Array.from(words, (word) => word ?? ""),
      unknown: first(UNKNOWNS),
      end: first(ENDS),
    },
    encode: (text, { special = false } = {}) => pieces.encode(text, { add_special_tokens: special }).ids,
    id,
  };
}

/**
 * A tokenizer of documents over a teacher's pieces.
 *
 * @throws TextError when an end is wanted and the tokenizer has none.
 */
export function pieceDocumentTokenizer(pieces: PieceTokenizer, ends: EndsOf): Tokenizer {
  const { vocabulary } = pieces;
  if (ends !== "nothing" && vocabulary.end === null) {
    throw new TextError(`the tokenizer has no piece that ends ${ends}`, {
      hint: `It would be one of ${ENDS.join(" ")}. Set \`ends\` to "nothing".`,
    });
  }
  return {
    vocabulary,
    encode(passage) {
      const ids: number[] = [];
      for (const [text, ended] of stretches(passage, ends)) {
        for (const id of pieces.encode(text)) ids.push(id);
        if (ended) ids.push(vocabulary.end!);
      }
      return ids;
    },
  };
}
