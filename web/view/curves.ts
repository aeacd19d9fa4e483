import type { MetricRecord } from "../../runner/records/rows.ts";

/** One node's metric by step. */
export interface Series {
  readonly node: string;
  /** What tells it from the other series of its chart. */
  readonly label: string;
  /** Steps and values, by step. Values that are no finite number are gaps: null. */
  readonly points: readonly (readonly [step: number, value: number | null])[];
}

/** A metric of a stage with all variants of a sweep. */
export interface Chart {
  readonly stage: string;
  readonly metric: string;
  /** Name of the steps: `epochs`, `step`. */
  readonly unit: string;
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
