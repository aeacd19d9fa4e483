import { z } from "zod";
import { describeSpace } from "../../datasets/images/image_set.ts";
import { isLossless } from "../../datasets/images/colours.ts";
import type { ReadOf } from "../../runner/codec.ts";
import { defineStage } from "../../runner/stage.ts";
import { charts } from "../charts/codec.ts";
import { type ChartPoint, type LineChart, pointOf } from "../charts/line_chart.ts";
import { HOLLOW, someOpen } from "../convergence.ts";
import { imageTable } from "./image_table.ts";

type Row = ReadOf<typeof imageTable>["rows"][number];

/**
 * The plateau chart of a table of image models: bits per dimension against parameters, an arm a line, repetitions as a
 * bar from best to worst. What the figures were measured on stands at the axis and in the caption.
 */
export const imageCharts = defineStage({
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

/** Repetitions of one setting, whose parameters may differ where clusters are pruned. */
function settingPoint(repetitions: readonly Row[]): ChartPoint {
  const parameters = repetitions.reduce((sum, one) => sum + one.parameters, 0) / repetitions.length;
  return pointOf(
    parameters / 1e6,
    repetitions.map(({ figure }) => figure.bits),
    someOpen(repetitions.map(({ converged }) => converged)),
  );
}
