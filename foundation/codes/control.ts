import type { CodeEntry } from "./entry.ts";

/** Codes of the room `control`. */
export type ControlCode =
  | "control/argument"
  | "control/regex"
  | "control/schema"
  | "control/too-large"
  | "control/tokenizer"
  | "control/hmm"
  | "control/vocabulary"
  | "control/infeasible"
  | "control/prompt"
  | "control/suffix"
  | "control/length"
  | "control/finished";

/** What they mean. */
export const controlCodes: Readonly<Record<ControlCode, CodeEntry>> = {
  "control/argument": {
    means: "An argument of a constraint, a plan or a draw has the wrong type or lies outside its range.",
    example: "`words` from 7 to 3: the least number exceeds the greatest",
    remedy: "Pass a value of the kind and range that the message names.",
  },
  "control/regex": {
    means:
      "A regular expression has something that no finite automaton can follow, or that Unicode mode refuses.",
    example: "`matches(/(a*)b\\1/)`: Backreferences are not supported",
    remedy:
      "Write it without references to groups. Look-ahead, look-behind, `^`, `$` and `\\b` are understood; expressions are read with the flag `u`.",
  },
  "control/schema": {
    means: "A JSON schema has a keyword or a reference that cannot be followed.",
    example: "the JSON schema has `not` at #/properties/age",
    remedy:
      "Use type, properties, required, items, enum, const, anyOf, oneOf, $ref without recursion, limits of length, bounds of numbers, and patterns.",
  },
  "control/too-large": {
    means:
      "An automaton or a table would be larger than is allowed, or an automaton takes more steps to make: minutes instead of seconds.",
    example: "the automaton of this constraint has more than 100,000 states",
    remedy: "Ask for less: fewer alternatives, smaller counts, shorter bounded repetitions.",
  },
  "control/tokenizer": {
    means:
      "The text of a vocabulary's pieces cannot be told: it has no tokenizer, or one whose decoder is not understood.",
    example: "the tokenizer's decoder has the part `CTC`",
    remedy: "Take the vocabulary of a `tokenizer.json` with a decoder of the kinds that the hint lists.",
  },
  "control/hmm": {
    means:
      "A hidden Markov model is not one that control can use: other shapes, rows that do not sum to one, several transitions.",
    example: "row 3 of the transitions sums to 0.9, expected 1",
    remedy:
      "Use a homogeneous HMM over one categorical token a position, as `hmm` and `materialiseHmm` make it.",
  },
  "control/vocabulary": {
    means: "The hidden Markov model and the language model do not have the same tokens.",
    example: "the HMM has 8000 tokens, the vocabulary 8192",
    remedy: "Distil the HMM from texts of this language model, in its own pieces.",
  },
  "control/infeasible": {
    means: "No text satisfies the constraint, or none of a length that is allowed.",
    example: "`words(7, 12)` needs 7 tokens at least, and 5 are allowed",
    remedy: "Loosen the constraint, or allow as many tokens as the message says.",
  },
  "control/prompt": {
    means: "A prompt breaks the constraint, ends inside a character, or holds a token that is none.",
    example: 'the prompt breaks `not(" bad")`: no continuation can satisfy it',
    remedy: "Change the prompt, or let the constraint be about the continuation alone (`whole: false`).",
  },
  "control/suffix": {
    means: "A suffix cannot be written in tokens, begins inside a character, or holds an end token.",
    example: "the suffix has token 50300, expected 0 to 50256",
    remedy: "Give the suffix as text, or as tokens of this vocabulary.",
  },
  "control/length": {
    means: "Texts of a plan are longer than the language model reads.",
    example:
      "texts of the plan have up to 80 tokens and 5 of prompt, suffix and end, and the language model takes 64 together",
    remedy: "Plan fewer `tokens`, or shorten prompt and suffix.",
  },
  "control/finished": {
    means:
      "A text that is complete, or as long as its plan allows, was to be continued, or a forbidden token was added.",
    example: "token 17 is not allowed here: no text of this plan continues with it",
    remedy: "Make a plan with more tokens, and add only tokens whose logits are finite after `adjust`.",
  },
};
