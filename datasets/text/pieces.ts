import { Tokenizer as Pieces } from "@huggingface/tokenizers";
import { messageOf } from "../../foundation/errors.ts";
import { TextError } from "./errors.ts";
import { type PieceTokenizer, readTokenizersBy } from "./known_tokenizer.ts";
import { RunningText } from "./running_text.ts";
import { type EndsOf, stretches, type Tokenizer } from "./tokenizer.ts";
import { inOtherWords, type TokenizerJson } from "./tokenizer_json.ts";
import { mendParts } from "./tokenizer_parts.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** Names of end-of-text or unknown pieces in common tokenizers, in order of preference. */
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
 * Reads a tokenizer from the text of a `tokenizer.json` (https://github.com/huggingface/tokenizers).
 *
 * @param name the file's name in messages.
 * @throws TextError when it is not one, or of a kind that is not supported.
 */
export function pieceTokenizer(json: string, name = "tokenizer.json"): PieceTokenizer {
  const fail = (what: string, cause?: unknown): never => {
    throw new TextError("text/tokenizer", `${name} is not a usable tokenizer: ${what}`, {
      hint:
        "Expected the `tokenizer.json` of Hugging Face's tokenizers: WordPiece, BPE, Unigram or WordLevel.",
      cause,
    });
  };
  let parsed: TokenizerJson;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    return fail(`it is not JSON (${messageOf(error)})`, error);
  }
  if (typeof parsed?.model !== "object" || parsed.model === null) fail("it has no `model`");
  if (typeof parsed.model.vocab !== "object" || parsed.model.vocab === null) fail("its model has no `vocab`");
  try {
    return tokenizerFrom(json, parsed);
  } catch (error) {
    return fail(messageOf(error), error);
  }
}

function tokenizerFrom(json: string, parsed: TokenizerJson): PieceTokenizer {
  const { unk_token: unknown } = parsed.model;
  // For whole-word vocabularies the library takes the unknown token from a different place.
  const pieces = new Pieces(inOtherWords(parsed), typeof unknown === "string" ? { unk_token: unknown } : {});
  mendParts(pieces, parsed);
  const found: string[] = [];
  for (const [piece, id] of pieces.get_vocab(true)) found[id] = piece;
  if (found.length === 0) throw new TypeError("its vocabulary is empty");
  const words = Array.from(found, (word) => word ?? "");
  const first = (list: readonly unknown[]) =>
    list.map((piece) => pieces.token_to_id(String(piece))).find((id) => id !== undefined) ?? null;
  const vocabulary: Vocabulary = {
    kind: "pieces",
    words,
    unknown: typeof parsed.model.unk_id === "number" ? parsed.model.unk_id : first([unknown, ...UNKNOWNS]),
    end: first(ENDS),
    tokenizer: json,
  };
  const special = new Set(
    [...pieces.get_added_tokens_decoder()].flatMap(([id, token]) => token.special ? [id] : []),
  );
  // Without special pieces; text that has no piece gives no id.
  const bare = (text: string) => pieces.encode(text, { add_special_tokens: false }).ids;
  bare("It works.");
  let made: RunningText | undefined;
  const running = () => made ??= new RunningText(bare, vocabulary.unknown, words);

  const encode: PieceTokenizer["encode"] = (text, { special = false } = {}) => {
    const { ids, tokens } = pieces.encode(text, { add_special_tokens: special });
    const lost = ids.findIndex((id) => !Number.isInteger(id));
    if (lost < 0) return ids;
    throw new TextError(
      "text/unknown-piece",
      `the tokenizer has no piece for ${JSON.stringify(tokens[lost])}, and none for unknown ones`,
      { hint: "Take a tokenizer with an unknown piece (`unk_token` of its model), or leave such words out." },
    );
  };
  return {
    vocabulary,
    encode,
    cut(text, place) {
      const cut = running().cut(text, place);
      // Text without any piece raises the same error as in `encode`.
      return cut === undefined || cut.every(Number.isInteger) ? cut : encode(text);
    },
    after(text) {
      const cut = running().after(text);
      return cut?.every(Number.isInteger) ? cut : encode(text);
    },
    piecesOverWords: () =>
      words.filter((piece, id) => {
        const text = piece.replaceAll(/[▁Ġ]/g, " ").trim();
        return /^[\p{L}\p{N}]+(?: +[\p{L}\p{N}]+)+$/u.test(text) && !special.has(id) &&
          bare(text).includes(id);
      }),
    decode: (ids) =>
      ids.length === 0
        ? ""
        : pieces.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false }),
    id: (piece) => pieces.token_to_id(piece),
    isSpecial: (id) => special.has(id),
  };
}

readTokenizersBy(pieceTokenizer);

/**
 * A document tokenizer that uses a teacher's pieces.
 *
 * @throws TextError when an end is wanted and the tokenizer has none.
 */
export function pieceDocumentTokenizer(pieces: PieceTokenizer, ends: EndsOf): Tokenizer {
  const { vocabulary } = pieces;
  if (ends !== "nothing" && vocabulary.end === null) {
    throw new TextError("text/no-end-token", `the tokenizer has no piece that ends ${ends}`, {
      hint: `It would be one of ${ENDS.join(" ")}. Set \`ends\` to "nothing".`,
    });
  }
  // White space at which a document is split belongs to what follows, as in an unsplit text.
  let carried = "", inside = false;
  return {
    vocabulary,
    encode(passage) {
      const whole = carried + passage.text;
      const text = whole.trimEnd(), space = whole.slice(text.length);
      const goesOn = inside;
      inside = !passage.last && !endsWith(text, space, ends);
      carried = inside ? space : "";
      const ids: number[] = [];
      let first = goesOn;
      for (const [stretch, ended] of stretches({ ...passage, text: inside ? text : whole }, ends)) {
        for (const id of first ? pieces.after(stretch) : pieces.encode(stretch)) ids.push(id);
        if (ended) ids.push(vocabulary.end!);
        first = false;
      }
      return ids;
    },
  };
}

/** Whether a text, given the white space after it, ends where an end token belongs. */
function endsWith(text: string, space: string, ends: EndsOf): boolean {
  if (ends === "lines") return space.includes("\n");
  return ends === "sentences" && (/\n\s*\n/.test(space) || (space !== "" && /[.!?]$/.test(text)));
}
