import { once } from "../../foundation/once.ts";

/** Scripts without spaces between words. */
const UNSPACED = ["Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"]
  .map((script) => `\\p{scx=${script}}`).join("");

/** A letter or digit with its combining marks, and joiners, which occur inside words of Arabic and Indic scripts. */
const LETTERS = "[\\p{L}\\p{N}][\\p{L}\\p{N}\\p{M}\\u200c\\u200d]*";
const WORDS = new RegExp(`${LETTERS}(?:['’-]${LETTERS})*|[^\\s\\p{L}\\p{N}]`, "gu");
const PARTS = new RegExp(`[${UNSPACED}]+|[^${UNSPACED}]+`, "gu");
const HAS_UNSPACED = new RegExp(`[${UNSPACED}]`, "u");

/** Whether a text has letters of a script without spaces between words. */
export function isUnspaced(text: string): boolean {
  return HAS_UNSPACED.test(text);
}

/**
 * Segments by dictionaries, which are the same for every locale; the locale is fixed so that machine settings do not
 * matter. They are loaded for texts that need them.
 */
const dictionary = once(() => new Intl.Segmenter("en", { granularity: "word" }));

/** A word and its position. */
export interface Word {
  /** The word. */
  readonly word: string;
  /** Where it begins, in UTF-16 units. */
  readonly index: number;
}

/**
 * The words of a text: runs of letters and digits, including an apostrophe or hyphen between them; every other non-space
 * character separately. Chinese, Japanese, Thai, Lao, Khmer and Burmese, which are written without spaces, are segmented
 * by the dictionaries of `Intl.Segmenter` (Unicode Standard Annex 29).
 */
export function* wordsIn(text: string): Generator<Word> {
  for (const { 0: run, index } of text.matchAll(WORDS)) {
    if (!HAS_UNSPACED.test(run)) {
      yield { word: run, index };
      continue;
    }
    for (const { 0: part, index: inRun } of run.matchAll(PARTS)) {
      if (!HAS_UNSPACED.test(part)) yield { word: part, index: index + inRun };
      else {
        for (const { segment, index: at } of dictionary().segment(part)) {
          yield { word: segment, index: index + inRun + at };
        }
      }
    }
  }
}

/** Characters that close a quotation or a bracket after a Chinese or Japanese full stop. */
const CLOSING = "」』”’）］】》〉";
const STOP = `[。！？｡][${CLOSING}]*`;

/**
 * Sentence boundaries: after sentence-final punctuation and white space; in Chinese and Japanese after the full stop; at
 * empty lines.
 */
const BOUNDARY = new RegExp(
  `(?<=\\p{Sentence_Terminal})\\s+|(?<=${STOP})\\s+|(?<=${STOP})(?![${CLOSING}。！？｡\\s])|\\n\\s*\\n`,
  "u",
);
const STOPPED = new RegExp(`${STOP}$`, "u");

/**
 * The sentences of a text, except those of only white space, each with whether it has ended. A sentence ends with
 * terminal punctuation (Unicode's property `Sentence_Terminal`: `.`, `!`, `?`, `।`, `؟` and others) followed by white
 * space, with `。`, `！` or `？` and any closing characters, or with an empty line.
 *
 * @param last whether the text is the end of its document: then its last sentence has ended too.
 */
export function* sentencesOf(
  text: string,
  last: boolean,
): Generator<readonly [sentence: string, ended: boolean]> {
  const sentences = text.split(BOUNDARY);
  for (const [i, sentence] of sentences.entries()) {
    // More text follows, so the last stretch may be the beginning of a sentence.
    if (sentence.trim() !== "") yield [sentence, i + 1 < sentences.length || last || STOPPED.test(sentence)];
  }
}
