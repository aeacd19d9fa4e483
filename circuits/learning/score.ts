import type { Learner } from "../learner.ts";
import type { Evaluator } from "../evaluator.ts";
import { ascending, batchCount, batchOf, readBatch, type SampleSource, weightOf } from "./source.ts";
import { requireObject } from "../guards.ts";

/** How well a circuit fits samples. */
export interface Score {
  /** Weighted mean log-likelihood of the possible samples, in nats; -Infinity if there are none. */
  readonly logLikelihood: number;
  /** The same, negated, in bits per variable: smaller is better. */
  readonly bitsPerVariable: number;
  /** Number of samples with likelihood zero; they are excluded from the mean. */
  readonly impossible: number;
  /** Number of all samples. */
  readonly samples: number;
}

/** Sums weighted log-likelihoods, excluding impossible samples from the mean. */
export class ScoreSum {
  /** Sum of the log-likelihoods of possible samples. */
  total = 0;
  /** Weight of the possible samples. */
  weight = 0;
  /** Number of samples with likelihood zero. */
  impossible = 0;
  /** Number of all samples. */
  samples = 0;

  /** Adds the samples of a batch. */
  add(logLikelihoods: Float64Array, weights?: ArrayLike<number>): void {
    this.samples += logLikelihoods.length;
    for (let s = 0; s < logLikelihoods.length; s++) {
      const l = logLikelihoods[s] as number;
      if (l === -Infinity) {
        this.impossible++;
        continue;
      }
      const w = weights === undefined ? 1 : weights[s] as number;
      this.total += w * l;
      this.weight += w;
    }
  }

  /** The score so far. */
  score(variables: number): Score {
    const logLikelihood = this.weight > 0 ? this.total / this.weight : -Infinity;
    return {
      logLikelihood,
      bitsPerVariable: -logLikelihood / (Math.LN2 * variables),
      impossible: this.impossible,
      samples: this.samples,
    };
  }
}

/**
 * The score of a circuit on samples, in batches of at most `batchSize`. The root must have one unit.
 * @throws {CircuitError} when there are no samples, or none that weighs anything
 */
export async function scoreOf(
  evaluator: Evaluator | Learner,
  source: SampleSource,
  batchSize: number,
): Promise<Score> {
  requireObject("the source of samples", source, ["count"]);
  weightOf(source, "scored");
  return (await scoreSumOf(evaluator, source, batchSize)).score(evaluator.circuit.variables.length);
}

/** The sums of {@link scoreOf}, for scores of several sources together. */
export async function scoreSumOf(
  evaluator: Evaluator | Learner,
  source: SampleSource,
  batchSize: number,
): Promise<ScoreSum> {
  const sum = new ScoreSum(), order = ascending(source.count);
  for (let b = 0; b < batchCount(source.count, batchSize); b++) {
    const { samples, weights } = await readBatch(source, batchOf(order, b, batchSize));
    sum.add(await evaluator.logLikelihoods(samples), weights);
  }
  return sum;
}

/** Whether score `a` is better than `b` by more than `tolerance` nats; fewer impossible samples take precedence. */
export function isBetter(a: Score, b: Score, tolerance = 0): boolean {
  if (a.impossible !== b.impossible) return a.impossible < b.impossible;
  return a.logLikelihood > b.logLikelihood + tolerance;
}
