/**
 * Stages that make a language model keep to a constraint: plans, texts drawn in three ways, and their comparison.
 *
 * @module
 */
export * from "./codecs.ts";
export * from "./compare.ts";
export * from "./generate.ts";
export * from "./plan.ts";
