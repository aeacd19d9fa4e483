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

/** Refuses a range of lengths none of which leads from a state to an accepting one, with the number that would do. */
export function refuseLengths(
  label: string,
  { automaton, usable, least, most }: LengthRange & {
    readonly automaton: TokenAutomaton;
    readonly usable: Uint8Array;
  },
  state: number,
): void {
  const fewest = fewestTokens(automaton, usable, state, least);
  if (fewest <= most) return;
  const any = fewest === Infinity ? fewestTokens(automaton, usable, state) : fewest;
  if (any === Infinity) throw impossible(label);
  throw new RetortError(
    "control/infeasible",
    any < least
      ? `only texts of fewer than ${least} tokens satisfy ${label}: ${any} would do`
      : `${label} needs ${any} tokens at least, and ${most} are allowed`,
    { hint: "Set `tokens` so that this number lies in its range." },
  );
}
