import { CallError } from "../../foundation/errors.ts";
import { concatenation } from "../automata/algebra.ts";
import type { Constraint, ConstraintLike } from "./constraint.ts";
import { constraintOf, labelOf } from "./phrase.ts";

/**
 * The text can be cut into parts, one after the other, of which the first satisfies the first constraint, the second the
 * second and so on: `inOrder(anyOf(" dog", " cat"), " ball")` asks for an animal and, after it, a ball. Parts do not
 * overlap.
 *
 * @throws {CallError} without constraints
 */
export function inOrder(...constraints: readonly ConstraintLike[]): Constraint {
  if (constraints.length === 0) {
    throw new CallError("control/argument", "`inOrder` has no constraints, expected one or more");
  }
  const parts = constraints.map(constraintOf);
  return {
    label: labelOf("inOrder", parts),
    automaton: parts.map((part) => part.automaton).reduce((a, b) => concatenation(a, b)),
    texts: parts.flatMap((part) => part.texts),
  };
}
