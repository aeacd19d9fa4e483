/** Readers of other programs' formats. */
export { parseJpc } from "./jpc.ts";
export { parsePsdd } from "./psdd.ts";
export { type CompiledFactors, compileFactors, type Factor, type FactorGraph, parseUai } from "./uai.ts";
