import type { InputGroup, Plan } from "../plan.ts";
import { checkedVariables, NAMES } from "./programs.ts";
import type { GraphResults } from "./graph_runner.ts";
import { CERTIFIED_MARGIN, NOTHING, ZERO_BELOW } from "./rows.ts";
import type { Segment, Segmentation } from "./segments.ts";

/** Share of a sample's flow that may be lost; a larger loss would change its log-likelihood. */
const LOST_SHARE = 5e-5;
/** Allowance for rounding, per level. */
const LOST_PER_LEVEL = 3e-7;

/** Certifies the likelihoods of a batch at a root with one unit: `-Infinity` where they are certainly zero. */
export function judgeRoot(results: GraphResults): { logs: Float64Array; uncertified: number[] } {
  const logs = results.doubles(NAMES.log).slice(), bounds = results.doubles(NAMES.bound);
  const uncertified: number[] = [];
  for (let s = 0; s < logs.length; s++) {
    const log = logs[s] as number, bound = bounds[s] as number;
    if (log > Math.max(bound, ZERO_BELOW) + CERTIFIED_MARGIN) continue;
    logs[s] = -Infinity;
    if (bound > ZERO_BELOW) uncertified.push(s);
  }
  return { logs, uncertified };
}

/** Samples not certified by a program without error bounds. */
export function uncertifiedSamples(results: GraphResults): number[] {
  const found: number[] = [];
  results.singles(NAMES.least).forEach((least, s) => {
    if (!(least >= 1)) found.push(s);
  });
  return found;
}

/**
 * Finds samples whose flow passed through weights that the upward pass clamped: it is missing at the leaves below, as
 * is that share of the likelihood. `weights`: each sample's flow at the root.
 */
export function findLosses(
  plan: Plan,
  segmentation: Segmentation,
  results: GraphResults,
  weights: ArrayLike<number>,
): number[] {
  const count = weights.length;
  const checked = checkedVariables(plan);
  const passed = new Map([...checked].map((v) => [v, new Float64Array(count)]));
  for (const [index, name] of results.program.passed) {
    const { group, from, folds } = segmentation.segments[index] as Segment<InputGroup>;
    const flows = results.singles(name);
    for (let fold = 0; fold < folds; fold++) {
      const total = passed.get(group.variables[from + fold] as number);
      if (total === undefined) continue;
      for (let s = 0; s < count; s++) total[s] = (total[s] as number) + (flows[fold * count + s] as number);
    }
  }
  const allowed = LOST_SHARE + LOST_PER_LEVEL * plan.levels.length;
  const found: number[] = [];
  for (let s = 0; s < count; s++) {
    const weight = weights[s] as number;
    for (const total of passed.values()) {
      if ((total[s] as number) >= weight * (1 - allowed)) continue;
      found.push(s);
      break;
    }
  }
  return found;
}

/**
 * Certifies the rows of a root, `[samples, units]`: `-Infinity` where they are certainly zero. Also returns the samples
 * with an uncertified unit.
 */
export function judgeRows(
  root: Segment,
  results: GraphResults,
  count: number,
): { logs: Float64Array; uncertified: Set<number> } {
  const { index, folds, group: { units } } = root;
  const values = results.singles(NAMES.values(index)), scales = results.doubles(NAMES.scale(index));
  const bounds = results.doubles(NAMES.rowBound(index)) as Float64Array | undefined;
  const logs = new Float64Array(count * folds * units);
  const uncertified = new Set<number>();
  for (let row = 0; row < folds * count; row++) {
    const fold = Math.floor(row / count), s = row % count;
    const bound = bounds === undefined ? NOTHING : bounds[row] as number;
    for (let u = 0; u < units; u++) {
      const log = (scales[row] as number) + Math.log(values[row * units + u] as number);
      const certified = log > Math.max(bound, ZERO_BELOW) + CERTIFIED_MARGIN;
      logs[(s * folds + fold) * units + u] = certified ? log : -Infinity;
      if (!certified && bound > ZERO_BELOW) uncertified.add(s);
    }
  }
  return { logs, uncertified };
}
