import type { ParameterArray } from "../circuit.ts";
import type { Leaf, LeafFamily } from "../leaves/family.ts";

/** Factors for one row: `new = keep * old + take * F`. */
export interface StepFactors {
  /** Factor of the old parameter. */
  readonly keep: number;
  /** Factor of the counts. */
  readonly take: number;
}

/** For a row without data: it stays unchanged. */
export const KEPT: StepFactors = { keep: 1, take: 0 };

/** A leaf whose statistics are not rows of counts, before a step. */
export interface LeafStep {
  /** The leaf, with its previous values. */
  readonly leaf: Leaf;
  /** Its family. */
  readonly family: LeafFamily;
  /** Its statistics, `[units, width]`; may be modified. */
  readonly statistics: Float64Array;
  /** Virtual samples per unit. */
  readonly pseudocount: number;
  /** `[units]`: how often the samples would use each unit under the old parameters, if the rule asks for it. */
  readonly prior?: ArrayLike<number>;
  /** See {@link LeafFamily.maximise}. */
  readonly spread: number | undefined;
}

/** A kind of step, and the only place that implements its mathematics. */
export interface StepRule {
  /** Name of its numeric setting, from 0 to 1; none if omitted. */
  readonly number?: string;
  /** Whether that number may fall depending on the scores of the epochs. */
  readonly falls?: boolean;
  /** Whether it needs to know how often the samples would use a row under the old parameters. */
  readonly priors?: boolean;
  /** Whether a step over all samples never lowers their likelihood. */
  readonly monotone?: boolean;
  /** Factors for a row whose smoothed counts sum to `smoothed`; {@link KEPT} if there is nothing to learn from. */
  factors(amount: number, smoothed: number, prior: number): StepFactors;
  /** The new values of a leaf. */
  leaf(amount: number, step: LeafStep): ParameterArray;
}
