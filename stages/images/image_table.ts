import { z } from "zod";
import { bitsNote, comparable, formatBits } from "../../datasets/images/bits.ts";
import { RetortError } from "../../foundation/errors.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, many } from "../../runner/stage.ts";
import { bitsFigure } from "./codecs.ts";
import { imageScore } from "./evaluate_images.ts";

/** One model of a table. */
const row = z.object({
  /** What the model is: `LVD`. */
  arm: z.string(),
  /** Further words: `64 clusters`. */
  setting: z.string(),
  figure: bitsFigure,
  standardError: z.number(),
  parameters: z.int(),
});

/** Bits per dimension of several models, with what they were measured on. */
export const imageTable = json("image-table", z.object({ rows: z.array(row).min(1) }), 1, {
  summary: ({ rows }) => {
    const cells = rows.map(({ arm, setting, figure, standardError, parameters }) => [
      arm,
      setting,
      String(parameters),
      formatBits(figure),
      standardError.toFixed(3),
    ]);
    const table = [["model", "setting", "parameters", "bits/dim", "s.e."], ...cells];
    const widths = table[0]!.map((_, c) => Math.max(...table.map((line) => line[c]!.length)));
    const lines = table.map((line) => line.map((cell, c) => cell.padEnd(widths[c]!)).join("  ").trimEnd());
    return `${lines.join("\n")}\n${bitsNote(rows.map(({ figure }) => figure))}`;
  },
});

/**
 * Gathers scores of models on the same images into a table, in the order given.
 * @throws RetortError when they were measured on images that cannot be compared
 */
export const tabulateImages = defineStage({
  name: "images.table",
  params: z.object({
    rows: z.array(z.strictObject({ arm: z.string(), setting: z.string().default("") })).min(1),
  }),
  inputs: { scores: many(imageScore) },
  outputs: { table: imageTable },
  run({ inputs, params }) {
    const { scores } = inputs;
    if (scores.length !== params.rows.length) {
      throw new RetortError(`${scores.length} scores but ${params.rows.length} rows`);
    }
    const rows = params.rows.map((names, i) => {
      const { figure, standardError, parameters } = scores[i]!;
      if (!comparable(figure.space, scores[0]!.figure.space)) {
        throw new RetortError(
          `${names.arm} was measured on other images or colours than ${params.rows[0]!.arm}`,
          { hint: "Make a table for each crop, size and lossy transform." },
        );
      }
      return { ...names, figure, standardError, parameters };
    });
    return { table: { rows } };
  },
});
