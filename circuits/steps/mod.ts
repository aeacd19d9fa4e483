/** The kinds of update steps, one file each. */
import * as kinds from "./kinds.ts";
import type { StepRule } from "./step.ts";

export { KEPT, type LeafStep, type StepFactors, type StepRule } from "./step.ts";

/** Names of the kinds of steps. */
export type StepName = keyof typeof kinds;

/** The numeric setting of a kind of step, under its own name; empty for a kind without one. */
export type StepNumber<K extends StepName, T = number> = (typeof kinds)[K] extends
  { readonly number: infer N extends string } ? { readonly [P in N]: T } : unknown;

/** Kinds of steps whose number may fall depending on the scores of the epochs. */
export type FallingStep = {
  [K in StepName]: (typeof kinds)[K] extends { readonly falls: true } ? K : never;
}[StepName];

/**
 * How counts become parameters. With `F` the (smoothed) counts of a row and `W` the weight of the samples with evidence
 * in the scope of its node:
 * - `em`: `F / sum(F)`, the maximum (Dempster, Laird and Rubin 1977);
 * - `inertia`: `inertia * old + (1 - inertia) * F / sum(F)`, the usual mini-batch EM for circuits;
 * - `anemone`: proportional to `(1 - step) * W * TD * old + step * F`, where `TD` is the top-down probability
 *   of the row, i.e. how often a sample of the model itself passes it (Liu and Van den Broeck,
 *   "Rethinking Probabilistic Circuit Parameter Learning", 2025). Rows with little evidence in a batch move
 *   little; `step` 1 is EM.
 */
export type UpdateStep = { [K in StepName]: { readonly kind: K } & StepNumber<K> }[StepName];

/** The rules of all kinds, by name. */
export const stepRules: Readonly<Record<StepName, StepRule>> = { ...kinds };

/** Names of all kinds of steps. */
export const STEPS: readonly StepName[] = Object.keys(stepRules) as StepName[];

/** The number of a step; 0 for a kind without one. */
export function amountOf(step: UpdateStep): number {
  const { number } = stepRules[step.kind];
  return number === undefined ? 0 : (step as unknown as Readonly<Record<string, number>>)[number] as number;
}
