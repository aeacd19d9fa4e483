/**
 * Stages that make a language model keep to a constraint: plans, texts drawn in three ways, their comparison, and
 * what the quality of the hidden Markov model does to them.
 *
 * @module
 */
export * from "./codecs.ts";
export * from "./compare.ts";
export * from "./generate.ts";
export * from "./plan.ts";
export { controlQuality, type QualityRow, type QualityTable, qualityTable } from "./quality.ts";
export { constraintParam } from "./shared.ts";
export type { TextMeasures } from "./measures.ts";
