import { z } from "zod";
import type { Score } from "../../circuits/learning/score.ts";
import { json } from "../../runner/codecs/json.ts";
import type { Codec } from "../../runner/codec.ts";

/** A mean log-likelihood in nats; null stands for -Infinity (nothing is possible), which JSON cannot say. */
const logLikelihood = z.number().nullable();

/** How well a circuit fits samples. */
export const scoreSchema: z.ZodObject<{
  logLikelihood: z.ZodNullable<z.ZodNumber>;
  bitsPerVariable: z.ZodNullable<z.ZodNumber>;
  impossible: z.ZodInt;
  samples: z.ZodInt;
}, z.core.$strip> = z.object({
  /** Mean over the possible samples, in nats. */
  logLikelihood,
  /** The same in bits a variable, negated: smaller is better. */
  bitsPerVariable: z.number().nullable(),
  /** Samples of likelihood zero, which are not part of the mean. */
  impossible: z.int(),
  /** All samples. */
  samples: z.int(),
});

/** How well a circuit fits samples. */
export interface MeanScore {
  /** Mean over the possible samples, in nats; null where none is possible. */
  logLikelihood: number | null;
  /** The same in bits a variable, negated: smaller is better. */
  bitsPerVariable: number | null;
  /** Samples of likelihood zero, which are not part of the mean. */
  impossible: number;
  /** All samples. */
  samples: number;
}

/** How well a circuit fits samples, with the standard error of the mean. */
export interface CircuitScore extends MeanScore {
  /** Of the mean log-likelihood, in nats; null where there are too few samples to tell. */
  standardError: number | null;
}

/** How well a circuit fits samples, with the standard error of the mean. */
export const score: Codec<CircuitScore, CircuitScore, "circuit-score"> = json(
  "circuit-score",
  scoreSchema.extend({ standardError: z.number().nullable() }),
);

/** The course of a training. */
export interface TrainingLog {
  /** The epoch whose parameters are the result; 0 for those that training started from. */
  bestEpoch: number;
  /**
   * Whether the validation samples ended the training: false where the epochs ran out before that; null where there
   * were none to tell.
   */
  converged: boolean | null;
  /** The epochs in order. */
  epochs: {
    epoch: number;
    best: boolean;
    train?: MeanScore | undefined;
    valid?: MeanScore | undefined;
  }[];
}

/** The course of a training. */
export const trainingLog: Codec<TrainingLog, TrainingLog, "training-log"> = json(
  "training-log",
  z.object({
    bestEpoch: z.int(),
    converged: z.boolean().nullable(),
    epochs: z.array(z.object({
      epoch: z.int(),
      train: scoreSchema.optional(),
      valid: scoreSchema.optional(),
      best: z.boolean(),
    })),
  }),
  2,
);

/** A score as plain JSON. */
export function plainScore(score: Score): z.output<typeof scoreSchema> {
  const finite = (x: number) => Number.isFinite(x) ? x : null;
  const { logLikelihood, bitsPerVariable, impossible, samples } = score;
  return {
    logLikelihood: finite(logLikelihood),
    bitsPerVariable: finite(bitsPerVariable),
    impossible,
    samples,
  };
}
