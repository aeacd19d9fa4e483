/** The kinds of steps that learning takes, one file each. */
import { anemoneStep } from "./anemone.ts";
import { emStep } from "./em.ts";
import { inertiaStep } from "./inertia.ts";
import type { StepName, StepRule, UpdateStep } from "./step.ts";

export {
  KEPT,
  type LeafStep,
  type StepFactors,
  type StepName,
  type StepRule,
  type UpdateStep,
} from "./step.ts";

/** All kinds, by name. */
export const stepRules: Readonly<Record<StepName, StepRule>> = {
  em: emStep,
  inertia: inertiaStep,
  anemone: anemoneStep,
};

/** The kinds of steps. */
export const STEPS: readonly StepName[] = Object.keys(stepRules) as StepName[];

/** The number of a step, 0 for a kind without one. */
export function amountOf(step: UpdateStep): number {
  const { number } = stepRules[step.kind];
  return number === undefined ? 0 : (step as unknown as Readonly<Record<string, number>>)[number] as number;
}
