import { KEPT, type StepRule } from "./step.ts";

/** Interpolates between the old parameter and the EM maximum. */
export const inertiaStep = {
  number: "inertia",
  factors: (inertia, smoothed) => smoothed > 0 ? { keep: inertia, take: (1 - inertia) / smoothed } : KEPT,
  leaf: (inertia, { leaf, family, statistics, pseudocount, spread }) =>
    family.blend(leaf, family.maximise(leaf, statistics, pseudocount, spread), inertia),
} as const satisfies StepRule;
