import { RetortError } from "../../foundation/errors.ts";
import type { TokenAutomaton } from "../pieces/lift.ts";
import { fewestTokens, type LengthRange } from "./reach.ts";

/** The error of a constraint that no text satisfies. */
export function impossible(label: string, byOtherTokens = false): RetortError {
  return new RetortError(
    "control/infeasible",
    `no text satisfies ${label}${byOtherTokens ? ": tokens of this vocabulary cannot spell it" : ""}`,
    { hint: "Look for parts that exclude each other, and for characters that the vocabulary lacks." },
  );
}

/** The error of lengths none of which leads from a state to an accepting one, with the number of tokens that would do. */
export function noSuchLength(
  label: string,
  { automaton, usable, least, most }: LengthRange & {
    readonly automaton: TokenAutomaton;
    readonly usable: Uint8Array;
  },
  state: number,
): RetortError {
  const more = fewestTokens(automaton, usable, state, least);
  return new RetortError(
    "control/infeasible",
    more < Infinity
      ? `${label} needs ${more} tokens at least, and ${most} are allowed`
      : `only texts of fewer than ${least} tokens satisfy ${label}: ${
        fewestTokens(automaton, usable, state)
      } would do`,
    { hint: "Set `tokens` so that this number lies in its range." },
  );
}
