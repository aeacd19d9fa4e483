import type { Circuit } from "../../circuits/circuit.ts";
import type { Evaluator } from "../../circuits/evaluator.ts";
import { conditional } from "../../circuits/queries/conditional.ts";
import { excludeState, type Exclusion } from "../../circuits/queries/exclude.ts";
import { sampleMissing } from "../../circuits/queries/sampling.ts";
import type { Samples } from "../../circuits/samples.ts";
import { type PieceTokenizer, tokenizerOf } from "../../datasets/text/known_tokenizer.ts";
import type { WordPlace } from "../../datasets/text/running_text.ts";
import { textOfTokens } from "../../datasets/text/text_of_tokens.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import { wordsIn } from "../../datasets/text/words.ts";
import type { WindowFrame } from "../../datasets/text/windows.ts";
import { RetortError } from "../../foundation/errors.ts";

/** Stands for a missing token in a sentence. */
export const BLANK = "_";

/** A sentence with blanks as one sample of a circuit over windows. */
export interface BlankedSentence {
  /** The sentence as it lies in a window; what comes after is not observed. */
  readonly samples: Samples;
  /** Variables of the blanks, in their order. */
  readonly blanks: readonly number[];
  /** The variables of the sentence, ends not counted: from the first up to the one after the last. */
  readonly words: { readonly from: number; readonly to: number };
  /** What the vocabulary does not have and the unknown token stands for. */
  readonly unknown: readonly string[];
}

/**
 * Reads a sentence with blanks: a text in which each {@link BLANK} stands for one missing token of the vocabulary. Of a
 * vocabulary of words they are words with spaces between them; those that it does not have as they stand are looked for
 * in small letters, then without the marks around them. Of pieces the text goes through their tokenizer, what stands
 * between blanks as it does in a running text: a blank is one piece, be it a word or a part of one. Of characters or
 * bytes each is a token.
 *
 * @param length variables of the circuit: tokens of a window.
 * @param frame how texts lie in the windows that the circuit was learned from.
 * @param ends whether the text ends with the sentence; otherwise more text may follow.
 * @throws RetortError when it does not fit into a window, or has an unknown word that nothing stands for.
 */
export function readBlanks(
  sentence: string,
  vocabulary: Vocabulary,
  length: number,
  frame: WindowFrame,
  ends = true,
): BlankedSentence {
  const { ids: tokens, unknown } = tokensOf(sentence, vocabulary, frame);
  const end = vocabulary.end === null ? [] : [vocabulary.end];
  const before = frame.begins === "end" ? end : [];
  const row = [...before, ...tokens, ...ends && frame.ends ? end : []];
  if (row.length > length) {
    throw new RetortError(
      "text/sentence",
      `${JSON.stringify(sentence)} has ${row.length} tokens with its ends`,
      { hint: `The circuit is over windows of ${length}: shorten it.` },
    );
  }
  const values = new Int32Array(length), observed = new Uint8Array(length);
  row.forEach((id, t) => {
    if (id === undefined) return;
    values[t] = id;
    observed[t] = 1;
  });
  return {
    samples: { count: 1, variables: length, values, observed },
    blanks: row.flatMap((id, t) => id === undefined ? [t] : []),
    words: { from: before.length, to: before.length + tokens.length },
    unknown,
  };
}

/** Tokens of a sentence, undefined for blanks. */
interface Tokens {
  readonly ids: readonly (number | undefined)[];
  readonly unknown: readonly string[];
}

function tokensOf(sentence: string, vocabulary: Vocabulary, frame: WindowFrame): Tokens {
  if (vocabulary.kind === "bytes") {
    const bytes = new TextEncoder().encode(sentence);
    return { ids: Array.from(bytes, (byte) => byte === BLANK.charCodeAt(0) ? undefined : byte), unknown: [] };
  }
  const tokenizer = tokenizerOf(vocabulary);
  if (tokenizer !== undefined) return piecesOf(sentence, tokenizer, frame);
  const known = new Map(vocabulary.words.map((word, id) => [word, id]));
  const unknown: string[] = [];
  const tokens = vocabulary.kind === "characters" ? [...sentence] : wordsOf(sentence, vocabulary, known);
  const ids = tokens.map((token) => {
    if (token === BLANK) return undefined;
    const id = known.get(token) ?? known.get(token.toLowerCase());
    if (id !== undefined) return id;
    unknown.push(token);
    return unknownOf(vocabulary, token);
  });
  return { ids, unknown };
}

function unknownOf({ unknown }: Vocabulary, token: string): number {
  if (unknown === null) {
    throw new RetortError("text/sentence", `the vocabulary has no ${JSON.stringify(token)}`);
  }
  return unknown;
}

function wordsOf(sentence: string, { kind }: Vocabulary, ids: ReadonlyMap<string, number>): string[] {
  const words = sentence.split(/\s+/).filter((word) => word !== "");
  const known = (word: string) => word === BLANK || ids.has(word) || ids.has(word.toLowerCase());
  return words.flatMap((word) =>
    kind === "words" && !known(word) ? Array.from(wordsIn(word), ({ word }) => word) : [word]
  );
}

/** What stands before, between and after blanks, each cut as it is at its place in a running text. */
function piecesOf(sentence: string, tokenizer: PieceTokenizer, { begins }: WindowFrame): Tokens {
  const ids: (number | undefined)[] = [], unknown: string[] = [];
  sentence.split(BLANK).forEach((text, i) => {
    if (i > 0) ids.push(undefined);
    const given = text.trim().replace(/\s+/g, " ");
    if (given === "") return;
    const place = i > 0 ? /^\s/.test(text) ? "spaced" : "glued" : begins === "anywhere" ? "spaced" : "first";
    const cut = (text: string, at: WordPlace) => tokenizer.cut(text, at) ?? tokenizer.encode(text);
    ids.push(...cut(given, place));
    given.split(" ").forEach((word, w) => {
      const pieces = cut(word, w > 0 ? "spaced" : place);
      if (pieces.length > 0 && !pieces.includes(tokenizer.vocabulary.unknown ?? -1)) return;
      unknown.push(word);
      unknownOf(tokenizer.vocabulary, word);
    });
  });
  return { ids, unknown };
}

/**
 * A circuit in which a blank is never the end token, since no sentence has one in its middle, with the function that adapts samples to it.
 *
 * @param blanks variables of the blanks.
 */
export function withoutEnds(
  circuit: Circuit,
  blanks: readonly number[],
  { end, words }: Vocabulary,
): Exclusion {
  if (end === null || words.length === 1 || blanks.length === 0) {
    return { circuit, condition: (samples) => samples };
  }
  return excludeState(circuit, blanks, end);
}

/** A token that may stand at a blank, with its exact probability. */
export interface Candidate {
  /** As the vocabulary has it. */
  readonly word: string;
  /** Of this word at this place, given all that is known. */
  readonly probability: number;
  /** What to write in place of the blank, where that is not `word`: several pieces may read alike. */
  readonly text?: string;
}

/** What a circuit knows of a blank. */
export interface BlankDistribution {
  /** The most probable words, best first. */
  readonly words: readonly Candidate[];
  /** Entropy of the whole distribution in bits. */
  readonly entropy: number;
}

/** A sentence filled in. */
export interface FilledBlanks {
  /** Draws from the exact distribution of all blanks given the words on both sides. */
  readonly drawn: readonly string[];
  /** The distribution of each blank by itself, summed over all that the others may be. */
  readonly blanks: readonly BlankDistribution[];
}

/**
 * Fills in the blanks of a sentence, exactly.
 *
 * @param evaluator of the circuit that {@link withoutEnds} gives for the blanks.
 * @param sentence with its samples as that says of them.
 * @param options `draws`: completions; `list`: tokens of each blank that are listed; `seed` decides the draws.
 * @throws CircuitError when the words are impossible.
 */
export async function fillBlanks(
  evaluator: Evaluator,
  { samples, blanks, words }: BlankedSentence,
  vocabulary: Vocabulary,
  { draws, list, seed }: { draws: number; list: number; seed: number },
): Promise<FilledBlanks> {
  const drawn = await sampleMissing(evaluator, samples, { seed, draws });
  const marginals = await conditional(evaluator, samples, blanks);
  return {
    drawn: Array.from({ length: draws }, (_, d) => {
      const from = d * samples.variables;
      return textOfTokens(drawn.values.slice(from + words.from, from + words.to), vocabulary);
    }),
    blanks: blanks.map((v) => {
      const distribution = marginals.get(v)!;
      return { words: mostProbable(distribution, list, vocabulary), entropy: bitsOf(distribution) };
    }),
  };
}

function mostProbable(distribution: Float64Array, count: number, vocabulary: Vocabulary): Candidate[] {
  const order = Array.from(distribution.keys()).sort((a, b) => distribution[b]! - distribution[a]! || a - b);
  const listed = order.slice(0, count);
  const texts = listed.map((id) => textOfTokens([id], vocabulary).trim());
  const times = Map.groupBy(texts, (text) => text);
  // Pieces that read alike (" men" and "men"), or not at all (a part of a character), stand as the vocabulary has them.
  return listed.map((id, i) => {
    const text = texts[i]!, piece = vocabulary.words[id]!, probability = distribution[id]!;
    if (text === "" || text.includes("\ufffd")) return { word: piece, probability };
    return times.get(text)!.length === 1 || piece === text
      ? { word: text, probability }
      : { word: piece, probability, text };
  });
}

function bitsOf(distribution: Float64Array): number {
  return distribution.reduce((sum, p) => p > 0 ? sum - p * Math.log2(p) : sum, 0);
}
