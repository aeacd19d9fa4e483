import { z } from "zod";
import {
  bitsNote,
  type BitsPerDimension,
  bitsPerDimension,
  comparable,
  formatBits,
} from "../../datasets/images/bits.ts";
import type { PixelSpace } from "../../datasets/images/image_set.ts";
import { RetortError } from "../../foundation/errors.ts";
import { tableText } from "../../foundation/text.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Many, many, type Stage } from "../../runner/stage.ts";
import { type MeanScore, type TrainingLog, trainingLog } from "../codecs/score.ts";
import { bestBy, convergenceText } from "../convergence.ts";
import { bitsFigure } from "./codecs.ts";
import { imageScore } from "./evaluate_images.ts";
import { courseCells, courseHead, type ImageCourse } from "./image_course.ts";
import type { Codec } from "../../runner/codec.ts";

/** One model of the table. */
const row = z.object({
  /** Name of the arm: `LVD`. */
  arm: z.string(),
  /** Details of the setting: `64 clusters`. */
  setting: z.string(),
  figure: bitsFigure,
  standardError: z.number(),
  parameters: z.int(),
  /**
   * Whether the last training stage converged: stopped by the validation images, or worse on them after its last epoch;
   * null if unknown.
   */
  converged: z.boolean().nullable(),
  /** How the training went, where the table compares at a number of epochs too. */
  course: z.object({
    /** Epochs of EM before the training of this row began. */
    before: z.int(),
    /** Epochs of the training, and the one whose parameters were kept. */
    epochs: z.int(),
    bestEpoch: z.int(),
    /** Bits per dimension of the validation images by the budget; null where it was spent before the training began. */
    atBudget: z.number().nullable(),
    /** The same of the epoch that was kept. */
    valid: z.number().nullable(),
  }).optional(),
});

/** Bits per dimension of several models, with the space they were measured in. */
export const imageTable: Codec<{
  budget?: number | undefined;
  rows: {
    arm: string;
    setting: string;
    figure: BitsPerDimension;
    standardError: number;
    parameters: number;
    converged: boolean | null;
    course?: ImageCourse | undefined;
  }[];
}, {
  budget?: number | undefined;
  rows: {
    arm: string;
    setting: string;
    figure: unknown;
    standardError: number;
    parameters: number;
    converged: boolean | null;
    course?: ImageCourse | undefined;
  }[];
}, "image-table"> = json(
  "image-table",
  z.object({
    /** Epochs of EM, those before the last training too, after which all arms are compared; absent where they have the same number. */
    budget: z.int().optional(),
    rows: z.array(row).min(1),
  }),
  2,
  {
    summary: ({ budget, rows }) => {
      const cells = rows.map((one) => [
        one.arm,
        one.setting,
        String(one.parameters),
        ...(budget === undefined ? [] : courseCells(one)),
        formatBits(one.figure),
        one.standardError.toFixed(3),
        convergenceText([one.converged]),
      ]);
      const course = budget === undefined ? [] : courseHead(budget);
      const head = ["model", "setting", "parameters", ...course, "bits/dim", "s.e.", "EM"];
      return `${tableText(head, cells)}\n${bitsNote(rows.map(({ figure }) => figure))}`;
    },
  },
);

/**
 * Gathers scores of models on the same images into a table, in the given order, each with the log of the training that
 * produced the model.
 * @throws RetortError when they were measured on images that cannot be compared
 */
export const tabulateImages: Stage<
  z.ZodObject<{
    rows: z.ZodArray<
      z.ZodObject<{
        arm: z.ZodString;
        setting: z.ZodDefault<z.ZodString>;
        before: z.ZodOptional<z.ZodInt>;
        after: z.ZodOptional<z.ZodInt>;
      }, z.core.$strict>
    >;
    budget: z.ZodOptional<z.ZodInt>;
  }, z.core.$strip>,
  { scores: Many<typeof imageScore>; logs: Many<typeof trainingLog> },
  { table: typeof imageTable }
> = defineStage({
  name: "images.table",
  params: z.object({
    rows: z.array(z.strictObject({
      arm: z.string(),
      setting: z.string().default(""),
      /** Epochs of EM before the training of the row, of levels that have no row. */
      before: z.int().min(0).optional(),
      /** Index of the earlier row whose model the training of this one began with. */
      after: z.int().min(0).optional(),
    })).min(1),
    /** Epochs of EM, all levels together, after which the validation images compare the arms. */
    budget: z.int().min(0).optional(),
  }),
  inputs: { scores: many(imageScore), logs: many(trainingLog) },
  outputs: { table: imageTable },
  run({ inputs, params }) {
    const { scores, logs } = inputs;
    if (scores.length !== params.rows.length || logs.length !== params.rows.length) {
      throw new RetortError(
        "inputs/mismatch",
        `${scores.length} scores and ${logs.length} logs but ${params.rows.length} rows`,
      );
    }
    const epochsBefore = (i: number): number => {
      const { before = 0, after } = params.rows[i]!;
      return before + (after === undefined ? 0 : epochsBefore(after) + epochsOf(logs[after]!));
    };
    const rows = params.rows.map(({ arm, setting }, i) => {
      const { figure, standardError, parameters } = scores[i]!;
      if (!comparable(figure.space, scores[0]!.figure.space)) {
        throw new RetortError(
          "evaluation/incomparable",
          `${arm} was measured on other images or colours than ${params.rows[0]!.arm}`,
          { hint: "Make a table for each crop, size and lossy transform." },
        );
      }
      const log = logs[i]!, { converged } = log;
      return {
        ...{ arm, setting, figure, standardError, parameters, converged },
        ...(params.budget !== undefined &&
          { course: courseOf(log, figure.space, epochsBefore(i), params.budget) }),
      };
    });
    return { table: { ...(params.budget !== undefined && { budget: params.budget }), rows } };
  },
});

/** Epochs of a training that were run. */
function epochsOf({ epochs }: TrainingLog): number {
  return Math.max(0, ...epochs.map(({ epoch }) => epoch));
}

function courseOf(log: TrainingLog, space: PixelSpace, before: number, budget: number): ImageCourse {
  // Levels count other variables than pixels; what they all score is log p(image).
  const bits = (score: MeanScore | undefined) =>
    score === undefined || score.logLikelihood === null || score.impossible > 0
      ? null
      : bitsPerDimension([score.logLikelihood], space).bits;
  const { bestEpoch, epochs } = log;
  return {
    before,
    epochs: epochsOf(log),
    bestEpoch,
    atBudget: bits(bestBy(log, budget - before)),
    valid: bits(epochs.find(({ epoch }) => epoch === bestEpoch)?.valid),
  };
}
