import * as Plot from "@observablehq/plot";
import { withVisibleMarks } from "../../foundation/bidi.ts";
import { colourVariable } from "../../foundation/palette.ts";
import { type Chart, metricParts, seriesStyles, stepTicks } from "../view/curves.ts";
import type { Histogram } from "../view/tensor.ts";

/** Drawing options of a chart. */
export interface CurveOptions {
  readonly width: number;
  readonly height: number;
  readonly logarithmic?: boolean;
}

/** Draws the curves of a metric as an SVG element. */
export function drawCurves(document: Document, chart: Chart, options: CurveOptions): SVGSVGElement {
  const styles = seriesStyles(chart.series);
  const ticks = stepTicks(chart.series);
  const { name, unit } = metricParts(withVisibleMarks(chart.metric));
  const svg = Plot.plot({
    document,
    width: options.width,
    height: options.height,
    marginLeft: 60,
    marginBottom: 40,
    style: { fontSize: "12px" },
    grid: true,
    x: {
      label: chart.unit,
      labelArrow: "none",
      labelAnchor: "center",
      ...(ticks === undefined ? {} : { ticks, tickFormat: (step: number) => step.toLocaleString("en") }),
    },
    y: {
      label: unit === undefined ? name : `${name} (${unit})`,
      labelArrow: "none",
      ...(options.logarithmic === true && isPositive(chart) ? { type: "log" } : {}),
    },
    marks: chart.series.map((one) => {
      const style = styles.get(one.label)!;
      return Plot.line(one.points.map(([step, value]) => [step, value ?? NaN]), {
        x: "0",
        y: "1",
        stroke: colourVariable(style),
        strokeWidth: 1.75,
        ...(style.dash === "" ? {} : { strokeDasharray: style.dash }),
      });
    }),
  }) as unknown as SVGSVGElement;
  [...svg.querySelectorAll("[aria-label=line]")].forEach((group, i) =>
    group.setAttribute("data-label", chart.series[i]!.label)
  );
  describe(svg, curveText(chart));
  return svg;
}

/** Whether a logarithmic axis can show all values. */
export function isPositive(chart: Chart): boolean {
  return chart.series.every((one) => one.points.every(([, value]) => value === null || value > 0));
}

/** Gives a picture an accessible name and hides its parts from screen readers. */
function describe(svg: SVGSVGElement, text: string): void {
  for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", withVisibleMarks(text));
}

/** A textual description of a chart. */
export function curveText(chart: Chart): string {
  const count = chart.series.length === 1 ? "1 curve" : `${chart.series.length} curves`;
  return `${chart.metric} of ${chart.stage} by ${chart.unit}, ${count}; the table beside it has the numbers`;
}

/** Draws a histogram as bars. */
export function drawHistogram(document: Document, histogram: Histogram, name: string): SVGSVGElement {
  const { from, to, counts } = histogram;
  const step = (to - from) / counts.length;
  const svg = Plot.plot({
    document,
    width: 320,
    height: 120,
    marginLeft: 50,
    marginBottom: 32,
    style: { fontSize: "11px" },
    x: { label: "value", labelArrow: "none", ticks: 5 },
    y: { label: "count", labelArrow: "none", ticks: 3, grid: true },
    marks: [
      Plot.rectY(counts.map((count, i) => ({ from: from + i * step, to: from + (i + 1) * step, count })), {
        x1: "from",
        x2: "to",
        y: "count",
        fill: "var(--series-0)",
        inset: 0,
      }),
      Plot.ruleY([0]),
    ],
  }) as unknown as SVGSVGElement;
  describe(svg, `Histogram of ${name}`);
  return svg;
}
