import { defineStage, json } from "retort";
import { columnScores } from "retort/stages/rows";
import { z } from "zod";

/** Columns by how many bits the others tell of them. */
export const bestColumns = json(
  "best-columns",
  z.object({ columns: z.array(z.object({ column: z.string(), bits: z.number() })) }),
);

/** The columns of which the others tell most. */
export const bestKnown = defineStage({
  name: "mine.best-known",
  params: z.object({ most: z.int().min(1) }),
  inputs: { scores: columnScores },
  outputs: { best: bestColumns },
  run({ inputs, params }) {
    const sorted = inputs.scores.columns.toSorted((a, b) => b.bits - a.bits);
    return {
      best: { columns: sorted.slice(0, params.most).map(({ column, bits }) => ({ column, bits })) },
    };
  },
});
