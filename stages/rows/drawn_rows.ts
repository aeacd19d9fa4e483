import { z } from "zod";
import { sample } from "../../circuits/queries/sampling.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { openLearner } from "../open_learner.ts";
import { rowColumns, rowTable, rowTexts } from "./codecs.ts";

/** Rows drawn from a model, in the table's own names and values: exact and independent. */
export const drawnRows: Stage<
  z.ZodObject<{
    count: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit; columns: typeof rowColumns },
  { drawn: typeof rowTable }
> = defineStage({
  name: "rows.sample",
  params: z.object({
    /** How many. */
    count: z.int().min(1).default(10),
  }),
  inputs: { circuit, columns: rowColumns },
  outputs: { drawn: rowTable },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const { columns } = inputs.columns;
    const learner = await openLearner(inputs.circuit, context);
    try {
      const drawn = await sample(learner, params.count, { seed: context.seed });
      return {
        drawn: {
          title: `${params.count} rows drawn from the model`,
          head: columns.map(({ name }) => name),
          rows: Array.from({ length: drawn.count }, (_, s) => rowTexts(columns, drawn, s)),
        },
      };
    } finally {
      await learner.close();
    }
  },
});
