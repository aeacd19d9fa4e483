import { KEPT, type StepRule } from "./step.ts";

/** Weights old values by how often samples of the model itself would use them, and mixes in the counts. */
export const anemoneStep = {
  number: "step",
  falls: true,
  priors: true,
  factors(step, smoothed, prior) {
    const old = (1 - step) * prior, all = old + step * smoothed;
    return all > 0 ? { keep: old / all, take: step / all } : KEPT;
  },
  leaf(step, { leaf, family, statistics, pseudocount, prior, spread }) {
    for (let i = 0; i < statistics.length; i++) statistics[i] = step * (statistics[i] as number);
    for (let u = 0; u < leaf.units; u++) {
      family.accumulateExpected(leaf, u, (1 - step) * (prior?.[u] ?? 0), statistics);
    }
    return family.maximise(leaf, statistics, step * pseudocount, spread);
  },
} as const satisfies StepRule;
