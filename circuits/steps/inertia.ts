import { KEPT, type StepRule } from "./step.ts";

/** A part of what was, and the rest of the maximum. */
export const inertiaStep = {
  number: "inertia",
  factors: (inertia, smoothed) => smoothed > 0 ? { keep: inertia, take: (1 - inertia) / smoothed } : KEPT,
  leaf: (inertia, { leaf, family, statistics, pseudocount, spread }) =>
    family.blend(leaf, family.maximise(leaf, statistics, pseudocount, spread), inertia),
} as const satisfies StepRule;
