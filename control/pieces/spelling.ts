/**
 * The text of tokens as bytes. What a token adds to a text depends only on the token and on a context that the tokens
 * before it leave: the beginning of the text, a word that goes on, a word that has ended.
 */
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { tokenizerOf } from "../../datasets/text/known_tokenizer.ts";
import { RetortError } from "../../foundation/errors.ts";
import { type Decoding, decodingOf } from "./decoding.ts";

/** Contexts in which a token is spelled. */
export const BEGINNING = 0, AFTER = 1, WORD_ENDED = 2;
/** A context in which a token is spelled: {@link BEGINNING}, {@link AFTER} or {@link WORD_ENDED}. */
export type SpellingContext = typeof BEGINNING | typeof AFTER | typeof WORD_ENDED;

/** The bytes that a token adds, and the context that it leaves. */
export interface Spelled {
  /** The bytes. */
  readonly bytes: Uint8Array;
  /** The context of what follows. */
  readonly context: SpellingContext;
}

/** How the tokens of a vocabulary are spelled. */
export interface Spelling {
  /** Number of tokens. */
  readonly tokens: number;
  /** Contexts that occur. */
  readonly contexts: readonly SpellingContext[];
  /** A token in a context; undefined for tokens that are no text: the end, unknown words, special pieces. */
  spell(token: number, context: SpellingContext): Spelled | undefined;
}

const encoder = new TextEncoder();

/**
 * How the tokens of a vocabulary are spelled; the text is that of its tokenizer's decoder.
 *
 * @throws {RetortError} when a vocabulary of pieces has no tokenizer, or one whose text depends on more than neighbours
 */
export function spellingOf(vocabulary: Vocabulary): Spelling {
  const { kind, words, end, unknown } = vocabulary;
  const silent = new Set([end, unknown]);
  switch (kind) {
    case "bytes":
      return plain(words.map((_, id) => silent.has(id) || id > 255 ? undefined : Uint8Array.of(id)));
    case "characters":
      return plain(words.map((word, id) => silent.has(id) ? undefined : encoder.encode(word)));
    case "words": {
      const glued = new Set(vocabulary.glued);
      return placed(
        words.map((word, id) => silent.has(id) ? undefined : [word, glued.has(id) ? word : ` ${word}`]),
      );
    }
    case "pieces":
      return ofPieces(vocabulary);
  }
}

/** Tokens that are spelled alike everywhere. */
function plain(list: readonly (Uint8Array | undefined)[]): Spelling {
  const spelled = list.map((bytes) => bytes && { bytes, context: AFTER } as const);
  return { tokens: list.length, contexts: [BEGINNING, AFTER], spell: (token) => spelled[token] };
}

/** Tokens that are spelled in one way at the beginning of a text and in another after it. */
function placed(list: readonly (readonly [first: string, after: string] | undefined)[]): Spelling {
  const spelled = list.map((both) =>
    both?.map((text) => ({ bytes: encoder.encode(text), context: AFTER }) as const)
  );
  return {
    tokens: list.length,
    contexts: [BEGINNING, AFTER],
    spell: (token, context) => spelled[token]?.[context === BEGINNING ? 0 : 1],
  };
}

/** Tokens after which a space follows, unless the text ends there. */
function ending(list: readonly (string | undefined)[], suffix: string): Spelling {
  const spelled = list.map((piece) => {
    if (piece === undefined) return undefined;
    const isLast = piece.endsWith(suffix);
    const text = (isLast ? piece.slice(0, -suffix.length) : piece).replaceAll(suffix, " ");
    const context: SpellingContext = isLast ? WORD_ENDED : AFTER;
    return [text, ` ${text}`].map((text) => ({ bytes: encoder.encode(text), context }));
  });
  return {
    tokens: list.length,
    contexts: [BEGINNING, AFTER, WORD_ENDED],
    spell: (token, context) => spelled[token]?.[context === WORD_ENDED ? 1 : 0],
  };
}

function ofPieces(vocabulary: Vocabulary): Spelling {
  const tokenizer = tokenizerOf(vocabulary);
  if (tokenizer === undefined) {
    throw new RetortError(
      "control/tokenizer",
      "the vocabulary of pieces has no tokenizer, which tells the text of pieces",
      { hint: "Take the vocabulary of `pieceTokenizer(text)`, the text being that of its tokenizer.json." },
    );
  }
  const { words, end, unknown } = vocabulary;
  const isSilent = (id: number) =>
    id === end || id === unknown || tokenizer.isSpecial(id) || words[id] === "";
  const texts = words.map((word, id) => isSilent(id) ? undefined : word);
  const decoding = decodingOf(vocabulary.tokenizer!);
  const spelling = spelledAs(texts, decoding);
  checkAgainst((ids) => tokenizer.decode(ids), spelling);
  return spelling;
}

function spelledAs(texts: readonly (string | undefined)[], decoding: Decoding): Spelling {
  switch (decoding.kind) {
    case "bytes":
      return plain(texts.map((text) => text === undefined ? undefined : decoding.bytes(text)));
    case "placed": {
      const list = texts.map((text) =>
        text === undefined
          ? undefined
          : ([true, false] as const).map((isFirst) =>
            ({ bytes: decoding.bytes(text, isFirst), context: AFTER }) as const
          )
      );
      return {
        tokens: list.length,
        contexts: [BEGINNING, AFTER],
        spell: (token, context) => list[token]?.[context === BEGINNING ? 0 : 1],
      };
    }
    case "ending":
      return ending(texts, decoding.suffix);
  }
}

/** How many pieces are compared with what the tokenizer's decoder says of them. */
const COMPARED = 500;

/** Refuses a spelling that is not the decoder's. */
function checkAgainst(decode: (ids: readonly number[]) => string, spelling: Spelling): void {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const known = Array.from({ length: spelling.tokens }, (_, id) => id)
    .filter((id) => isText(id, spelling));
  const step = Math.max(1, Math.floor(known.length / COMPARED));
  for (let i = 0; i < known.length; i += step) {
    for (const ids of [[known[i]!], [known[known.length - 1 - i]!, known[i]!]]) {
      const own = decoder.decode(bytesOf(ids, spelling)), said = decode(ids);
      // The end of a text may lose blanks, and half a character is shown in different ways.
      if (own.trimEnd() === said.trimEnd() || own.includes("\ufffd")) continue;
      throw new RetortError(
        "control/tokenizer",
        `pieces ${ids.join(", ")} are ${JSON.stringify(said)} to the tokenizer's decoder, expected ${
          JSON.stringify(own)
        }`,
        { hint: "The text of a piece must not depend on pieces other than its neighbours." },
      );
    }
  }
}

/** Whether a token is text: those that are none are so in every context. */
export function isText(token: number, spelling: Spelling): boolean {
  return spelling.spell(token, BEGINNING) !== undefined;
}

/** The bytes of tokens, from the beginning of a text; tokens that are no text add nothing. */
export function bytesOf(tokens: Iterable<number>, spelling: Spelling): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let context: SpellingContext = BEGINNING;
  for (const token of tokens) {
    const spelled = spelling.spell(token, context);
    if (spelled === undefined) continue;
    bytes.push(...spelled.bytes);
    context = spelled.context;
  }
  return Uint8Array.from(bytes);
}

/** The text of tokens; half a character is a replacement character. */
export function textOfPieces(tokens: Iterable<number>, spelling: Spelling): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOf(tokens, spelling));
}
