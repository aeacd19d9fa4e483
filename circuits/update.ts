import type { Circuit, ParameterArray } from "./circuit.ts";
import type { CountedWeight } from "./evidence.ts";
import { leafFamily, shapeOf } from "./leaves/mod.ts";
import { parameterOwners, rowWidth, settingsFor, type UpdateRule } from "./learner.ts";
import { amountOf, stepRules, type UpdateStep } from "./steps/mod.ts";
import { countedSpreads } from "./spread.ts";
import { topDownRows } from "./top_down.ts";

/** Counts in the precision in which they were accumulated. */
export type Counts = Float64Array | Float32Array;

/** Accumulated expected counts. */
export interface Accumulators {
  /** Expected uses of each edge, by id of the parameters of sum nodes, in the parameter's shape. */
  readonly weights: ReadonlyMap<string, Counts>;
  /** Expected sufficient statistics `[units, width]`, by id of the parameters of leaves. */
  readonly statistics: ReadonlyMap<string, Counts>;
  /** Weight of the counted samples. */
  readonly weight: CountedWeight;
  /**
   * For steps that ask for it: how often the samples would use each row under the old parameters, `[rows]` by id, if an
   * engine knows it already; computed from `values` if omitted.
   */
  readonly priors?: ReadonlyMap<string, ArrayLike<number>>;
  /** Relative error of the squared distances of real values from a mean in the moments; that of float64 if omitted. */
  readonly rounding?: number;
}

/**
 * The M-step of {@link Learner.update} on the host: writes new values into the arrays of `values`, which must have every
 * parameter of the circuit or, if `priors` are given, those to be updated. The rule must have passed `checkRule`. Does
 * not modify the counts.
 */
export function applyUpdate(
  circuit: Circuit,
  values: ReadonlyMap<string, ParameterArray>,
  accumulators: Accumulators,
  rule: UpdateRule,
): void {
  const { step } = rule;
  // Computed from all old parameters, so before the first one changes.
  const priors = stepRules[step.kind].priors
    ? accumulators.priors ?? topDownRows(circuit, values, (node) => accumulators.weight.of(node))
    : undefined;
  const spreads = countedSpreads(circuit, values, accumulators.statistics, accumulators.rounding);
  for (const [id, node] of parameterOwners(circuit)) {
    const settings = settingsFor(rule, id, node.kind);
    const counts = (node.kind === "sum" ? accumulators.weights : accumulators.statistics).get(id);
    const current = values.get(id);
    if (settings.frozen || counts === undefined || current === undefined) continue;
    const prior = priors?.get(id);
    const smoothing = { ...settings, step, ...(prior !== undefined && { prior }) };
    if (node.kind === "sum") {
      updateRows(current, counts, rowWidth(circuit, id, node), smoothing);
      continue;
    }
    const family = leafFamily(node.family);
    const leaf = { ...shapeOf(circuit, node), values: current };
    if (family.rows) updateRows(current, counts, rowWidth(circuit, id, node), smoothing);
    else {
      const { pseudocount } = settings;
      current.set(stepRules[step.kind].leaf(amountOf(step), {
        leaf,
        family,
        statistics: Float64Array.from(counts),
        pseudocount,
        ...(prior !== undefined && { prior }),
        spread: spreads.get(id),
      }));
    }
  }
}

/**
 * Converts statistics counted under `values` to those under `fresh`, in place: moments about a mean move with it. State
 * counts are unchanged.
 */
export function recentreStatistics(
  circuit: Circuit,
  statistics: ReadonlyMap<string, Float64Array>,
  values: ReadonlyMap<string, ParameterArray>,
  fresh: ReadonlyMap<string, ParameterArray>,
): void {
  for (const [id, node] of parameterOwners(circuit)) {
    const counts = statistics.get(id), before = values.get(id), after = fresh.get(id);
    if (node.kind !== "input" || counts === undefined || before === undefined || after === undefined) {
      continue;
    }
    leafFamily(node.family).recentre?.({ ...shapeOf(circuit, node), values: before }, after, counts);
  }
}

/** How {@link updateRows} smooths and steps. */
export interface RowUpdate {
  /** How counts become parameters. */
  readonly step: UpdateStep;
  /** Virtual samples per row. */
  readonly pseudocount: number;
  /** Share of the counts that is redistributed according to `base`. */
  readonly mix: number;
  /** `[width]` or `[rows, width]`; uniform if omitted. */
  readonly base?: ArrayLike<number>;
  /** `[rows]`, for steps that ask for it: how often the samples would use the row under the old parameters. */
  readonly prior?: ArrayLike<number>;
}

/** Factors for one row: `new = keep * old + counted * counts + spread * base`. */
export interface RowFactors {
  /** Factor of the old values. */
  readonly keep: number;
  /** Factor of the counts. */
  readonly counted: number;
  /** Factor of the smoothing distribution. */
  readonly spread: number;
}

/**
 * Factors for each row, by its index and the sum of its counts, such that `keep * old + take * F` sums to one. `F` are
 * the smoothed counts of {@link UpdateRule}.
 */
export function rowFactors(
  { step, pseudocount, mix, prior }: RowUpdate,
): (row: number, total: number) => RowFactors {
  const rule = stepRules[step.kind], amount = amountOf(step);
  return (row, total) => {
    const { keep, take } = rule.factors(amount, total + pseudocount, prior?.[row] ?? 0);
    return { keep, counted: take * (1 - mix), spread: take * (mix * total + pseudocount) };
  };
}

/** One step of rows that are distributions, `[rows, width]`, in place; see {@link rowFactors}. */
export function updateRows(values: ParameterArray, counts: Counts, width: number, update: RowUpdate): void {
  const { base } = update, factors = rowFactors(update);
  const shared = base === undefined || base.length === width;
  for (let row = 0, at = 0; at < values.length; row++, at += width) {
    let total = 0;
    for (let i = 0; i < width; i++) total += counts[at + i] as number;
    const { keep, counted, spread } = factors(row, total);
    if (keep === 1) continue;
    const from = shared ? 0 : at;
    if (base === undefined) {
      const added = spread * (1 / width);
      for (let i = at; i < at + width; i++) {
        values[i] = keep * (values[i] as number) + counted * (counts[i] as number) + added;
      }
      continue;
    }
    for (let i = 0; i < width; i++) {
      values[at + i] = keep * (values[at + i] as number) + counted * (counts[at + i] as number) +
        spread * (base[from + i] as number);
    }
  }
}
