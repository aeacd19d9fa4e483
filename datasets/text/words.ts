/** Letters of scripts that put no spaces between words. */
const UNSPACED = ["Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"]
  .map((script) => `\\p{scx=${script}}`).join("");

/** A letter or digit with the marks on it, and joiners, which stand inside words of Arabic and Indic scripts. */
const LETTERS = "[\\p{L}\\p{N}][\\p{L}\\p{N}\\p{M}\\u200c\\u200d]*";
const WORDS = new RegExp(`${LETTERS}(?:['’-]${LETTERS})*|[^\\s\\p{L}\\p{N}]`, "gu");
const PARTS = new RegExp(`[${UNSPACED}]+|[^${UNSPACED}]+`, "gu");
const HAS_UNSPACED = new RegExp(`[${UNSPACED}]`, "u");

/** Whether a text has letters of a script that puts no spaces between words. */
export function isUnspaced(text: string): boolean {
  return HAS_UNSPACED.test(text);
}

/** By dictionaries, which are the same for every locale; a fixed one, so that no setting of the machine matters. */
const dictionary = new Intl.Segmenter("en", { granularity: "word" });

/** A word and where it begins. */
export interface Word {
  readonly word: string;
  readonly index: number;
}

/**
 * The words of a text: letters and digits in a row, also over an apostrophe or hyphen between them; each other mark that is
 * no white space alone. Chinese, Japanese, Thai, Lao, Khmer and Burmese, which put no spaces between words, are cut by the
 * dictionaries of `Intl.Segmenter` (Unicode Standard Annex 29).
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
        for (const { segment, index: at } of dictionary.segment(part)) {
          yield { word: segment, index: index + inRun + at };
        }
      }
    }
  }
}

/** What closes a quotation or a bracket after a full stop of Chinese or Japanese. */
const CLOSING = "」』”’）］】》〉";
const STOP = `[。！？｡][${CLOSING}]*`;

/** Where sentences part: after a full stop and white space; in Chinese and Japanese after the full stop; at empty lines. */
const BOUNDARY = new RegExp(
  `(?<=\\p{Sentence_Terminal})\\s+|(?<=${STOP})\\s+|(?<=${STOP})(?![${CLOSING}。！？｡\\s])|\\n\\s*\\n`,
  "u",
);
const STOPPED = new RegExp(`${STOP}$`, "u");

/**
 * The sentences of a text, without those that are only white space, and whether each has ended. A sentence ends with a mark that
 * ends sentences (Unicode's property `Sentence_Terminal`: `.`, `!`, `?`, `।`, `؟` and others) and white space after it,
 * with `。`, `！` or `？` and what closes after them, and with an empty line.
 *
 * @param last whether the text ends what it is part of: its last sentence has ended then as well.
 */
export function* sentencesOf(
  text: string,
  last: boolean,
): Generator<readonly [sentence: string, ended: boolean]> {
  const sentences = text.split(BOUNDARY);
  for (const [i, sentence] of sentences.entries()) {
    // More text follows: the last stretch may be the beginning of a sentence.
    if (sentence.trim() !== "") yield [sentence, i + 1 < sentences.length || last || STOPPED.test(sentence)];
  }
}
