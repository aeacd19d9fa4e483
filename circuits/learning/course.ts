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
  /** Whether the scores say that more epochs would not help: patience has run out or, where it never does, the last one was no better. */
  readonly converged: boolean;
  /** The report with the best score; undefined without any. */
  readonly best: EpochReport | undefined;
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
  const scoreIn = ({ valid, train }: EpochReport) => valid ?? train as Score;
  let best: EpochReport | undefined;
  let falls = 0, calm = 0;
  for (const report of reports) {
    if (best === undefined || isBetter(scoreIn(report), scoreIn(best), tolerance)) {
      best = report;
      calm = 0;
    } else calm++;
    if (falls < mostFalls && calm >= round) {
      falls++;
      calm = 0;
    }
  }
  const over = falls === mostFalls && calm >= patience * round;
  return {
    falls,
    calm,
    over,
    converged: over || (patience === Infinity && falls === mostFalls && calm > 0),
    best,
  };
}
