import { ACCEPT_ALL, complement, concatenation, intersection } from "../automata/algebra.ts";
import { Allowance } from "../automata/allowance.ts";
import { requireInteger } from "../guards.ts";
import { type Constraint, type ConstraintLike, labelOf } from "./constraint.ts";
import { constraintOf } from "./phrase.ts";
import { inSequence, looksAround, notedDenial } from "./within.ts";

/**
 * The text holds this `n` times or more, without overlaps, as `text.split(phrase)` counts. Of any other constraint: the
 * text can be cut into `n` parts that satisfy it; what a part looks at (`word`, `\b`, look-around, `^` and `$`) is judged in
 * the whole text.
 */
export function atLeast(n: number, constraint: ConstraintLike): Constraint {
  const { label, part } = counted("atLeast", n, constraint);
  return { ...repeated(label, part, n), label };
}

/** The text holds this `n` times or less; see {@link atLeast}. */
export function atMost(n: number, constraint: ConstraintLike): Constraint {
  const { label, part } = counted("atMost", n, constraint);
  const { automaton } = repeated(label, part, n + 1);
  return notedDenial({ label, automaton: complement(automaton), texts: part.texts }, [part]);
}

/** The text holds this `n` times, no more and no less; see {@link atLeast}. */
export function exactly(n: number, constraint: ConstraintLike): Constraint {
  const { label, part } = counted("exactly", n, constraint);
  const [enough, more] = [repeated(label, part, n), repeated(label, part, n + 1)];
  const automaton = intersection(enough.automaton, complement(more.automaton));
  return notedDenial({ label, automaton, texts: part.texts }, [part]);
}

function counted(name: string, n: number, constraint: ConstraintLike): { label: string; part: Constraint } {
  requireInteger(`the count of \`${name}\``, n, 0);
  const part = constraintOf(constraint);
  return { label: labelOf(name, [n, part]), part };
}

/** Texts that can be cut into `n` parts that satisfy a constraint; every text for 0. */
function repeated(label: string, part: Constraint, n: number): Constraint {
  if (n === 0) return { ...part, automaton: ACCEPT_ALL };
  if (n > 1 && looksAround(part)) return inSequence(label, Array.from({ length: n }, () => part));
  const allowance = new Allowance();
  let made = part.automaton;
  for (let i = 1; i < n; i++) made = concatenation(made, part.automaton, allowance);
  return { ...part, automaton: made };
}
