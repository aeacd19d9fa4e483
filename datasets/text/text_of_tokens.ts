import { bytesOfLevel, isBytePiece, joinBytePieces } from "./byte_pieces.ts";
import { tokenizerOf } from "./known_tokenizer.ts";
import { UNKNOWN, type Vocabulary } from "./vocabulary.ts";

/**
 * Converts tokens to readable text: words separated by spaces (except before those that usually have none), characters
 * and bytes concatenated, pieces joined by their tokenizer's own decoder. If a vocabulary of pieces does not contain its
 * tokenizer, the pieces' conventions are inferred from the vocabulary (`##`, `▁`, `Ġ`, `</w>`, `<0x0A>`). An end token
 * becomes a line end.
 */
export function textOfTokens(ids: Iterable<number>, vocabulary: Vocabulary): string {
  const lines: string[] = [];
  let line: number[] = [];
  for (const id of ids) {
    if (id !== vocabulary.end) {
      line.push(id);
      continue;
    }
    lines.push(lineOf(line, vocabulary));
    line = [];
  }
  if (line.length > 0) lines.push(lineOf(line, vocabulary));
  return lines.join("\n");
}

function lineOf(ids: number[], vocabulary: Vocabulary): string {
  const { kind, words } = vocabulary;
  if (kind === "bytes") return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(ids));
  const tokens = ids.map((id) => words[id] ?? UNKNOWN);
  if (kind === "characters") return tokens.join("");
  if (kind === "words") {
    const glued = new Set(vocabulary.glued);
    return tokens.map((token, i) => i === 0 || glued.has(ids[i]!) ? token : ` ${token}`).join("");
  }
  return (tokenizerOf(vocabulary)?.decode(ids) ?? byMarks(tokens, marksOf(vocabulary))).trim();
}

/** Conventions of a vocabulary's pieces. */
interface Marks {
  /** Pieces are in the byte-level alphabet of GPT-2. */
  readonly byteLevel: boolean;
  /** `▁` stands for a space. */
  readonly space: boolean;
  /** `##` begins pieces inside a word. */
  readonly inside: boolean;
  /** `</w>` ends pieces at the end of a word. */
  readonly last: boolean;
  /** Some pieces are bytes: `<0x0A>`. */
  readonly bytes: boolean;
}

const known = new WeakMap<readonly string[], Marks>();

function marksOf({ words }: Vocabulary): Marks {
  let marks = known.get(words);
  if (marks !== undefined) return marks;
  const some = (pattern: RegExp) => words.some((word) => pattern.test(word));
  // The representations of the space and of the line end, or of bytes that begin a two-byte character.
  const byteLevel = some(/^[ĠĊ]/) || some(/^[ÂÃ][\u00a1-\u00bf\u0100-\u0143]/);
  marks = {
    byteLevel,
    space: !byteLevel && some(/▁/),
    inside: !byteLevel && some(/^##./),
    last: some(/<\/w>$/),
    bytes: !byteLevel && words.some(isBytePiece),
  };
  known.set(words, marks);
  return marks;
}

function byMarks(tokens: readonly string[], { byteLevel, space, inside, last, bytes }: Marks): string {
  const spelled = bytes ? joinBytePieces(tokens) : tokens;
  const ended = last ? spelled.map((token) => token.replace(/<\/w>$/, " ")) : spelled;
  if (byteLevel) return byteLevelText(ended.join(""));
  if (space) return ended.join("").replaceAll("▁", " ");
  if (last) return ended.join("");
  if (!inside && bytes) return ended.join("");
  return ended.map((token, i) =>
    inside && token.startsWith("##") ? token.slice(2) : i === 0 ? token : ` ${token}`
  )
    .join("");
}

/** Decodes the byte-level alphabet of GPT-2. */
function byteLevelText(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOfLevel(text));
}
