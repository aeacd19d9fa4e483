import { inOtherWords, type TokenizerJson, type TokenizerPart } from "../../datasets/text/tokenizer_json.ts";
import { bytesOfLevel, isBytePiece } from "../../datasets/text/byte_pieces.ts";
import { RetortError } from "../../foundation/errors.ts";

/** How the decoder of a tokenizer turns pieces into text. */
export type Decoding =
  /** Every piece on its own. */
  | { readonly kind: "bytes"; bytes(piece: string): Uint8Array }
  /** Every piece on its own, but the first one of a text in another way. */
  | { readonly kind: "placed"; bytes(piece: string, isFirst: boolean): Uint8Array }
  /** Pieces with a suffix end a word: a space follows, unless the text ends. */
  | { readonly kind: "ending"; readonly suffix: string };

const encoder = new TextEncoder();

/** The decoding of a `tokenizer.json`. @throws {RetortError} for a decoder that is not understood */
export function decodingOf(json: string): Decoding {
  const parsed = JSON.parse(json) as TokenizerJson;
  const { decoder } = inOtherWords(parsed);
  const added = new Set((parsed.added_tokens ?? []).map(({ content }) => content));
  if (decoder === null || decoder === undefined) {
    return { kind: "placed", bytes: (piece, isFirst) => encoder.encode(isFirst ? piece : ` ${piece}`) };
  }
  switch (decoder.type) {
    case "ByteLevel":
      return {
        kind: "bytes",
        bytes: (piece) => added.has(piece) ? encoder.encode(piece) : bytesOfLevel(piece),
      };
    case "WordPiece":
      return wordPiece(decoder);
    case "BPEDecoder":
      return { kind: "ending", suffix: String(decoder.suffix ?? "</w>") };
    default:
      return inSteps(decoder.type === "Sequence" ? decoder.decoders as TokenizerPart[] : [decoder]);
  }
}

function wordPiece({ prefix, cleanup }: TokenizerPart): Decoding {
  const tidy = (text: string) =>
    cleanup !== true ? text : text.replaceAll(/ ([.?!,]|n't|'m|'s|'ve|'re)/g, "$1").replaceAll(" ' ", "'");
  return {
    kind: "placed",
    bytes(piece, isFirst) {
      const text = isFirst
        ? piece
        : piece.startsWith(String(prefix)) && prefix !== ""
        ? piece.slice(String(prefix).length)
        : ` ${piece}`;
      return encoder.encode(tidy(text));
    },
  };
}

/** Decoders that follow one another: replacements, bytes, and a blank that the first piece loses. */
function inSteps(parts: readonly TokenizerPart[]): Decoding {
  const steps: ((text: string, isFirst: boolean) => string)[] = [];
  /** How many steps come before pieces become bytes; undefined if they never do. */
  let spelled: number | undefined;
  let isFused = false;
  for (const part of parts) {
    const { type, pattern, content } = part;
    const literal = (pattern as { String?: unknown } | undefined)?.String;
    if (type === "Fuse") isFused = true;
    else if (type === "ByteFallback" && !isFused) spelled ??= steps.length;
    else if (type === "Replace" && typeof literal === "string") {
      steps.push((text) => text.replaceAll(literal, String(content ?? "")));
    } else if (type === "Metaspace") {
      const mark = String(part.replacement ?? "▁");
      steps.push((text, isFirst) => {
        const spaced = text.replaceAll(mark, " ");
        return isFirst && spaced.startsWith(" ") ? spaced.slice(1) : spaced;
      });
    } else if (type === "Strip" && isFused && Number(part.start ?? 0) <= 1 && (part.stop ?? 0) === 0) {
      const blank = String(content ?? " ");
      steps.push((text, isFirst) =>
        isFirst && part.start === 1 && text.startsWith(blank) ? text.slice(blank.length) : text
      );
    } else {
      throw new RetortError("control/tokenizer", `the tokenizer's decoder has the part \`${type}\``, {
        hint:
          "Understood are ByteLevel, WordPiece, BPEDecoder, Metaspace, and sequences of Replace with a literal pattern, ByteFallback, Fuse and Strip of one character at the start.",
      });
    }
  }
  return {
    kind: "placed",
    bytes(piece, isFirst) {
      const byte = spelled !== undefined && isBytePiece(piece) ? parseInt(piece.slice(3, 5), 16) : undefined;
      // Bytes of longer characters become text only with their neighbours, and no step is about those characters.
      if (byte !== undefined && byte >= 0x80) return Uint8Array.of(byte);
      const [text, own] = byte === undefined
        ? [piece, steps]
        : [String.fromCharCode(byte), steps.slice(spelled)];
      return encoder.encode(own.reduce((text, step) => step(text, isFirst), text));
    },
  };
}
