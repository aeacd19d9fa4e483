import { REFERENCE, type Style, stylesOf, stylesOfRoles } from "../../foundation/palette.ts";
import type { MetricRecord } from "../../runner/records/rows.ts";

/** One node's metric by step. */
export interface Series {
  readonly node: string;
  /** What tells it from the other series of its chart. */
  readonly label: string;
  /** The number of its colour, where its arm has one in all charts of the run. */
  readonly role?: number;
  /** Steps and values, by step. Values that are no finite number are gaps: null. */
  readonly points: readonly (readonly [step: number, value: number | null])[];
}

/** A metric of a stage with all variants of a sweep. */
export interface Chart {
  readonly stage: string;
  readonly metric: string;
  /** Name of the steps: `epochs`, `step`. */
  readonly unit: string;
  /** Other metrics whose curves are these up to a constant. */
  readonly alike?: readonly string[];
  readonly series: readonly Series[];
}

/** How many points of a series are drawn: more than a screen is wide shows nothing more. */
export const DRAWN_POINTS = 600;

/** The curves of metrics by name, those that have at least two steps. */
export function curvesOf(metrics: readonly MetricRecord[]): Map<string, [number, number | null][]> {
  const byName = Map.groupBy(metrics.filter((one) => one.step !== null), (one) => one.name);
  const found = new Map<string, [number, number | null][]>();
  for (const [name, records] of byName) {
    if (records.length >= 2) found.set(name, records.map((one) => [one.step!, one.value]));
  }
  return found;
}

/**
 * At most about `limit` points of a series that look like all of them: of each stretch its first, lowest,
 * highest and last, and a gap where there is one.
 */
export function thin<P extends readonly [number, number | null]>(
  points: readonly P[],
  limit = DRAWN_POINTS,
): P[] {
  if (points.length <= limit) return [...points];
  const stretches = Math.max(1, Math.floor(limit / 4));
  const kept = new Set<number>();
  for (let s = 0; s < stretches; s++) {
    const from = Math.floor(s * points.length / stretches);
    const to = Math.floor((s + 1) * points.length / stretches);
    let low = -1, high = -1, gap = -1;
    for (let i = from; i < to; i++) {
      const value = points[i]![1];
      if (value === null) gap = i;
      else {
        if (low < 0 || value < points[low]![1]!) low = i;
        if (high < 0 || value > points[high]![1]!) high = i;
      }
    }
    for (const i of [from, low, high, gap, to - 1]) if (i >= 0) kept.add(i);
  }
  return [...kept].sort((a, b) => a - b).map((i) => points[i]!);
}

/** A metric's name and unit: `loss [nats]` is a loss in nats. */
export function metricParts(name: string): { name: string; unit: string | undefined } {
  const match = /^(.*\S)\s*\[([^[\]]+)\]$/.exec(name);
  return match === null ? { name, unit: undefined } : { name: match[1]!, unit: match[2]! };
}

/** How curves are drawn: by the roles of their arms, else in the order in which they come. */
export function seriesStyles(series: readonly Series[]): Map<string, Style> {
  if (!series.some(({ role }) => role !== undefined)) return stylesOf(series.map(({ label }) => label));
  return stylesOfRoles(series.map(({ label, role }) => [label, role ?? REFERENCE]));
}

/** Charts of one stage whose curves are equal up to a constant factor or summand become one. */
export function mergeAlike(charts: readonly Chart[]): Chart[] {
  const merged: Chart[] = [];
  for (const chart of charts) {
    const i = merged.findIndex((one) => one.stage === chart.stage && alike(one, chart));
    if (i < 0) merged.push(chart);
    else merged[i] = { ...merged[i]!, alike: [...merged[i]!.alike ?? [], chart.metric] };
  }
  return merged;
}

function alike(a: Chart, b: Chart): boolean {
  if (a.series.length !== b.series.length) return false;
  const pairs: [number, number][] = [];
  for (const [i, one] of a.series.entries()) {
    const other = b.series[i]!;
    if (one.node !== other.node || one.points.length !== other.points.length) return false;
    for (const [p, [step, x]] of one.points.entries()) {
      const [at, y] = other.points[p]!;
      if (at !== step || (x === null) !== (y === null)) return false;
      if (x !== null && y !== null) pairs.push([x, y]);
    }
  }
  const [first, ...rest] = pairs;
  if (first === undefined || rest.length < 2) return false;
  const near = (x: number, y: number, scale: number) => Math.abs(x - y) <= 1e-6 * scale;
  const largest = Math.max(...pairs.map(([, y]) => Math.abs(y)));
  // Constant curves are alike in everything, and say nothing of each other.
  if (pairs.every(([x]) => x === first[0])) return false;
  const factor = first[1] / first[0];
  return (Number.isFinite(factor) && rest.every(([x, y]) => near(factor * x, y, largest))) ||
    rest.every(([x, y]) => near(x + first[1] - first[0], y, largest));
}

/** Round ticks between two steps, none between whole steps where all steps are whole. */
export function stepTicks(charts: readonly Series[], count = 6): number[] | undefined {
  const steps = charts.flatMap(({ points }) => points.map(([step]) => step));
  if (steps.length === 0 || !steps.every(Number.isInteger)) return undefined;
  const [from, to] = [steps.reduce((a, b) => Math.min(a, b)), steps.reduce((a, b) => Math.max(a, b))];
  const rough = Math.max(1, (to - from) / count), power = 10 ** Math.floor(Math.log10(rough));
  const width = Math.max(1, [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough)!);
  const ticks: number[] = [];
  for (let at = Math.ceil(from / width) * width; at <= to; at += width) ticks.push(at);
  return ticks;
}
