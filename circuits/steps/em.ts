import { KEPT, type StepRule } from "./step.ts";

/** Plain EM: the maximum of the expected log-likelihood. */
export const emStep = {
  monotone: true,
  factors: (_amount, smoothed) => smoothed > 0 ? { keep: 0, take: 1 / smoothed } : KEPT,
  leaf: (_amount, { leaf, family, statistics, pseudocount, spread }) =>
    family.maximise(leaf, statistics, pseudocount, spread),
} as const satisfies StepRule;
