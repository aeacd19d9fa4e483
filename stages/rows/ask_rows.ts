import { z } from "zod";
import { daysOf } from "../../circuits/import/columns.ts";
import { decimalNumber } from "../../circuits/import/lines.ts";
import { sampleMissing } from "../../circuits/queries/sampling.ts";
import { samplesFromRecords, statesNote, type TableRecord } from "../../circuits/table.ts";
import { RetortError } from "../../foundation/errors.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { openLearner } from "../open_learner.ts";
import { type RowColumn, rowColumns, rowTable, rowTexts, rowVariables } from "./codecs.ts";
import { guessText } from "./fill_rows.ts";
import { guessMissing } from "./guesses.ts";

/** Rows of which some cells are known, by column: `{"age": 30, "class": "first"}`. */
export const rowQuestions: z.ZodArray<
  z.ZodRecord<z.ZodString, z.ZodUnion<readonly [z.ZodString, z.ZodNumber, z.ZodBoolean]>>
> = z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])));

/** What a model says of the other cells of rows of which some are known: the likeliest, and draws. */
export const askRows: Stage<
  z.ZodObject<{
    questions: z.ZodArray<
      z.ZodRecord<z.ZodString, z.ZodUnion<readonly [z.ZodString, z.ZodNumber, z.ZodBoolean]>>
    >;
    draws: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit; columns: typeof rowColumns },
  { answers: typeof rowTable }
> = defineStage({
  name: "rows.ask",
  params: z.object({
    /** What is known. */
    questions: rowQuestions.min(1),
    /** Draws of the other cells for each. */
    draws: z.int().min(0).default(2),
  }),
  inputs: { circuit, columns: rowColumns },
  outputs: { answers: rowTable },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const { columns } = inputs.columns;
    const known = samplesFromRecords(
      {
        variables: rowVariables(columns),
        notes: statesNote(
          new Map(columns.flatMap(({ name, states }) => states === undefined ? [] : [[name, states]])),
        ),
      },
      params.questions.map((question) => recordOf(columns, question)),
    );
    const learner = await openLearner(inputs.circuit, context);
    try {
      const guesses = await guessMissing(learner, columns, known);
      const drawn = params.draws === 0
        ? undefined
        : await sampleMissing(learner, known, { seed: context.seed, draws: params.draws });
      const rows = params.questions.flatMap((_, s) => {
        const likeliest = rowTexts(columns, known, s);
        for (const guess of guesses) {
          if (guess.row === s) likeliest[guess.column] = guessText(columns, guess, true);
        }
        const draws = Array.from(
          { length: params.draws },
          (_, draw) => [`${s + 1}`, "drawn", ...rowTexts(columns, drawn!, s * params.draws + draw)],
        );
        return [[`${s + 1}`, "likeliest", ...likeliest], ...draws];
      });
      return {
        answers: {
          title: "What the model says of the rows asked for",
          head: ["question", "", ...columns.map(({ name }) => name)],
          rows,
          note: "≈ marks the most probable value, or the expected number, of each cell by itself.",
        },
      };
    } finally {
      await learner.close();
    }
  },
});

/** A row's known cells in the words and numbers of samples: dates as days, numbers as such. */
function recordOf(
  columns: readonly RowColumn[],
  question: z.output<typeof rowQuestions>[number],
): TableRecord {
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    Object.entries(question).map(([name, cell]) => {
      const type = types.get(name), text = String(cell);
      if (type === undefined || type === "categorical") return [name, text];
      if (type !== "date") return [name, decimalNumber(text) ?? text];
      const days = daysOf(text);
      if (!Number.isNaN(days)) return [name, days];
      throw new RetortError("samples/value", `column \`${name}\`: \`${text}\` is no date`, {
        hint: "Dates are written as 2026-01-31 or 2026-01-31T12:00:00Z.",
      });
    }),
  );
}
