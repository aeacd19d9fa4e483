import type { Evaluator } from "../../circuits/evaluator.ts";
import { conditional } from "../../circuits/queries/conditional.ts";
import { sampleMissing } from "../../circuits/queries/sampling.ts";
import type { Samples } from "../../circuits/samples.ts";
import { textOfTokens, type Vocabulary } from "../../datasets/text/vocabulary.ts";
import { RetortError } from "../../foundation/errors.ts";

/** Stands for a missing word in a sentence. */
export const BLANK = "_";

/** A sentence with blanks as one sample of a circuit over windows. */
export interface BlankedSentence {
  /** The end of the sentence before, the words, the end; what comes after is not observed. */
  readonly samples: Samples;
  /** Variables of the blanks, in their order. */
  readonly blanks: readonly number[];
  /** The variables of the words: from the first up to the one after the last. */
  readonly words: { readonly from: number; readonly to: number };
  /** What the vocabulary does not have and the unknown word stands for. */
  readonly unknown: readonly string[];
}

/**
 * Reads a sentence with blanks: words with spaces between them, {@link BLANK} for each missing one. Words that the
 * vocabulary does not have as they stand are looked for in small letters, then without the marks around them. Of a
 * vocabulary of characters or bytes each of them is a unit.
 *
 * @param length variables of the circuit: units of a window.
 * @param ends whether the sentence ends where its text does; otherwise it may go on.
 * @throws RetortError when it does not fit into a window, or has an unknown word that nothing stands for.
 */
export function readBlanks(
  sentence: string,
  vocabulary: Vocabulary,
  length: number,
  ends = true,
): BlankedSentence {
  const ids = new Map(vocabulary.words.map((word, id) => [word, id]));
  const unknown: string[] = [];
  const tokens = unitsOf(sentence, vocabulary, ids).map((unit) => {
    if (unit === BLANK) return undefined;
    const id = ids.get(unit) ?? ids.get(unit.toLowerCase());
    if (id !== undefined) return id;
    if (vocabulary.unknown === null) {
      throw new RetortError(`the vocabulary has no ${JSON.stringify(unit)}`);
    }
    unknown.push(unit);
    return vocabulary.unknown;
  });
  const end = vocabulary.end === null ? [] : [vocabulary.end];
  const row = [...end, ...tokens, ...ends ? end : []];
  if (row.length > length) {
    throw new RetortError(`${JSON.stringify(sentence)} has ${row.length} tokens with its ends`, {
      hint: `The circuit is over windows of ${length}: shorten it.`,
    });
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
    words: { from: end.length, to: end.length + tokens.length },
    unknown,
  };
}

/** Letters and digits in a row, each other mark alone. */
const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*|[^\s\p{L}\p{N}]/gu;

function unitsOf(sentence: string, { kind }: Vocabulary, ids: ReadonlyMap<string, number>): string[] {
  if (kind === "characters") return [...sentence];
  if (kind === "bytes") {
    return Array.from(
      new TextEncoder().encode(sentence),
      (byte) => byte === 0x5f ? BLANK : `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
    );
  }
  const words = sentence.split(/\s+/).filter((word) => word !== "");
  const known = (word: string) => word === BLANK || ids.has(word) || ids.has(word.toLowerCase());
  return words.flatMap((word) => kind === "words" && !known(word) ? word.match(WORD) ?? [word] : [word]);
}

/** A word that may stand at a blank, with its exact probability. */
export interface Candidate {
  readonly word: string;
  readonly probability: number;
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
 * @param options `draws`: completions; `list`: words of each blank that are listed; `seed` decides the draws.
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
  return order.slice(0, count).map((id) => ({
    word: textOfTokens([id], vocabulary).trim() || vocabulary.words[id]!,
    probability: distribution[id]!,
  }));
}

function bitsOf(distribution: Float64Array): number {
  return distribution.reduce((sum, p) => p > 0 ? sum - p * Math.log2(p) : sum, 0);
}
