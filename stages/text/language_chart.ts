import { z } from "zod";
import type { ReadOf } from "../../runner/codec.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { charts, type NamedChart } from "../charts/codec.ts";
import { HOLLOW, someOpen } from "../convergence.ts";
import { pointOf } from "../charts/line_chart.ts";
import { languageTable } from "./language_table.ts";

type Table = ReadOf<typeof languageTable>;

/** A level so far above all points that it would squeeze them is only in the table. */
const FAR = 1.5;

/**
 * Charts of a table of language models: perplexity of the test and of the validation text, and of the latter after
 * the epochs that all arms had, against hidden states; an arm a line, its seeds as a bar from best to worst. Points of
 * models that are not converged are hollow; after the epochs that all arms had, that is every one that EM goes on from.
 */
export const languageCharts: Stage<
  z.ZodObject<{
    corpus: z.ZodString;
  }, z.core.$strip>,
  { table: typeof languageTable },
  { charts: typeof charts }
> = defineStage({
  name: "text.charts",
  params: z.object({
    /** The text's name, for captions. */
    corpus: z.string(),
  }),
  inputs: { table: languageTable },
  outputs: { charts },
  run({ inputs: { table }, params: { corpus } }) {
    const drawn = [
      chartOf(table, "test", "test", `Test perplexity on ${corpus} after EM, by hidden states`),
      chartOf(table, "valid", "valid", `Validation perplexity on ${corpus} after EM, by hidden states`),
      chartOf(
        table,
        "atBudget",
        "valid",
        `Validation perplexity on ${corpus} by epoch ${table.budget} of EM, by hidden states`,
      ),
    ];
    return { charts: drawn.filter(({ chart }) => chart.series.length > 0) };
  },
});

function chartOf(
  { budget, rows, floors }: Table,
  column: "test" | "valid" | "atBudget",
  floor: "test" | "valid",
  title: string,
): NamedChart {
  const series = [...Map.groupBy(rows, ({ arm }) => arm)].flatMap(([label, of]) => {
    const points = [...Map.groupBy(of, ({ states }) => states)].flatMap(([x, seeds]) => {
      const values = seeds.map((seed) => seed[column]).filter((value) => value !== null);
      const open = column === "atBudget"
        ? seeds.some(({ epochs }) => epochs > budget)
        : someOpen(seeds.map(({ converged }) => converged));
      return values.length === seeds.length ? [pointOf(x, values, open)] : [];
    });
    return points.length === 0 ? [] : [{ label, points }];
  });
  const highest = Math.max(...series.flatMap(({ points }) => points.map(({ y }) => y)));
  const levels = floors.flatMap(({ model, [floor]: y }) =>
    y === null || y > FAR * highest ? [] : [{ label: model, y }]
  );
  return {
    name: column === "atBudget" ? "valid-at-budget" : column,
    chart: {
      title: series.some(({ points }) => points.some(({ open }) => open)) ? `${title} (${HOLLOW})` : title,
      x: { label: "hidden states", log: 2 },
      y: { label: "perplexity (per token)" },
      series,
      baseline: "random",
      levels,
    },
  };
}
