import { isUnspaced } from "./words.ts";

/** Where in a running text a word stands: at its beginning, after another word and a space, or after one or a mark without. */
export type WordPlace = "first" | "spaced" | "glued";

/** Short words that most tokenizers of some language know. */
const USUAL = ["the", "a", "it", "is", "of", "i", "de", "la", "en", "и", "в", "的", "の", "0", "1"];

/** Pieces that are tried as the words around, at most. */
const TRIED = 400;

/**
 * Cuts words into pieces as they are cut in a running text. What a word is cut into depends on what stands around it,
 * and a tokenizer by itself sees no such thing: "company" alone is the beginning of a text. So a word is cut between two
 * known ones, whose pieces are then taken away; where they are not what they are without the word, nothing is said.
 */
export class RunningText {
  readonly #encode: (text: string) => number[];
  readonly #around: readonly Around[];

  /**
   * @param encode gives the ids of a text.
   * @param unknown the piece of what is not known, which may swallow its neighbours.
   * @param pieces as they stand in the vocabulary: where to find words that are known.
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

  /** Pieces of a word, or of several, at a place; undefined where its neighbours change with it. */
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

  /** Pieces of a text that follows a word, with the white space between them, if any; undefined as for `cut`. */
  after(text: string): number[] | undefined {
    for (const { word, first } of this.#around) {
      const all = this.#encode(word + text);
      if (first.every((id, i) => all[i] === id)) return all.slice(first.length);
    }
    return undefined;
  }
}

/** What the word before a text without a space ends with: letters stand after a mark, or they would be of one word. */
function endsBefore(text: string): readonly string[] {
  return /^[\p{L}\p{N}]/u.test(text) && !isUnspaced(text.slice(0, 2)) ? ["-", ""] : ["", "-"];
}

/** A word to cut others next to, with its pieces at the beginning of a text and after another word. */
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
