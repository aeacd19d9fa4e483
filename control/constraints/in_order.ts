import { CallError } from "../../foundation/errors.ts";
import { concatenation } from "../automata/algebra.ts";
import { type Constraint, type ConstraintLike, labelOf } from "./constraint.ts";
import { constraintOf } from "./phrase.ts";
import { inSequence, looksAround } from "./within.ts";

/**
 * The text can be cut into parts, one after the other, of which the first satisfies the first constraint, the second the
 * second and so on: `inOrder(anyOf(" dog", " cat"), " ball")` asks for an animal and, after it, a ball. Parts do not
 * overlap. What a part looks at (`word`, `\b`, look-around, `^` and `$`) is judged in the whole text.
 *
 * @throws {CallError} without constraints
 */
export function inOrder(...constraints: readonly ConstraintLike[]): Constraint {
  if (constraints.length === 0) {
    throw new CallError("control/argument", "`inOrder` has no constraints, expected one or more");
  }
  const parts = constraints.map(constraintOf);
  const label = labelOf("inOrder", parts);
  if (parts.length > 1 && parts.some(looksAround)) return inSequence(label, parts);
  return {
    label,
    automaton: parts.map((part) => part.automaton).reduce((a, b) => concatenation(a, b)),
    texts: parts.flatMap((part) => part.texts),
  };
}
