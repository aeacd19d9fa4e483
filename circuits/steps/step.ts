import type { ParameterArray } from "../circuit.ts";
import type { Leaf, LeafFamily } from "../leaves/family.ts";

/**
 * How counts become parameters. With `F` the (smoothed) counts of a row and `W` the weight of the samples that say anything
 * about its node:
 * - `em`: `F / sum(F)`, the maximum (Dempster, Laird and Rubin 1977);
 * - `inertia`: `inertia * old + (1 - inertia) * F / sum(F)`, the usual mini-batch EM of circuits;
 * - `anemone`: proportional to `(1 - step) * W * TD * old + step * F`, where `TD` is the top-down probability
 *   of the row, that is how often a sample of the model itself passes it (Liu and Van den Broeck,
 *   "Rethinking Probabilistic Circuit Parameter Learning", 2025). Rows that a batch says little about move
 *   little; `step` 1 is EM.
 */
export type UpdateStep =
  | { readonly kind: "em" }
  | { readonly kind: "inertia"; readonly inertia: number }
  | { readonly kind: "anemone"; readonly step: number };

/** Names of the kinds of steps. */
export type StepName = UpdateStep["kind"];

/** The factors of a step of one row: `new = keep * old + take * F`. */
export interface StepFactors {
  /** Share of the old parameter that stays. */
  readonly keep: number;
  /** What a count weighs. */
  readonly take: number;
}

/** Of a row that has nothing to learn from: it stays as it is. */
export const KEPT: StepFactors = { keep: 1, take: 0 };

/** A leaf with statistics that are no rows, before a step. */
export interface LeafStep {
  /** The leaf, with the values before. */
  readonly leaf: Leaf;
  /** Its family. */
  readonly family: LeafFamily;
  /** Its statistics, `[units, width]`; they may be changed. */
  readonly statistics: Float64Array;
  /** Virtual samples a unit. */
  readonly pseudocount: number;
  /** `[units]`: how often the samples would use each unit under the old parameters, where the rule asks. */
  readonly prior?: ArrayLike<number>;
  /** See {@link LeafFamily.maximise}. */
  readonly spread: number | undefined;
}

/** A kind of step: the one place that knows its mathematics. */
export interface StepRule {
  /** Name of the setting that is its number, from 0 to 1; none when left out. */
  readonly number?: string;
  /** Whether that number may fall by what the epochs bring. */
  readonly falls?: boolean;
  /** Whether it asks how often the samples would use a row under the old parameters. */
  readonly priors?: boolean;
  /** Whether a step over all samples never lowers their likelihood. */
  readonly monotone?: boolean;
  /** The factors of a row whose smoothed counts sum to `smoothed`; {@link KEPT} where there is nothing to learn from. */
  factors(amount: number, smoothed: number, prior: number): StepFactors;
  /** The new values of a leaf. */
  leaf(amount: number, step: LeafStep): ParameterArray;
}
