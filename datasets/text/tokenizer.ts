import type { Passage } from "./passages.ts";
import { isUnspaced, sentencesOf, wordsIn } from "./words.ts";
import { byteVocabulary, TokenCounts, type Vocabulary } from "./vocabulary.ts";

/** What the end token follows: nothing, each document, each line, or each sentence. */
export type EndsOf = "nothing" | "documents" | "lines" | "sentences";
/** All choices of {@link EndsOf}. */
export const endsOf = ["nothing", "documents", "lines", "sentences"] as const;

/** Converts text to tokens, one passage at a time, in the order of the documents. */
export interface Tokenizer {
  /** The vocabulary of the ids. */
  readonly vocabulary: Vocabulary;
  /** The ids of a passage. */
  encode(passage: Passage): number[];
}

/** How text is divided into words. */
export interface WordRules {
  /**
   * `spaces`: at white space, for text that is already tokenised. `letters`: runs of letters and digits, and every other
   * character separately.
   */
  readonly split: "spaces" | "letters";
  /** Whether to lowercase the text. */
  readonly lowercase: boolean;
  /** What the end token follows. */
  readonly ends: EndsOf;
}

/** Placeholder for an end token among tokens. */
const END = Symbol("end");
/** A token, a token that is known to follow another with or without a space, or an end. */
type Token = string | Placed | typeof END;
interface Placed {
  readonly word: string;
  /** Whether it directly follows the previous token without a space. */
  readonly glued: boolean;
}
const textOf = (token: string | Placed): string => typeof token === "string" ? token : token.word;

/** Splits passages into tokens. */
type Splitter = (passage: Passage) => Iterable<Token>;

/**
 * A word tokenizer whose vocabulary is built from the given passages.
 *
 * @param options `minimum`: rarer words become the unknown word; `largest`: maximum vocabulary size.
 */
export function wordTokenizer(
  training: AsyncIterable<Passage>,
  rules: WordRules,
  options: { minimum?: number; largest?: number } = {},
): Promise<Tokenizer> {
  return countedTokenizer("words", training, wordSplitter(rules), options);
}

/** A word tokenizer over an existing vocabulary. */
export function wordTokenizerOver(vocabulary: Vocabulary, rules: WordRules): Tokenizer {
  return tokenizerOver(vocabulary, wordSplitter(rules));
}

/** A character tokenizer (code points) whose vocabulary is built from the given passages. */
export function characterTokenizer(
  training: AsyncIterable<Passage>,
  ends: EndsOf,
  options: { minimum?: number; largest?: number } = {},
): Promise<Tokenizer> {
  return countedTokenizer("characters", training, characterSplitter(ends), options);
}

/** A tokenizer of UTF-8 bytes. */
export function byteTokenizer(ends: EndsOf): Tokenizer {
  const vocabulary = byteVocabulary();
  const encoder = new TextEncoder();
  return {
    vocabulary,
    encode(passage) {
      const ids: number[] = [];
      for (const [text, ended] of stretches(passage, ends)) {
        for (const byte of encoder.encode(text)) ids.push(byte);
        if (ended) ids.push(vocabulary.end!);
      }
      return ids;
    },
  };
}

async function countedTokenizer(
  kind: "words" | "characters",
  training: AsyncIterable<Passage>,
  split: Splitter,
  options: { minimum?: number; largest?: number },
): Promise<Tokenizer> {
  const counts = new TokenCounts();
  for await (const passage of training) {
    for (const token of split(passage)) {
      if (token !== END) counts.add(textOf(token), typeof token === "string" ? undefined : token.glued);
    }
  }
  return tokenizerOver(counts.vocabulary(kind, options), split);
}

function tokenizerOver(vocabulary: Vocabulary, split: Splitter): Tokenizer {
  const ids = new Map(vocabulary.words.map((word, id) => [word, id]));
  const end = vocabulary.end!;
  const unknown = vocabulary.unknown!;
  return {
    vocabulary,
    encode: (passage) =>
      Array.from(split(passage), (token) => token === END ? end : ids.get(textOf(token)) ?? unknown),
  };
}

function wordSplitter(rules: WordRules): Splitter {
  const { split, lowercase, ends } = rules;
  const wordsOf: (text: string) => Exclude<Token, typeof END>[] = split === "spaces"
    // Not `\s`, which matches U+FEFF, a character inside words of WikiText.
    ? (text) => text.split(/\p{White_Space}+/u).filter((word) => word !== "")
    : (text) => placedWords(text);
  return function* (passage) {
    for (const [text, ended] of stretches(passage, ends)) {
      const words = wordsOf(lowercase ? text.toLowerCase() : text);
      yield* words;
      // In WikiText an empty line also has an end token; there are no empty sentences.
      if (ended && (words.length > 0 || ends === "lines")) yield END;
    }
  };
}

/**
 * Words of a text, with whether each directly follows the previous one. The first word counts as one that would follow a
 * space in scripts with spaces between words: an opening quotation mark, for example.
 */
function placedWords(text: string): (string | Placed)[] {
  let end = -1;
  return Array.from(wordsIn(text), ({ word, index }) => {
    const before = end;
    end = index + word.length;
    return before < 0 && isUnspaced(word) ? word : { word, glued: index === before };
  });
}

function characterSplitter(ends: EndsOf): Splitter {
  return function* (passage) {
    for (const [text, ended] of stretches(passage, ends)) {
      yield* text;
      if (ended) yield END;
    }
  };
}

/**
 * A passage split where end tokens belong: stretches of text, each with whether an end follows it. Sentences are those
 * of {@link sentencesOf}; one also ends with its document.
 */
export function* stretches(passage: Passage, ends: EndsOf): Generator<readonly [string, boolean]> {
  const { text, last } = passage;
  if (ends === "nothing" || ends === "documents") return yield [text, last && ends === "documents"];
  if (ends === "lines") {
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      yield [text.slice(from, end), true];
      from = end + 1;
    }
    if (from < text.length) yield [text.slice(from), last];
    return;
  }
  yield* sentencesOf(text, last);
}
