import { isBetter, type Score } from "./score.ts";
import type { EpochReport } from "./state.ts";

/** How far a training has come, by the scores of its epochs. */
export interface Course {
  /** How often the step has fallen. */
  readonly falls: number;
  /** Epochs since the score got better or the step fell. */
  readonly calm: number;
  /** Whether it has gone on long enough without a better score. */
  readonly over: boolean;
}

/** What decides a course. */
export interface CourseRules {
  /** Rounds without a better score after which a training is over; Infinity: never. */
  readonly patience: number;
  /** Nats a sample by which a score must be better. */
  readonly tolerance: number;
  /** How often the step may fall. */
  readonly mostFalls: number;
  /** Epochs of a round: one, or as many as have enough updates to tell anything. */
  readonly round: number;
}

/**
 * The course of a training: a score is better when it is by more than the tolerance above the best one so far; after a
 * round without one the step falls, and after `patience` rounds at the smallest step it is over. The scores are those of
 * the validation samples or, without them, of the training samples.
 */
export function courseOf(reports: readonly EpochReport[], rules: CourseRules): Course {
  const { patience, tolerance, mostFalls, round } = rules;
  let best: Score | undefined;
  let falls = 0, calm = 0;
  for (const { valid, train } of reports) {
    const score = valid ?? train as Score;
    if (best === undefined || isBetter(score, best, tolerance)) {
      best = score;
      calm = 0;
    } else calm++;
    if (falls < mostFalls && calm >= round) {
      falls++;
      calm = 0;
    }
  }
  return { falls, calm, over: falls === mostFalls && calm >= patience * round };
}
