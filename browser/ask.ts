/** Questions about sentences with blanks, and a circuit's answers: those of the dashboard's explorer and of pages alike. */
import type { Evaluator } from "../circuits/evaluator.ts";
import type { Exclusion } from "../circuits/queries/exclude.ts";
import { logLikelihood } from "../circuits/queries/likelihood.ts";
import { textOfTokens } from "../datasets/text/text_of_tokens.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { CallError, RetortError } from "../foundation/errors.ts";
import { type BlankedSentence, fillBlanks, type FilledBlanks, readBlanks } from "../stages/text/blanks.ts";
import { askedFrame } from "../stages/text/frame_notes.ts";
import { likeliestFilling } from "../stages/text/likeliest.ts";

/** A question about a sentence with blanks. */
export interface SentenceQuestion {
  /** Words separated by spaces, with `_` for each missing one. */
  readonly sentence: string;
  /** Whether the text ends with the sentence; otherwise it may continue. */
  readonly ends: boolean;
  /** Number of words listed per blank. */
  readonly list: number;
  /** Number of completions. */
  readonly draws: number;
  /** Seed of the completions. */
  readonly seed: number;
  /** Whether to find the most probable filling of all blanks, which takes longer. */
  readonly likeliest: boolean;
}

/** A circuit's answer about a sentence. */
export interface TextAnswer extends FilledBlanks {
  /** Kind of the model that answers. */
  readonly kind: "text";
  /** -log2 of the probability of the given words, including end tokens; null if they are impossible. */
  readonly bits: number | null;
  /** Number of given tokens in the sentence, including end tokens. */
  readonly given: number;
  /** Out-of-vocabulary words, read as the unknown word. */
  readonly unknown: readonly string[];
  /** Size of the vocabulary. */
  readonly vocabulary: number;
  /** The word for out-of-vocabulary words; null if there is none. */
  readonly unknownWord: string | null;
  /** The most probable filling of all blanks by known words; null if it was not requested or there is none. */
  readonly likeliest: {
    readonly text: string;
    /** Conditional on the given words. */
    readonly probability: number;
    /** False if the search stopped before proving optimality. */
    readonly exact: boolean;
  } | null;
}

/** An open text model: its circuit, and for blanks the circuit in which they cannot be end tokens. */
export interface AskedModel {
  readonly evaluator: Evaluator;
  withoutEnds(
    blanks: readonly number[],
  ): Promise<{ evaluator: Evaluator; condition: Exclusion["condition"] }>;
}

/** A text circuit's answer about a sentence. Uses the stages' own code, without a run. */
export async function answerText(
  { evaluator, withoutEnds }: AskedModel,
  vocabulary: Vocabulary,
  { sentence, ends, list, draws, seed, likeliest }: SentenceQuestion,
): Promise<TextAnswer> {
  const { circuit } = evaluator;
  // A circuit without information about its windows is queried directly.
  const frame = askedFrame(circuit, vocabulary, {}, () => {});
  const read = readSentence(sentence, vocabulary, circuit.variables.length, frame, ends);
  const [log] = await logLikelihood(evaluator, read.samples);
  let filled: FilledBlanks = { drawn: [], blanks: [] };
  let best: TextAnswer["likeliest"] = null;
  if (read.blanks.length > 0) {
    const asked = await withoutEnds(read.blanks);
    const samples = asked.condition(read.samples);
    filled = await fillBlanks(asked.evaluator, { ...read, samples }, vocabulary, { list, draws, seed });
    if (likeliest) best = await likeliestOf(asked.evaluator, { ...read, samples }, vocabulary);
  }
  return {
    kind: "text",
    bits: bitsOf(log!),
    given: read.samples.observed!.reduce((sum, one) => sum + one, 0),
    unknown: read.unknown,
    vocabulary: vocabulary.words.length,
    unknownWord: vocabulary.unknown === null
      ? null
      : textOfTokens([vocabulary.unknown], vocabulary).trim() || vocabulary.words[vocabulary.unknown]!,
    likeliest: best,
    ...filled,
  };
}

async function likeliestOf(
  evaluator: Evaluator,
  { samples, blanks, words }: BlankedSentence,
  vocabulary: Vocabulary,
): Promise<TextAnswer["likeliest"]> {
  const found = await likeliestFilling(evaluator, samples, blanks, (value) => value !== vocabulary.unknown);
  if (found === undefined) return null;
  const values = samples.values.slice();
  found.values.forEach((value, i) => values[blanks[i]!] = value);
  const { probability, exact } = found;
  return { text: textOfTokens(values.slice(words.from, words.to), vocabulary), probability, exact };
}

/** {@link readBlanks}, but a sentence that does not fit is a bad request here, not a failed run. */
function readSentence(...args: Parameters<typeof readBlanks>): ReturnType<typeof readBlanks> {
  try {
    return readBlanks(...args);
  } catch (error) {
    if (!(error instanceof RetortError)) throw error;
    throw new CallError(error.code, error.message, { hint: error.hint, cause: error });
  }
}

/** Converts a log-likelihood in nats to bits of surprise; null where it is impossible. */
export function bitsOf(log: number): number | null {
  return Number.isFinite(log) ? -log / Math.LN2 : null;
}
