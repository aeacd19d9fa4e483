import { figureText } from "../../foundation/figure.ts";
import { colourVariable, type Style, stylesOf, stylesOfRoles } from "../../foundation/palette.ts";

/**
 * A point. Repetitions with other seeds spread from `low` to `high`. An `open` point is hollow: not converged.
 */
export interface ChartPoint {
  /** Place on the horizontal axis. */
  readonly x: number;
  /** Place on the vertical axis. */
  readonly y: number;
  /** Least of the repetitions. */
  readonly low?: number;
  /** Most of the repetitions. */
  readonly high?: number;
  /** Whether it is drawn hollow. */
  readonly open?: true;
}

/** The mean of repetitions at `x`, with their spread where there are several; `open`: hollow. */
export function pointOf(x: number, values: readonly number[], open = false): ChartPoint {
  const y = values.reduce((a, b) => a + b, 0) / values.length;
  return {
    x,
    y,
    ...(values.length > 1 && { low: Math.min(...values), high: Math.max(...values) }),
    ...(open && { open }),
  };
}

/** What is drawn. */
export interface LineChart {
  /** What it shows, in a sentence, for who cannot see it. */
  readonly title: string;
  /** The horizontal axis. */
  readonly x: ChartAxis;
  /** The vertical axis. */
  readonly y: ChartAxis;
  /** Lines through points in the order of x. */
  readonly series: readonly { readonly label: string; readonly points: readonly ChartPoint[] }[];
  /** The series that the others are held against: it has the colour of baselines on all pages. */
  readonly baseline?: string;
  /** The series that the chart is about: it has the colour of subjects on all pages; by default the first other one. */
  readonly subject?: string;
  /** Horizontal lines. */
  readonly levels?: readonly { readonly label: string; readonly y: number }[];
}

/** An axis of a chart. */
export interface ChartAxis {
  /** What it shows, with its unit. */
  readonly label: string;
  /** Base of the logarithm by which values are placed, if they are. */
  readonly log?: 2 | 10;
  /** Where ticks are: at the points if there are few (the default), or at round numbers. */
  readonly ticks?: "points" | "round";
}

const WIDTH = 640, HEIGHT = 380;
/** Names of levels stand right of the plot: the width of a letter at most, and the height of a line, in pixels. */
const LETTER = 7, LINE = 13;

/**
 * A chart as SVG text: lines with a dot at each point and a bar over the spread of each, levels as dashed lines with
 * their names, a legend below. Colours can be told apart by colour-blind readers.
 */
export async function lineChart(chart: LineChart): Promise<string> {
  const Plot = await import("@observablehq/plot");
  const { parseHTML } = await import("linkedom");
  // Projects may lack the browser's types, and this file is checked with theirs.
  const { document } = parseHTML("<!doctype html><html><body></body></html>") as unknown as {
    document: never;
  };
  const styles = stylesFor(chart);
  const points = chart.series.flatMap((one) => one.points);
  const ticks = [...new Set(points.map(({ x }) => x))].toSorted((a, b) => a - b);
  const levels = (chart.levels ?? []).toSorted((a, b) => b.y - a.y);
  const plot = (shifts: readonly number[]) =>
    Plot.plot({
      document,
      width: WIDTH,
      height: HEIGHT,
      marginLeft: 60,
      marginRight: Math.max(24, ...levels.map(({ label }) => 8 + LETTER * label.length)),
      marginBottom: 44,
      // Whole dots, also at the edges.
      inset: 6,
      style: { fontSize: "12px" },
      x: {
        label: chart.x.label,
        labelArrow: "none",
        labelAnchor: "center",
        ...scaleOf(chart.x),
        // By default a logarithmic axis says 300m for 0.3, which are milli.
        tickFormat: (x: number) => x.toLocaleString("en"),
        ...(chart.x.ticks !== "round" && ticks.length <= 12 ? { ticks } : { ticks: 6 }),
      },
      y: { label: chart.y.label, labelArrow: "none", grid: true, nice: true, ...scaleOf(chart.y) },
      marks: [
        ...levels.flatMap(({ label, y }, i) => [
          Plot.ruleY([y], { stroke: "currentColor", strokeDasharray: "3 3" }),
          Plot.text([label], {
            y,
            frameAnchor: "right",
            textAnchor: "start",
            dx: 6,
            dy: shifts[i] ?? 0,
          }),
        ]),
        ...chart.series.flatMap(({ label, points }) => marksOf(Plot, points, styles.get(label)!)),
      ],
    });
  const scale = plot([]).scale("y")!;
  return figureText({
    plot: plot(apart(levels.map(({ y }) => scale.apply(y)))),
    title: chart.title,
    width: WIDTH,
    height: HEIGHT,
    legend: [...styles],
    ...(points.some(({ open }) => open) ? { hollow: "not converged" } : {}),
  });
}

/** How far names at these heights, from the top down, must move down so that none stands on another. */
function apart(heights: readonly number[]): number[] {
  let free = -Infinity;
  return heights.map((height) => {
    const at = Math.max(height, free);
    free = at + LINE;
    return at - height;
  });
}

/**
 * Subject and baseline have their colours, as on all pages, the others those after them. `LVD, before joint EM` is `LVD`
 * in a state of its own: the same colour, dashed.
 */
function stylesFor({ series, baseline, subject }: LineChart): Map<string, Style> {
  const labels = [...new Set(series.map(({ label }) => label))];
  if (baseline === undefined || !labels.includes(baseline)) return stylesOf(labels);
  const parentOf = (label: string) => labels.find((other) => label.startsWith(`${other}, `)) ?? label;
  const arms = labels.filter((label) => parentOf(label) === label && label !== baseline);
  const first = subject !== undefined && arms.includes(subject) ? subject : arms[0];
  const others = arms.filter((label) => label !== first);
  const roleOf = (arm: string) => arm === first ? 0 : arm === baseline ? 1 : 2 + others.indexOf(arm);
  // An arm before its states: what comes first of a colour is not dashed.
  const styles = stylesOfRoles(
    labels.toSorted((a, b) => Number(parentOf(a) !== a) - Number(parentOf(b) !== b))
      .map((label) => [label, roleOf(parentOf(label))]),
  );
  return new Map(labels.map((label) => [label, styles.get(label)!]));
}

function scaleOf({ log }: ChartAxis) {
  return log === undefined ? {} : { type: "log", base: log } as const;
}

function marksOf(Plot: typeof import("@observablehq/plot"), points: readonly ChartPoint[], style: Style) {
  const stroke = colourVariable(style);
  const sorted = points.toSorted((a, b) => a.x - b.x);
  return [
    Plot.line(sorted, {
      x: "x",
      y: "y",
      stroke,
      strokeWidth: 1.75,
      ...(style.dash === "" ? {} : { strokeDasharray: style.dash }),
    }),
    Plot.ruleX(sorted.filter(({ low, high }) => low !== undefined && high !== undefined), {
      x: "x",
      y1: "low",
      y2: "high",
      stroke,
      strokeWidth: 1.75,
    }),
    Plot.dot(sorted, {
      x: "x",
      y: "y",
      fill: (point: ChartPoint) => point.open ? "#ffffff" : stroke,
      stroke,
      strokeWidth: 1.75,
      r: 3,
    }),
  ];
}
