import { isUnspaced } from "./words.ts";

/**
 * The place of a word in running text: at the beginning, after another word and a space, or directly after a word or a
 * punctuation mark.
 */
export type WordPlace = "first" | "spaced" | "glued";

/** Short words that most tokenizers of some language know. */
const USUAL = ["the", "a", "it", "is", "of", "i", "de", "la", "en", "и", "в", "的", "の", "0", "1"];

/** Maximum number of pieces tried as surrounding words. */
const TRIED = 400;

/**
 * Splits words into pieces as they are split in running text. The pieces of a word depend on its surroundings, which a
 * tokenizer given only the word does not see: "company" alone is the beginning of a text. So a word is encoded between
 * two known words, whose pieces are then removed. If these differ from their pieces without the word, the result is
 * undefined.
 */
export class RunningText {
  readonly #encode: (text: string) => number[];
  readonly #around: readonly Around[];

  /**
   * @param encode returns the ids of a text.
   * @param unknown the unknown piece, which may absorb its neighbours.
   * @param pieces the pieces of the vocabulary, among which known words are looked for.
   */
  constructor(encode: (text: string) => number[], unknown: number | null, pieces: readonly string[]) {
    this.#encode = encode;
    const found: Around[] = [];
    for (const word of [...USUAL, ...wordsAmong(pieces)]) {
      const one = aroundOf(encode, word, unknown);
      if (one !== undefined) found.push(one);
      if (found.length === 4) break;
    }
    this.#around = found;
  }

  /** Pieces of one or more words at a place; undefined if they change the pieces of their neighbours. */
  cut(text: string, place: WordPlace): number[] | undefined {
    for (const { word, first, after } of this.#around) {
      for (const end of place === "glued" ? endsBefore(text) : [""]) {
        const before = place === "first" ? "" : word + end;
        const left = end === "" ? place === "first" ? [] : first : this.#encode(before);
        const all = this.#encode(`${before}${place === "spaced" ? " " : ""}${text} ${word}`);
        const to = all.length - after.length;
        if (to < left.length || !left.every((id, i) => all[i] === id)) continue;
        if (after.every((id, i) => all[to + i] === id)) return all.slice(left.length, to);
      }
    }
    return this.#around.length === 0 ? this.#encode(text) : undefined;
  }

  /** Pieces of a text that follows a word, including any white space between them; undefined as for `cut`. */
  after(text: string): number[] | undefined {
    for (const { word, first } of this.#around) {
      const all = this.#encode(word + text);
      if (first.every((id, i) => all[i] === id)) return all.slice(first.length);
    }
    return undefined;
  }
}

/**
 * The possible ends of the word before a text without a space: before letters it ends with a punctuation mark, since
 * otherwise they would be one word.
 */
function endsBefore(text: string): readonly string[] {
  return /^[\p{L}\p{N}]/u.test(text) && !isUnspaced(text.slice(0, 2)) ? ["-", ""] : ["", "-"];
}

/** A word to put next to others, with its pieces at the beginning of a text and after another word. */
interface Around {
  readonly word: string;
  readonly first: readonly number[];
  readonly after: readonly number[];
}

function aroundOf(
  encode: (text: string) => number[],
  word: string,
  unknown: number | null,
): Around | undefined {
  const first = encode(word);
  const after = encode(`${word} ${word}`).slice(first.length);
  if (first.length === 0 || after.length === 0 || first.includes(unknown ?? -1)) return undefined;
  const thrice = encode(`${word} ${word} ${word}`).join();
  return thrice === [...first, ...after, ...after].join() ? { word, first, after } : undefined;
}

function* wordsAmong(pieces: readonly string[]): Generator<string> {
  let tried = 0;
  for (const piece of pieces) {
    const word = piece.replace(/^(?:▁|Ġ)|<\/w>$/g, "");
    if (!/^[\p{L}\p{N}]{1,8}$/u.test(word)) continue;
    yield word;
    if (++tried === TRIED) return;
  }
}
