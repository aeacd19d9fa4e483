import { z } from "zod";
import { bitsNote, type BitsPerDimension, comparable, formatBits } from "../../datasets/images/bits.ts";
import { RetortError } from "../../foundation/errors.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Many, many, type Stage } from "../../runner/stage.ts";
import { trainingLog } from "../codecs/score.ts";
import { convergenceText } from "../convergence.ts";
import { bitsFigure } from "./codecs.ts";
import { imageScore } from "./evaluate_images.ts";
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
});

/** Bits per dimension of several models, with the space they were measured in. */
export const imageTable: Codec<{
  rows: {
    arm: string;
    setting: string;
    figure: BitsPerDimension;
    standardError: number;
    parameters: number;
    converged: boolean | null;
  }[];
}, {
  rows: {
    arm: string;
    setting: string;
    figure: unknown;
    standardError: number;
    parameters: number;
    converged: boolean | null;
  }[];
}, "image-table"> = json("image-table", z.object({ rows: z.array(row).min(1) }), 2, {
  summary: ({ rows }) => {
    const cells = rows.map(({ arm, setting, figure, standardError, parameters, converged }) => [
      arm,
      setting,
      String(parameters),
      formatBits(figure),
      standardError.toFixed(3),
      convergenceText([converged]),
    ]);
    const table = [["model", "setting", "parameters", "bits/dim", "s.e.", "EM"], ...cells];
    const widths = table[0]!.map((_, c) => Math.max(...table.map((line) => line[c]!.length)));
    const lines = table.map((line) => line.map((cell, c) => cell.padEnd(widths[c]!)).join("  ").trimEnd());
    return `${lines.join("\n")}\n${bitsNote(rows.map(({ figure }) => figure))}`;
  },
});

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
      }, z.core.$strict>
    >;
  }, z.core.$strip>,
  { scores: Many<typeof imageScore>; logs: Many<typeof trainingLog> },
  { table: typeof imageTable }
> = defineStage({
  name: "images.table",
  params: z.object({
    rows: z.array(z.strictObject({ arm: z.string(), setting: z.string().default("") })).min(1),
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
    const rows = params.rows.map((names, i) => {
      const { figure, standardError, parameters } = scores[i]!;
      if (!comparable(figure.space, scores[0]!.figure.space)) {
        throw new RetortError(
          "evaluation/incomparable",
          `${names.arm} was measured on other images or colours than ${params.rows[0]!.arm}`,
          { hint: "Make a table for each crop, size and lossy transform." },
        );
      }
      return { ...names, figure, standardError, parameters, converged: logs[i]!.converged };
    });
    return { table: { rows } };
  },
});
