/** Queries on a circuit, answered through any {@link Evaluator}. */
export { conditional, conditionalMean, entropy } from "./conditional.ts";
export { excludeState, type Exclusion } from "./exclude.ts";
export { type Latent, posterior, type StatePaths, viterbi } from "./latent.ts";
export { conditionalLogLikelihood, expectedStatistics, logLikelihood, marginal } from "./likelihood.ts";
export { type Completion, map, maxProduct } from "./map.ts";
export { type ImageShape, pixelVariables, rectangleMask, textPositions } from "./masks.ts";
export { sample, sampleMissing, type SamplingOptions } from "./sampling.ts";
