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
export { word } from "./constraints/word.ts";
export { words } from "./constraints/words.ts";
export { matches } from "./constraints/matches.ts";
export { jsonSchema } from "./constraints/json_schema.ts";
export { anyText, type Control, type ControlPlanOptions } from "./control.ts";
export { type ControlOptions, openControl } from "./open.ts";
export type { ControlPlan } from "./plan.ts";
export type { Adjustment, Continuation, PlanCourse } from "./lookahead/continuation.ts";
export {
  type LogitsProcessor,
  type LogitsTensor,
  type ProcessorOptions,
  type TokenProcessor,
} from "./processor.ts";
export {
  type Emissions,
  hmmAfter,
  type HmmNumbers,
  hmmOfCircuit,
  type Reals,
  type TokenHmm,
  tokenHmm,
} from "./hmm/token_hmm.ts";
export { vocabularyDigest } from "./digest.ts";
export { type ControlledDraws, type ControlledText, drawControlled, type DrawnFrom } from "./draw.ts";
export { type ControlledSearch, type FoundText, searchControlled } from "./beams.ts";
export { constraintFromJson } from "./constraints/from_json.ts";
export { constraintFromText } from "./constraints/from_text.ts";
export { languageModelOfHmm } from "./hmm/language_model.ts";
export { decodeHmmFile, encodeHmmFile } from "./hmm/file.ts";
export { hmmScore, languageModelScores } from "./score.ts";
export type { QuantisationLoss } from "../circuits/eight_bits.ts";
export { quantised } from "./hmm/quantise.ts";
export type { Beginner, PlanParts } from "./parts.ts";
export type { TransitionProducts } from "./hmm/products.ts";
export type { Beginning } from "./prompt.ts";
export type { TokenAutomaton } from "./pieces/lift.ts";
export type { LookAhead } from "./lookahead/table.ts";
export type { LengthRange } from "./lookahead/reach.ts";
export type { Scaled } from "./lookahead/scaled.ts";
export {
  AFTER,
  BEGINNING,
  type Spelled,
  type Spelling,
  type SpellingContext,
  WORD_ENDED,
} from "./pieces/spelling.ts";
