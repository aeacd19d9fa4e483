import { CallError, textOf } from "../../foundation/errors.ts";
import type { Automaton } from "../automata/automaton.ts";
import { isAutomaton, isRecord } from "../guards.ts";

/** What a text must satisfy: a value that can be combined with others. */
export interface Constraint {
  /** How it was made, for messages: `inOrder(" dog", words(1, 3))`. */
  readonly label: string;
  /** Accepts exactly the texts that satisfy it, as bytes of UTF-8. */
  readonly automaton: Automaton;
  /** Literal texts that it is made of. */
  readonly texts: readonly string[];
}

/** A constraint, or a text that must occur: `" ball"` is `phrase(" ball")`. */
export type ConstraintLike = Constraint | string;

/** Whether something is a constraint. */
export function isConstraint(x: unknown): x is Constraint {
  return isRecord(x) && isAutomaton(x.automaton) && typeof x.label === "string" && Array.isArray(x.texts);
}

/** Refuses anything but a whole number from 0; `Infinity` only where it is allowed. @throws {CallError} */
export function requireCount(what: string, x: unknown, { infinite = false }: {
  infinite?: boolean | undefined;
} = {}): void {
  if (Number.isSafeInteger(x) && (x as number) >= 0 || infinite && x === Infinity) return;
  throw new CallError(
    "control/argument",
    `${what} is ${textOf(x)}, expected a whole number from 0${infinite ? ", or Infinity" : ""}`,
  );
}
