/**
 * Constraints on texts, and how a hidden Markov model makes a language model keep to them.
 *
 * @module
 */
export { accepts, type Automaton, equalAutomata, shortestText } from "./automata/automaton.ts";
export type { Constraint, ConstraintLike } from "./constraints/constraint.ts";
export { phrase } from "./constraints/phrase.ts";
export { all, anyOf, not } from "./constraints/logic.ts";
export { inOrder } from "./constraints/in_order.ts";
export { atLeast, atMost, exactly } from "./constraints/times.ts";
export { words } from "./constraints/words.ts";
export { matches } from "./constraints/matches.ts";
export { jsonSchema } from "./constraints/json_schema.ts";
