/** How tables tell of the trainings of models of images, for terminals and pages. */
import { type BitsPerDimension, formatBits } from "../../datasets/images/bits.ts";

/** How the training of a model of images went. */
export interface ImageCourse {
  /** Epochs of EM before the training of the last level, or of all together, began. */
  before: number;
  /** Epochs of that training. */
  epochs: number;
  /** The epoch of it whose parameters were kept. */
  bestEpoch: number;
  /** Bits per dimension of the validation images by the budget of epochs; null where there is no such figure. */
  atBudget: number | null;
  /** The same of the epoch that was kept. */
  valid: number | null;
}

/** Heads of what {@link courseCells} says. */
export function courseHead(budget: number): string[] {
  return [`valid by epoch ${budget}`, "valid", "epoch"];
}

/**
 * Bits per dimension of the validation images by the budget, and of the epoch that was kept; which epoch that is, of how many, after how
 * many of other levels.
 */
export function courseCells(
  { figure, course }: { readonly figure: BitsPerDimension; readonly course?: ImageCourse | undefined },
): string[] {
  if (course === undefined) return ["", "", ""];
  const bits = (value: number | null) => value === null ? "–" : formatBits({ ...figure, bits: value });
  const { before, epochs, bestEpoch, atBudget, valid } = course;
  return [bits(atBudget), bits(valid), `${before === 0 ? "" : `${before} + `}${bestEpoch} of ${epochs}`];
}
