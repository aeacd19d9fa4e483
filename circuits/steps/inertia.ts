import type { ParameterArray } from "../circuit.ts";
import { KEPT, type LeafStep, type StepFactors, type StepRule } from "./step.ts";

/** Interpolates between the old parameter and the EM maximum. */
export const inertiaStep: {
  readonly number: "inertia";
  readonly factors: (inertia: number, smoothed: number) => StepFactors;
  readonly leaf: (
    inertia: number,
    { leaf, family, statistics, pseudocount, spread }: LeafStep,
  ) => ParameterArray;
} = {
  number: "inertia",
  factors: (inertia: number, smoothed: number): StepFactors =>
    smoothed > 0 ? { keep: inertia, take: (1 - inertia) / smoothed } : KEPT,
  leaf: (inertia: number, { leaf, family, statistics, pseudocount, spread }: LeafStep): ParameterArray =>
    family.blend(leaf, family.maximise(leaf, statistics, pseudocount, spread), inertia),
} as const satisfies StepRule;
