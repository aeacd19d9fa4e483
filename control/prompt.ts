import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { RetortError, textOf } from "../foundation/errors.ts";
import { follow } from "./automata/automaton.ts";
import { UTF8 } from "./automata/utf8.ts";
import { isList, refuseArgument } from "./guards.ts";
import { stateAfterToken } from "./hmm/token_hmm.ts";
import type { PlanCourse } from "./lookahead/continuation.ts";
import { impossible, noSuchLength } from "./lookahead/feasible.ts";
import { fewestTokens } from "./lookahead/reach.ts";
import { encodeText } from "./pieces/encode.ts";
import { stateAfter } from "./pieces/lift.ts";
import { BEGINNING, bytesOf, isText, type Spelling, type SpellingContext } from "./pieces/spelling.ts";

/** What precedes a text: where the automaton and the hidden state stand. */
export interface Beginning {
  /** The tokens of the prompt. */
  readonly prompt: readonly number[];
  /** Whether the constraint is about the prompt as well. */
  readonly whole: boolean;
  /** State of the automaton. */
  readonly state: number;
  /** `[states]`: distribution of the hidden state. */
  readonly hidden: Float64Array;
}

/** What a prompt is read by. */
export interface PromptReader {
  /** The model and the automaton. */
  readonly course: Pick<PlanCourse, "hmm" | "automaton" | "reach" | "usable" | "least" | "most">;
  /** The vocabulary. */
  readonly vocabulary: Vocabulary;
  /** Its spelling. */
  readonly spelling: Spelling;
  /** How the constraint was made. */
  readonly label: string;
}

/** Tokens of a text, or tokens as given, checked. @throws {RetortError} with this code */
export function writtenTokens(
  what: string,
  code: "control/prompt" | "control/suffix",
  text: string | readonly number[],
  vocabulary: Vocabulary,
  spelling: Spelling,
  context: SpellingContext,
): number[] {
  if (typeof text !== "string" && !isList(text)) {
    refuseArgument(
      what,
      text,
      "a text or a list of ids of tokens; other options, such as `whole`, stand beside it",
    );
  }
  const tokens = typeof text === "string" ? encodeText(text, vocabulary, spelling, context) : [...text];
  if (tokens === undefined) {
    throw new RetortError(code, `the vocabulary has no tokens for ${what} ${textOf(text)}`, {
      hint: `Give it as ids of tokens, or in characters that the vocabulary has, in their case${
        missing(text as string, vocabulary)
      }.`,
    });
  }
  const at = tokens.findIndex((token) => !(Number.isInteger(token) && token >= 0 && token < spelling.tokens));
  if (at < 0) return tokens;
  const bad = tokens[at];
  throw new RetortError(code, `${what} has token ${textOf(bad)}, expected 0 to ${spelling.tokens - 1}`);
}

/** The words of a text that a vocabulary of words lacks, for a hint. */
function missing(text: string, { kind, words }: Vocabulary): string {
  if (kind !== "words") return "";
  const odd = text.split(/\s+/).find((word) => word !== "" && !words.includes(word));
  return odd === undefined ? "" : `: it has no word ${textOf(odd)}`;
}

/** The context that tokens leave. */
function contextAfter(tokens: readonly number[], spelling: Spelling): SpellingContext {
  return tokens.reduce<SpellingContext>(
    (context, token) => spelling.spell(token, context)?.context ?? context,
    BEGINNING,
  );
}

/** Says why no text can be completed from a state that a prompt led to. */
function refuseBeginning(
  { automaton, usable, least, most, label, isPrompted, start }: PromptReader["course"] & {
    readonly label: string;
    readonly isPrompted: boolean;
    readonly start: number;
  },
  state: number,
): never {
  // What no text satisfies is not the prompt's fault.
  if (fewestTokens(automaton, usable, start) === Infinity) throw impossible(label, true);
  if (fewestTokens(automaton, usable, state) < Infinity) {
    const what = isPrompted ? `after the prompt, ${label}` : label;
    throw noSuchLength(what, { automaton, usable, least, most }, state);
  }
  throw new RetortError(
    "control/prompt",
    `the prompt breaks ${label}: no continuation can satisfy it`,
    {
      hint:
        "Change the prompt or the constraint, or let the constraint be about the continuation alone (`whole: false`).",
    },
  );
}

/**
 * Reads a prompt. The hidden Markov model reads every token; the automaton only if the constraint is about the whole text.
 *
 * @throws {RetortError} when it breaks the constraint, or ends inside a character; when no text of an allowed length follows
 */
export function beginAfter(
  { course, vocabulary, spelling, label }: PromptReader,
  text: string | readonly number[],
  { whole }: Pick<Beginning, "whole">,
): Beginning {
  const { hmm, automaton, reach } = course;
  const prompt = writtenTokens("the prompt", "control/prompt", text, vocabulary, spelling, BEGINNING);
  let hidden = Float64Array.from(hmm.initial);
  for (const token of prompt) {
    const after = stateAfterToken(hmm, hidden, token);
    // What the model rules out says nothing of the hidden state.
    if (after.some((x) => x > 0)) hidden = after as Float64Array<ArrayBuffer>;
  }
  if (!whole && UTF8.accepting[follow(UTF8, bytesOf(prompt, spelling))] === 0) {
    throw new RetortError("control/prompt", "the prompt ends inside a character", {
      hint: "Give the whole character, or let the constraint be about the prompt as well (`whole: true`).",
    });
  }
  const start = automaton.starts[whole ? BEGINNING : contextAfter(prompt, spelling)]!;
  const read = whole ? prompt.filter((token) => isText(token, spelling)) : [];
  const state = read.reduce((before, token) => stateAfter(automaton, before, token), start);
  if (reach[state] !== 1) refuseBeginning({ ...course, label, isPrompted: prompt.length > 0, start }, state);
  return { prompt, whole, state, hidden };
}
