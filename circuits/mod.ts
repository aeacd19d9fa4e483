/**
 * Probabilistic circuits: building and checking them, structures, queries, learning by EM, files. Nothing here knows of pipelines, and
 * {@link ReferenceEvaluator} computes everything, slowly and in double precision; `retort/engines` has what is fast.
 *
 * ```ts
 * import { hmm, logLikelihood, ReferenceEvaluator, samplesFromRows } from "./mod.ts";
 *
 * const model = hmm({ length: 3, states: 2, symbols: 4, seed: 1 });
 * const [whole, part] = await logLikelihood(new ReferenceEvaluator(model), samplesFromRows([[0, 3, 1], [0, null, 1]]));
 * console.assert(part! > whole!);
 * ```
 *
 * @module
 */
export * from "./errors.ts";
export * from "./circuit.ts";
export * from "./random.ts";
export { mapSoft, type SoftEvidence, softWidth, type StateWeights } from "./soft.ts";
export * from "./samples.ts";
export {
  type NamedColumns,
  recordsOf,
  samplesFromRecords,
  type SampleTable,
  stateWords,
  type TableRecord,
} from "./table.ts";
export * from "./leaves/mod.ts";
export * from "./leaves/soft.ts";
export * from "./scope.ts";
export * from "./evidence.ts";
export * from "./turns.ts";
export type { NestedNumbers } from "./nested.ts";
export * from "./checks.ts";
export * from "./parameters.ts";
export * from "./builder.ts";
export * from "./evaluator.ts";
export * from "./reference.ts";
export * from "./maximise.ts";
export * from "./steps/mod.ts";
export * from "./learner.ts";
export * from "./top_down.ts";
export * from "./update.ts";
export * from "./spread.ts";
export * from "./reference_learner.ts";
export * from "./learning/mod.ts";
export * from "./patches/mod.ts";
export * from "./copy.ts";
export * from "./compose.ts";
export * from "./structures/mod.ts";
export * from "./materialise.ts";
export * from "./determinism.ts";
export * from "./queries/mod.ts";
export * from "./safetensors.ts";
export * from "./tensor_file.ts";
export { CIRCUIT_VERSION } from "./structure_file.ts";
export { decodeCircuit, encodeCircuit, type EncodedCircuit } from "./encoded.ts";
export type { QuantisationLoss } from "./eight_bits.ts";
export * from "./one_file.ts";
export * from "./disk.ts";
export * from "./import/mod.ts";
export * from "./export/mod.ts";
