import type { CodeEntry } from "./entry.ts";

/** Codes of the room `control`. */
export type ControlCode =
  | "control/argument"
  | "control/regex"
  | "control/schema"
  | "control/too-large";

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
      "Use type, properties, required, items, enum, const, anyOf, oneOf, $ref without recursion, and limits of length.",
  },
  "control/too-large": {
    means: "An automaton would have more states than are allowed.",
    example: "the automaton of this constraint has more than 100,000 states",
    remedy: "Ask for less: fewer alternatives, smaller counts, shorter bounded repetitions.",
  },
};
