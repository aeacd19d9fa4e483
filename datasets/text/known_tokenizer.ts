import type { WordPlace } from "./running_text.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A teacher's tokenizer: its pieces and their ids. */
export interface PieceTokenizer {
  /** The vocabulary of the ids. */
  readonly vocabulary: Vocabulary;
  /**
   * The ids of a text; with the special tokens around it only if requested.
   * @throws TextError when it has something that the tokenizer has no piece for, not even an unknown one.
   */
  encode(text: string, options?: { special?: boolean }): number[];
  /** The ids of one or more words as they appear in running text; undefined if they depend on the surrounding words. */
  cut(text: string, place: WordPlace): number[] | undefined;
  /**
   * The ids of a text that follows a word, including the white space between them; if these cannot be separated, the ids
   * of the text alone.
   */
  after(text: string): number[];
  /** Pieces that span the space between two words and occur when a text of those words is encoded. */
  piecesOverWords(): string[];
  /** Pieces as text, by the tokenizer's own decoder; special pieces appear by name. */
  decode(ids: readonly number[]): string;
  /** The id of a piece; undefined if there is no such piece. */
  id(piece: string): number | undefined;
  /** Whether a piece is a special marker that models put between texts, not text. */
  isSpecial(id: number): boolean;
}

const known = new WeakMap<Vocabulary, PieceTokenizer>();
let read: ((json: string) => PieceTokenizer) | undefined;

/**
 * Says what reads tokenizers. `pieces.ts` does when it is loaded: whoever reads vocabularies that hold a tokenizer imports it,
 * a page only when it meets such a vocabulary, since what reads tokenizers is a fifth of a page's script.
 */
export function readTokenizersBy(reader: (json: string) => PieceTokenizer): void {
  read = reader;
}

/** The tokenizer of a vocabulary's pieces, cached; undefined if the vocabulary does not contain one. */
export function tokenizerOf(vocabulary: Vocabulary): PieceTokenizer | undefined {
  if (vocabulary.kind !== "pieces" || vocabulary.tokenizer === undefined) return undefined;
  let made = known.get(vocabulary);
  if (made !== undefined) return made;
  if (read === undefined) {
    throw new Error("datasets/text/pieces.ts is not loaded, and a tokenizer is to be read");
  }
  known.set(vocabulary, made = read(vocabulary.tokenizer));
  return made;
}
