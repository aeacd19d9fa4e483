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
  /** Of words: the ids of those that mostly stand without a space after the word before, such as a comma; absent where none do. */
  readonly glued?: readonly number[];
  /** Of pieces: the text of the `tokenizer.json` that they are of, which text is read and shown by. */
  readonly tokenizer?: string;
}

/** Stands for every unit that is not in the vocabulary. */
export const UNKNOWN = "<unk>";
/** Ends a sentence, a line or a document. */
export const END = "<eos>";

/** Counts units, to choose a vocabulary from. */
export class UnitCounts {
  readonly #counts = new Map<string, number>();
  /** How often more without a space after the unit before than with one. */
  readonly #glued = new Map<string, number>();

  /** Counts a unit once more; `glued`: whether it stands without a space after the one before, where that can be told. */
  add(unit: string, glued?: boolean): void {
    this.#counts.set(unit, (this.#counts.get(unit) ?? 0) + 1);
    if (glued !== undefined) this.#glued.set(unit, (this.#glued.get(unit) ?? 0) + (glued ? 1 : -1));
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
    const words = [UNKNOWN, END, ...kept.map(([unit]) => unit)].slice(0, Math.max(2, largest));
    const glued = kind === "words"
      ? words.flatMap((word, id) => (this.#glued.get(word) ?? 0) > 0 ? [id] : [])
      : [];
    return { kind, words, unknown: 0, end: 1, ...(glued.length > 0 && { glued }) };
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
