import type { Circuit, ParameterArray } from "./circuit.ts";
import type { CountedWeight } from "./evidence.ts";
import { leafFamily, shapeOf } from "./leaves/mod.ts";
import { parameterOwners, rowWidth, settingsFor, type UpdateRule } from "./learner.ts";
import { amountOf, stepRules, type UpdateStep } from "./steps/mod.ts";
import { countedSpreads } from "./spread.ts";
import { topDownRows } from "./top_down.ts";

/** Counts in the precision of whoever kept them. */
export type Counts = Float64Array | Float32Array;

/** Accumulated expected counts. */
export interface Accumulators {
  /** By id, for the parameters of sum nodes: expected uses of each edge, of the shape of the parameter. */
  readonly weights: ReadonlyMap<string, Counts>;
  /** By id, for the parameters of leaves: expected sufficient statistics, `[units, width]`. */
  readonly statistics: ReadonlyMap<string, Counts>;
  /** Weight of the samples that they count. */
  readonly weight: CountedWeight;
  /**
   * For steps that ask for it: how often the samples would use each row under the old parameters, `[rows]` by id, where an engine knows
   * it already; found from `values` when left out.
   */
  readonly priors?: ReadonlyMap<string, ArrayLike<number>>;
  /** Part of the square of a real value's distance from a mean that moments may be wrong by; that of float64 when left out. */
  readonly rounding?: number;
}

/**
 * The M-step of {@link Learner.update} on the host: writes new values into the arrays of `values`, which must
 * have every parameter of the circuit, or, where `priors` are given, those that shall change. The rule must have
 * passed `checkRule`. Leaves the counts as they are.
 */
export function applyUpdate(
  circuit: Circuit,
  values: ReadonlyMap<string, ParameterArray>,
  accumulators: Accumulators,
  rule: UpdateRule,
): void {
  const { step } = rule;
  // From the old parameters, all of them, so before the first one changes.
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
 * Makes statistics that were counted under `values` those that they would be under `fresh`, in place: moments about a
 * mean move with it. Counts of states stay as they are.
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
  /** Virtual samples a row. */
  readonly pseudocount: number;
  /** Share of the counts that is spread by `base`. */
  readonly mix: number;
  /** `[width]` or `[rows, width]`; uniform when left out. */
  readonly base?: ArrayLike<number>;
  /** `[rows]`, for steps that ask for it: how often the samples would use the row under the old parameters. */
  readonly prior?: ArrayLike<number>;
}

/** The factors of one row: `new = keep * old + counted * counts + spread * base`. */
export interface RowFactors {
  /** Of the values. */
  readonly keep: number;
  /** Of the counts. */
  readonly counted: number;
  /** Of the distribution that smooths. */
  readonly spread: number;
}

/**
 * The factors of each row, by its number and the sum of its counts: those that make `keep * old + take * F` sum to one.
 * `F` are the smoothed counts of {@link UpdateRule}.
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

/** One step of rows that are distributions, `[rows, width]`, in place: see {@link rowFactors}. */
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
