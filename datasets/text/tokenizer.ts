import type { Passage } from "./passages.ts";
import { isUnspaced, sentencesOf, wordsIn } from "./words.ts";
import { byteVocabulary, TokenCounts, type Vocabulary } from "./vocabulary.ts";

/** After what the end token stands: nothing, each document, each line, or each sentence. */
export type EndsOf = "nothing" | "documents" | "lines" | "sentences";
/** What the end token may stand after. */
export const endsOf = ["nothing", "documents", "lines", "sentences"] as const;

/** Gives tokens for text, a passage at a time, in the order of the documents. */
export interface Tokenizer {
  /** What the ids mean. */
  readonly vocabulary: Vocabulary;
  /** The ids of a passage. */
  encode(passage: Passage): number[];
}

/** How words are told apart. */
export interface WordRules {
  /** `spaces`: what stands between white space, for text that is in tokens already. `letters`: letters and digits in a row, each other mark alone. */
  readonly split: "spaces" | "letters";
  /** Whether capitals become small letters. */
  readonly lowercase: boolean;
  /** What the end token stands after. */
  readonly ends: EndsOf;
}

/** Where an end token stands among tokens. */
const END = Symbol("end");
/** A token, one that stands after another with or without a space between them, or an end. */
type Token = string | Placed | typeof END;
interface Placed {
  readonly word: string;
  /** Whether it stands without a space after the one before. */
  readonly glued: boolean;
}
const textOf = (token: string | Placed): string => typeof token === "string" ? token : token.word;

/** Tells passages apart into tokens. */
type Splitter = (passage: Passage) => Iterable<Token>;

/**
 * A tokenizer of words. The vocabulary is that of the passages given.
 *
 * @param options `minimum`: rarer words become the unknown word; `largest`: ids at most.
 */
export function wordTokenizer(
  training: AsyncIterable<Passage>,
  rules: WordRules,
  options: { minimum?: number; largest?: number } = {},
): Promise<Tokenizer> {
  return countedTokenizer("words", training, wordSplitter(rules), options);
}

/** A tokenizer of words over a vocabulary that is there already. */
export function wordTokenizerOver(vocabulary: Vocabulary, rules: WordRules): Tokenizer {
  return tokenizerOver(vocabulary, wordSplitter(rules));
}

/** A tokenizer of characters (code points). The vocabulary is that of the passages given. */
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
    // Not `\s`: that takes U+FEFF, which stands inside words of WikiText, for white space.
    ? (text) => text.split(/\p{White_Space}+/u).filter((word) => word !== "")
    : (text) => placedWords(text);
  return function* (passage) {
    for (const [text, ended] of stretches(passage, ends)) {
      const words = wordsOf(lowercase ? text.toLowerCase() : text);
      yield* words;
      // In WikiText an empty line ends too; an empty sentence does not exist.
      if (ended && (words.length > 0 || ends === "lines")) yield END;
    }
  };
}

/**
 * Words of a text with whether they begin where the one before ends. The first one would have a space before it, if there
 * were one, in scripts that put spaces between words: an opening quotation mark, for example.
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
 * A passage cut where end tokens stand: stretches of text with whether an end stands after each. Sentences are those of
 * {@link sentencesOf}; one ends with its document as well.
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
