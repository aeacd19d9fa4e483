import type { ParameterArray } from "../circuit.ts";
import type { Leaf, LeafFamily } from "../leaves/family.ts";

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
