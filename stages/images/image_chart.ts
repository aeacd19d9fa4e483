import { z } from "zod";
import { describeSpace } from "../../datasets/images/image_set.ts";
import { isLossless } from "../../datasets/images/colours.ts";
import type { ReadOf } from "../../runner/codec.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { charts } from "../charts/codec.ts";
import { type ChartPoint, type LineChart, pointOf } from "../charts/line_chart.ts";
import { HOLLOW, someOpen } from "../convergence.ts";
import { imageTable } from "./image_table.ts";

type Row = ReadOf<typeof imageTable>["rows"][number];

/**
 * The plateau chart of a table of image models: bits per dimension against parameters, one line per arm, with a bar from
 * best to worst over repetitions. The axis label and the caption state what the figures were measured on.
 */
export const imageCharts: Stage<
  z.ZodObject<Record<never, never>, z.core.$strip>,
  { table: typeof imageTable },
  { charts: typeof charts }
> = defineStage({
  name: "images.charts",
  params: z.object({}),
  inputs: { table: imageTable },
  outputs: { charts },
  run({ inputs: { table: { rows } } }) {
    const spaces = new Map(rows.map(({ figure: { space } }) => [describeSpace(space), space]));
    const lossy = [...spaces.values()].some(({ transform }) => !isLossless(transform));
    const series = [...Map.groupBy(rows, ({ arm }) => arm)].map(([label, of]) => ({
      label,
      points: [...Map.groupBy(of, ({ setting }) => setting).values()].map(settingPoint),
    }));
    const chart: LineChart = {
      title: `Bits per dimension by parameters: ${[...spaces.keys()].join("; ")}${
        someOpen(rows.map(({ converged }) => converged)) ? ` (${HOLLOW})` : ""
      }`,
      x: { label: "parameters (millions)", log: 10, ticks: "round" },
      y: { label: lossy ? "bits per dimension (lossy colours)" : "bits per dimension" },
      series,
      baseline: "hidden Chow-Liu tree",
    };
    return { charts: [{ name: "bits-by-parameters", chart }] };
  },
});

/** The point for all repetitions of one setting. Their parameter counts may differ if clusters are pruned. */
function settingPoint(repetitions: readonly Row[]): ChartPoint {
  const parameters = repetitions.reduce((sum, one) => sum + one.parameters, 0) / repetitions.length;
  return pointOf(
    parameters / 1e6,
    repetitions.map(({ figure }) => figure.bits),
    someOpen(repetitions.map(({ converged }) => converged)),
  );
}
