import { isBetter, type Score } from "./score.ts";
import type { EpochReport } from "./state.ts";

/** How far a training has come, judged by the scores of its epochs. */
export interface Course {
  /** How often the step has been reduced. */
  readonly falls: number;
  /** Epochs since the score last improved or the step was last reduced. */
  readonly calm: number;
  /** Whether patience has run out. */
  readonly over: boolean;
}

/** Settings that determine a course. */
export interface CourseRules {
  /** Rounds without improvement after which training stops; Infinity: never. */
  readonly patience: number;
  /** Minimum improvement of a score, in nats per sample. */
  readonly tolerance: number;
  /** Maximum number of reductions of the step. */
  readonly mostFalls: number;
  /** Epochs per round: one, or as many as it takes to have enough updates to judge. */
  readonly round: number;
}

/**
 * The course of a training: a score is an improvement if it exceeds the best one so far by more than the tolerance. After
 * a round without improvement the step is reduced; after `patience` rounds at the smallest step, training is over. Scores
 * are those of the validation samples or, without them, of the training samples.
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
