import type { ParameterArray } from "../circuit.ts";
import { KEPT, type LeafStep, type StepFactors, type StepRule } from "./step.ts";

/** Plain EM: the maximum of the expected log-likelihood. */
export const emStep: {
  readonly monotone: true;
  readonly factors: (_amount: number, smoothed: number) => StepFactors;
  readonly leaf: (
    _amount: number,
    { leaf, family, statistics, pseudocount, spread }: LeafStep,
  ) => ParameterArray;
} = {
  monotone: true,
  factors: (_amount: number, smoothed: number): StepFactors =>
    smoothed > 0 ? { keep: 0, take: 1 / smoothed } : KEPT,
  leaf: (_amount: number, { leaf, family, statistics, pseudocount, spread }: LeafStep): ParameterArray =>
    family.maximise(leaf, statistics, pseudocount, spread),
} as const satisfies StepRule;
