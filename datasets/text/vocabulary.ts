/** What the units of a vocabulary are. */
export type UnitKind = "words" | "characters" | "bytes" | "pieces";

/** Token ids and the units that they stand for. */
export interface Vocabulary {
  /** What the units are. */
  readonly kind: UnitKind;
  /** The unit of each id. */
  readonly words: readonly string[];
  /** The id of units that are not in the vocabulary; null when there are none. */
  readonly unknown: number | null;
  /** The id that ends a sentence, a line or a document; null when nothing does. */
  readonly end: number | null;
}

/** Stands for every unit that is not in the vocabulary. */
export const UNKNOWN = "<unk>";
/** Ends a sentence, a line or a document. */
export const END = "<eos>";

/** Counts units, to choose a vocabulary from. */
export class UnitCounts {
  readonly #counts = new Map<string, number>();

  /** Counts a unit once more. */
  add(unit: string): void {
    this.#counts.set(unit, (this.#counts.get(unit) ?? 0) + 1);
  }

  /**
   * A vocabulary: the unknown unit (id 0), the end (id 1), then units by frequency, the most frequent first, equal
   * ones by code unit.
   *
   * @param options `minimum`: a unit must occur so often; `largest`: ids at most.
   */
  vocabulary(kind: "words" | "characters", options: { minimum?: number; largest?: number } = {}): Vocabulary {
    const { minimum = 1, largest = Infinity } = options;
    const kept = [...this.#counts]
      .filter(([unit, count]) => count >= minimum && unit !== UNKNOWN && unit !== END)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    const words = [UNKNOWN, END, ...kept.map(([unit]) => unit)];
    return { kind, words: words.slice(0, Math.max(2, largest)), unknown: 0, end: 1 };
  }
}

/** The vocabulary of bytes: ids 0 to 255 and, after them, the end. */
export function byteVocabulary(): Vocabulary {
  const words = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  return { kind: "bytes", words: [...words, END], unknown: null, end: 256 };
}

/**
 * Tokens as text for people: words with spaces between them, characters and bytes in a row, pieces joined by the marks
 * that their tokenizer puts on them (`##`, `▁`, `Ġ`). An end is a line end.
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

function lineOf(ids: number[], { kind, words }: Vocabulary): string {
  if (kind === "bytes") return new TextDecoder().decode(Uint8Array.from(ids));
  const units = ids.map((id) => words[id] ?? UNKNOWN);
  if (kind === "characters") return units.join("");
  if (kind === "words") return units.join(" ");
  const text = units.join("");
  if (text.includes("▁")) return text.replaceAll("▁", " ").trim();
  if (/[ĠĊ]/.test(text)) return byteLevelText(text).trim();
  return units.map((unit, i) => unit.startsWith("##") ? unit.slice(2) : i === 0 ? unit : ` ${unit}`).join("");
}

/** Undoes the byte-level alphabet of GPT-2: bytes that print stand for themselves, others lie from U+0100 on. */
function byteLevelText(text: string): string {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x100) bytes.push(code);
    else if (code - 0x100 < HIDDEN.length) bytes.push(HIDDEN[code - 0x100]!);
    else bytes.push(...new TextEncoder().encode(character));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** Bytes that do not print, in order. */
const HIDDEN = Array.from({ length: 256 }, (_, byte) => byte)
  .filter((byte) => byte < 0x21 || (byte > 0x7e && byte < 0xa1) || byte === 0xad);
