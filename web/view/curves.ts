import { REFERENCE, type Style, stylesOf, stylesOfRoles } from "../../foundation/palette.ts";
import type { MetricRecord } from "../../runner/records/rows.ts";

/** One node's metric by step. */
export interface Series {
  readonly node: string;
  /** Label that distinguishes it within its chart. */
  readonly label: string;
  /** Colour index, if its arm has a colour in all charts of the run. */
  readonly role?: number;
  /** Pairs of step and value, in ascending order; non-finite values are gaps: null. */
  readonly points: readonly (readonly [step: number, value: number | null])[];
}

/** A metric of a stage for all variants of a sweep. */
export interface Chart {
  readonly stage: string;
  readonly metric: string;
  /** Unit of the steps: `epochs`, `step`. */
  readonly unit: string;
  /** Other metrics with the same curves up to a constant factor or offset. */
  readonly alike?: readonly string[];
  readonly series: readonly Series[];
}

/** Maximum number of points drawn of a series: more than the width of a screen adds nothing. */
export const DRAWN_POINTS = 600;

/** The curves of metrics with at least two steps, by name. */
export function curvesOf(metrics: readonly MetricRecord[]): Map<string, [number, number | null][]> {
  const byName = Map.groupBy(metrics.filter((one) => one.step !== null), (one) => one.name);
  const found = new Map<string, [number, number | null][]>();
  for (const [name, records] of byName) {
    if (records.length >= 2) found.set(name, records.map((one) => [one.step!, one.value]));
  }
  return found;
}

/**
 * Thins a series to about `limit` points that look the same: of each interval its first, lowest, highest and last, and
 * any gap.
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

/** Splits a metric's name and unit: `loss [nats]` is a loss in nats. */
export function metricParts(name: string): { name: string; unit: string | undefined } {
  const match = /^(.*\S)\s*\[([^[\]]+)\]$/.exec(name);
  return match === null ? { name, unit: undefined } : { name: match[1]!, unit: match[2]! };
}

/** Styles of curves: by the roles of their arms, otherwise by order. */
export function seriesStyles(series: readonly Series[]): Map<string, Style> {
  if (!series.some(({ role }) => role !== undefined)) return stylesOf(series.map(({ label }) => label));
  return stylesOfRoles(series.map(({ label, role }) => [label, role ?? REFERENCE]));
}

/** Merges charts of one stage whose curves are equal up to a constant factor or offset. */
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
  // Constant curves are trivially alike, which is no reason to merge them.
  if (pairs.every(([x]) => x === first[0])) return false;
  const factor = first[1] / first[0];
  return (Number.isFinite(factor) && rest.every(([x, y]) => near(factor * x, y, largest))) ||
    rest.every(([x, y]) => near(x + first[1] - first[0], y, largest));
}

/** Round ticks between two steps; only whole ones if all steps are whole. */
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
