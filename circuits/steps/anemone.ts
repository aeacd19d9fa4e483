import type { ParameterArray } from "../circuit.ts";
import { KEPT, type LeafStep, type StepFactors, type StepRule } from "./step.ts";

/** Weights old values by how often samples of the model itself would use them, and mixes in the counts. */
export const anemoneStep: {
  readonly number: "step";
  readonly falls: true;
  readonly priors: true;
  readonly factors: (step: number, smoothed: number, prior: number) => StepFactors;
  readonly leaf: (
    step: number,
    { leaf, family, statistics, pseudocount, prior, spread }: LeafStep,
  ) => ParameterArray;
} = {
  number: "step",
  falls: true,
  priors: true,
  factors(step: number, smoothed: number, prior: number): StepFactors {
    const old = (1 - step) * prior, all = old + step * smoothed;
    return all > 0 ? { keep: old / all, take: step / all } : KEPT;
  },
  leaf(step: number, { leaf, family, statistics, pseudocount, prior, spread }: LeafStep): ParameterArray {
    for (let i = 0; i < statistics.length; i++) statistics[i] = step * (statistics[i] as number);
    for (let u = 0; u < leaf.units; u++) {
      family.accumulateExpected(leaf, u, (1 - step) * (prior?.[u] ?? 0), statistics);
    }
    return family.maximise(leaf, statistics, step * pseudocount, spread);
  },
} as const satisfies StepRule;
