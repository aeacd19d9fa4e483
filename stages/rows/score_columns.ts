import { z } from "zod";
import type { Evaluator } from "../../circuits/evaluator.ts";
import { logLikelihood } from "../../circuits/queries/likelihood.ts";
import { hideVariables, isObserved, type Samples, takeSamples } from "../../circuits/samples.ts";
import { tableText } from "../../foundation/text.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { chooseSome } from "../choose_some.ts";
import { circuit } from "../codecs/circuit.ts";
import { samples } from "../codecs/samples.ts";
import { openLearner } from "../open_learner.ts";
import { type RowColumn, rowColumns } from "./codecs.ts";
import { guessColumn } from "./guesses.ts";
import { type ColumnScore, SCORE_HEAD, SCORE_NOTE, scoreCells } from "./words.ts";
import type { Codec } from "../../runner/codec.ts";

const score: z.ZodType<ColumnScore> = z.object({
  column: z.string(),
  type: z.string(),
  rows: z.int(),
  alone: z.number(),
  given: z.number(),
  bits: z.number(),
});

/** How well a model guesses each column from the others. */
export const columnScores: Codec<{
  columns: ColumnScore[];
}, {
  columns: unknown[];
}, "column-scores"> = json("column-scores", z.object({ columns: z.array(score) }), 1, {
  summary: ({ columns }) => tableText(SCORE_HEAD, columns.map(scoreCells)) + `\n${SCORE_NOTE}`,
});

/** Hides each column of the test rows in turn and guesses it. */
export const scoreColumns: Stage<
  z.ZodObject<{
    most: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit; columns: typeof rowColumns; data: typeof samples },
  { scores: typeof columnScores }
> = defineStage({
  name: "rows.score-columns",
  params: z.object({
    /** Maximum number of rows used. */
    most: z.int().min(1).default(1000),
  }),
  inputs: { circuit, columns: rowColumns, data: samples },
  outputs: { scores: columnScores },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const { columns } = inputs.columns;
    const all = await inputs.data.all();
    const rows = takeSamples(all, chooseSome(all.count, params.most, context.seed));
    const learner = await openLearner(inputs.circuit, context);
    try {
      const scores = [];
      for (const [v, column] of columns.entries()) {
        context.signal.throwIfAborted();
        const seen = Array.from({ length: rows.count }, (_, s) => s).filter((s) => isObserved(rows, s, v));
        if (seen.length > 0) scores.push(await scored(learner, column, takeSamples(rows, seen), v));
        context.progress(v + 1, columns.length, "columns");
      }
      return { scores: { columns: scores } };
    } finally {
      await learner.close();
    }
  },
});

async function scored(learner: Evaluator, column: RowColumn, rows: Samples, v: number) {
  const width = rows.variables;
  const values = Array.from({ length: rows.count }, (_, s) => rows.values[s * width + v]!);
  const alone = hideVariables(rows, Array.from({ length: width }, (_, w) => w).filter((w) => w !== v));
  const error = async (given: Samples) => {
    const guesses = await guessColumn(learner, column, given, v);
    return mean(
      guesses.map(({ value }, s) =>
        column.type === "categorical" ? (value === values[s] ? 1 : 0) : Math.abs(value - values[s]!)
      ),
    );
  };
  const [whole, rest, own] = await Promise.all(
    [rows, hideVariables(rows, [v]), alone].map((part) => logLikelihood(learner, part)),
  ) as [Float64Array, Float64Array, Float64Array];
  const bits = values.map((_, s) => (whole[s]! - rest[s]! - own[s]!) / Math.LN2);
  return {
    column: column.name,
    type: column.type,
    rows: rows.count,
    alone: await error(alone),
    given: await error(rows),
    bits: mean(bits),
  };
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, x) => sum + x / numbers.length, 0);
}
