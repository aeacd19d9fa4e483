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

/** What a call with constraints looks like, for messages. */
export function labelOf(name: string, parts: readonly (Constraint | number)[]): string {
  return `${name}(${parts.map((part) => typeof part === "number" ? part : part.label).join(", ")})`;
}
