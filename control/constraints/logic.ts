import { ACCEPT_ALL, ACCEPT_NONE, complement, intersection, union } from "../automata/algebra.ts";
import { type Constraint, type ConstraintLike, labelOf } from "./constraint.ts";
import { constraintOf } from "./phrase.ts";
import { notedChoice, notedDenial } from "./within.ts";

/** The text satisfies each of these. Without any, every text does. */
export function all(...constraints: readonly ConstraintLike[]): Constraint {
  const parts = constraints.map(constraintOf);
  if (parts.length === 1) return { ...parts[0]!, label: labelOf("all", parts) };
  return notedDenial({
    label: labelOf("all", parts),
    automaton: inPairs(parts.map((part) => part.automaton), intersection, ACCEPT_ALL),
    texts: parts.flatMap((part) => part.texts),
  }, parts);
}

/** The text satisfies one of these, or several: `anyOf(" dog", " cat")`. Without any, no text does. */
export function anyOf(...constraints: readonly ConstraintLike[]): Constraint {
  const parts = constraints.map(constraintOf);
  if (parts.length === 1) return { ...parts[0]!, label: labelOf("anyOf", parts) };
  return notedChoice({
    label: labelOf("anyOf", parts),
    automaton: inPairs(parts.map((part) => part.automaton), union, ACCEPT_NONE),
    texts: parts.flatMap((part) => part.texts),
  }, parts);
}

/** The text does not satisfy this: `not(" bad")` holds of texts without that phrase. */
export function not(constraint: ConstraintLike): Constraint {
  const part = constraintOf(constraint);
  const denied = { label: labelOf("not", [part]), automaton: complement(part.automaton), texts: part.texts };
  return notedDenial(denied, [part]);
}

/** Joins neighbours until one is left, so that intermediate results stay small. */
function inPairs<T>(list: readonly T[], join: (a: T, b: T) => T, none: T): T {
  if (list.length < 2) return list[0] ?? none;
  const half = Math.ceil(list.length / 2);
  return join(inPairs(list.slice(0, half), join, none), inPairs(list.slice(half), join, none));
}
