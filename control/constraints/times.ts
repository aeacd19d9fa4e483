import { ACCEPT_ALL, complement, concatenation, intersection } from "../automata/algebra.ts";
import type { Automaton } from "../automata/automaton.ts";
import { Allowance } from "../automata/allowance.ts";
import { type Constraint, type ConstraintLike, requireCount } from "./constraint.ts";
import { constraintOf, labelOf } from "./phrase.ts";

/**
 * The text holds this `n` times or more, without overlaps, as `text.split(phrase)` counts. Of any other constraint: the
 * text can be cut into `n` parts that satisfy it.
 */
export function atLeast(n: number, constraint: ConstraintLike): Constraint {
  return counted("atLeast", n, constraint, repeated);
}

/** The text holds this `n` times or less; see {@link atLeast}. */
export function atMost(n: number, constraint: ConstraintLike): Constraint {
  return counted("atMost", n, constraint, (automaton, n) => complement(repeated(automaton, n + 1)));
}

/** The text holds this `n` times, no more and no less; see {@link atLeast}. */
export function exactly(n: number, constraint: ConstraintLike): Constraint {
  return counted(
    "exactly",
    n,
    constraint,
    (automaton, n) => intersection(repeated(automaton, n), complement(repeated(automaton, n + 1))),
  );
}

function counted(
  name: string,
  n: number,
  constraint: ConstraintLike,
  build: (automaton: Automaton, n: number) => Automaton,
): Constraint {
  requireCount(`the count of \`${name}\``, n);
  const part = constraintOf(constraint);
  return { label: labelOf(name, [n, part]), automaton: build(part.automaton, n), texts: part.texts };
}

/** Accepts texts that can be cut into `n` parts that the automaton accepts; every text for 0. */
function repeated(automaton: Automaton, n: number): Automaton {
  if (n === 0) return ACCEPT_ALL;
  const allowance = new Allowance();
  let made = automaton;
  for (let i = 1; i < n; i++) made = concatenation(made, automaton, allowance);
  return made;
}
