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

/** How well a circuit fits samples, with the standard error of the mean. */
export interface CircuitScore {
  logLikelihood: number | null;
  bitsPerVariable: number | null;
  impossible: number;
  samples: number;
  standardError: number | null;
}

/** How well a circuit fits samples, with the standard error of the mean. */
export const score: Codec<CircuitScore, CircuitScore, "circuit-score"> = json(
  "circuit-score",
  scoreSchema.extend({ standardError: z.number().nullable() }),
);

/** The course of a training. */
export interface TrainingLog {
  bestEpoch: number;
  converged: boolean | null;
  epochs: {
    epoch: number;
    best: boolean;
    train?: {
      logLikelihood: number | null;
      bitsPerVariable: number | null;
      impossible: number;
      samples: number;
    } | undefined;
    valid?: {
      logLikelihood: number | null;
      bitsPerVariable: number | null;
      impossible: number;
      samples: number;
    } | undefined;
  }[];
}

/** The course of a training. */
export const trainingLog: Codec<TrainingLog, TrainingLog, "training-log"> = json(
  "training-log",
  z.object({
    /** The epoch whose parameters are the result; 0 for those that training started from. */
    bestEpoch: z.int(),
    /**
     * Whether the validation samples ended the training: false where the epochs ran out before that; null where there
     * were none to tell.
     */
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
