import { z } from "zod";
import type { TrainingOptions } from "../circuits/learning/options.ts";
import { INERTIA } from "../circuits/learning/schedule.ts";

/** The schema of a number that may change during training: see `Schedule`. */
export type ScheduleSchema = z.ZodUnion<
  readonly [
    z.ZodNumber,
    z.ZodObject<{
      points: z.ZodArray<z.ZodTuple<[z.ZodNumber, z.ZodNumber], null>>;
      between: z.ZodOptional<z.ZodEnum<{ steps: "steps"; linear: "linear" }>>;
    }, z.core.$strict>,
  ]
>;

/** A number that may change during training: see `Schedule`. */
const schedule: ScheduleSchema = z.union([
  z.number(),
  z.strictObject({
    /** `[progress, value]`, progress from 0 (first update) to 1 (last). */
    points: z.array(z.tuple([z.number(), z.number()])).min(1),
    /** What is between two points. */
    between: z.enum(["linear", "steps"]).optional(),
  }),
]);

/** The schema of a step that falls: see `Falling`. */
export type FallingSchema = z.ZodObject<{
  from: z.ZodNumber;
  to: z.ZodNumber;
  factor: z.ZodDefault<z.ZodNumber>;
}, z.core.$strict>;

/** A step that falls where it brings nothing more: see `Falling`. */
const falling: FallingSchema = z.strictObject({
  from: z.number(),
  to: z.number(),
  factor: z.number().default(0.5),
});

/** The schema of how counts become parameters: see `UpdateStep`. */
export type StepSchema = z.ZodDiscriminatedUnion<[
  z.ZodObject<{
    kind: z.ZodLiteral<"em">;
  }, z.core.$strict>,
  z.ZodObject<{
    kind: z.ZodLiteral<"inertia">;
    inertia: z.ZodDefault<ScheduleSchema>;
  }, z.core.$strict>,
  z.ZodObject<{
    kind: z.ZodLiteral<"anemone">;
    step: z.ZodUnion<
      readonly [ScheduleSchema, FallingSchema]
    >;
  }, z.core.$strict>,
], "kind">;

/** How counts become parameters: see `UpdateStep`. */
const step: StepSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("em") }),
  z.strictObject({
    kind: z.literal("inertia"),
    inertia: schedule.default({
      points: (INERTIA as Exclude<typeof INERTIA, number>).points.map(([a, b]) => [a, b]),
    }),
  }),
  z.strictObject({ kind: z.literal("anemone"), step: z.union([schedule, falling]) }),
]);

/** Parameters of stages that train a circuit by EM. */
export const trainingParams: z.ZodObject<{
  epochs: z.ZodDefault<z.ZodInt>;
  batchSize: z.ZodDefault<z.ZodInt>;
  batchesPerUpdate: z.ZodDefault<
    z.ZodUnion<readonly [z.ZodLiteral<"epoch">, z.ZodLiteral<"auto">, z.ZodInt]>
  >;
  step: z.ZodDefault<StepSchema>;
  pseudocount: z.ZodPrefault<
    z.ZodObject<{
      sums: z.ZodDefault<z.ZodNumber>;
      leaves: z.ZodDefault<z.ZodNumber>;
    }, z.core.$strict>
  >;
  leafBase: z.ZodDefault<
    z.ZodEnum<{
      uniform: "uniform";
      marginal: "marginal";
    }>
  >;
  leafMix: z.ZodDefault<z.ZodNumber>;
  frozen: z.ZodDefault<z.ZodArray<z.ZodString>>;
  perturb: z.ZodDefault<z.ZodNumber>;
  dropout: z.ZodDefault<z.ZodNumber>;
  stateDropout: z.ZodDefault<z.ZodNumber>;
  patience: z.ZodOptional<z.ZodInt>;
  tolerance: z.ZodDefault<z.ZodNumber>;
  shuffleBlock: z.ZodDefault<z.ZodInt>;
}> = z.object({
  /** Most passes over the training samples. */
  epochs: z.int().min(0).default(100),
  /** Most samples at a time. */
  batchSize: z.int().min(1).default(256),
  /**
   * Batches that an update sums up; `epoch`: all of an epoch, which is full-batch EM; `auto`: chosen, with the size of
   * the batches, by the number of training samples (see `fittedUpdates`).
   */
  batchesPerUpdate: z.union([z.literal("epoch"), z.literal("auto"), z.int().min(1)]).default("epoch"),
  /** How counts become parameters. */
  step: step.default({ kind: "em" }),
  /** Virtual samples of every row of a sum and of every unit of a leaf, for the whole of the data. */
  pseudocount: z.strictObject({
    sums: z.number().min(0).default(0),
    leaves: z.number().min(0).default(0),
  }).prefault({}),
  /** Distribution of the virtual samples of leaves: uniform, or the variable's in the training samples. */
  leafBase: z.enum(["uniform", "marginal"]).default("uniform"),
  /** Share of the counts of leaves that is spread by `leafBase`. */
  leafMix: z.number().min(0).max(1).default(0),
  /** Ids of parameters that keep their values. */
  frozen: z.array(z.string()).default([]),
  /** Noise on the parameters before training: see `perturbed`. */
  perturb: z.number().min(0).default(0),
  /** Probability with which an observed value is hidden in training. */
  dropout: z.number().min(0).lt(1).default(0),
  /** Probability with which a state of a hidden Markov model is switched off for a batch of training: see `StateDropout`. */
  stateDropout: z.number().min(0).lt(1).default(0),
  /**
   * Epochs without a better score after which training stops; with a falling step, counted at its smallest.
   */
  patience: z.int().min(1).optional(),
  /** Nats a sample by which a score must be better to count as better. */
  tolerance: z.number().min(0).default(0),
  /** Neighbours that a shuffle leaves together. */
  shuffleBlock: z.int().min(1).default(1),
});

/** Anemone's rule, with steps that shrink evenly from the first update to the last. */
export function anemone(from: number, to: number): { kind: "anemone"; step: { points: [number, number][] } } {
  return { kind: "anemone", step: { points: [[0, from], [1, to]] } };
}

/** Anemone's rule, with a step that is halved after an epoch that brings the validation samples nothing, from the first to the smallest. */
export function fallingAnemone(from: number, to: number): {
  kind: "anemone";
  step: { from: number; to: number };
} {
  return { kind: "anemone", step: { from, to } };
}

/** Training options without what needs the circuit or the data: smoothing by marginals, frozen ids, noise. */
export function trainingOptions(params: z.output<typeof trainingParams>, seed: number): TrainingOptions {
  const { epochs, batchSize, batchesPerUpdate, dropout, stateDropout, tolerance, patience = Infinity } =
    params;
  return {
    epochs,
    batchSize,
    batchesPerUpdate,
    dropout,
    stateDropout,
    tolerance,
    shuffleBlock: params.shuffleBlock,
    seed,
    step: withoutUndefined(params.step),
    patience,
  };
}

function withoutUndefined(step: z.output<typeof trainingParams>["step"]): Required<TrainingOptions>["step"] {
  // JSON drops what is undefined, which exact optional properties do not allow.
  return JSON.parse(JSON.stringify(step));
}
