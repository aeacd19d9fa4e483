import type { LeafFamily } from "./family.ts";

/**
 * Log-likelihoods that come with the data, a vector of `units` for each sample ({@link Samples.externals}). A circuit
 * over patches uses them for the circuits of the patches. No parameter, nothing to learn. Its only value is the chosen
 * unit: sampling and MAP report it so that the caller can continue in the circuit that the unit stands for.
 */
export const external: LeafFamily = {
  name: "external",
  kinds: ["external"],
  external: true,
  states: () => 0,
  parameterShape: () => undefined,
  checkSettings: () => undefined,
  checkValues: () => undefined,
  initialise: () => new Float32Array(0),
  // Evaluators read the log-likelihoods from the samples; without them the leaf is marginalised.
  logProbability: () => 0,
  statisticsWidth: () => 0,
  accumulate: () => {},
  maximise: (leaf) => leaf.values,
  accumulateExpected: () => {},
  blend: (leaf) => leaf.values,
  start: (leaf) => leaf.values,
  perturb: (leaf) => leaf.values,
  sample: (_leaf, unit) => unit,
  mode: (_leaf, unit) => unit,
  mean: (_leaf, unit) => unit,
};
