import { type Circuit, type InputNode, type ParameterArray } from "./circuit.ts";
import type { CountedWeight } from "./evidence.ts";
import { leafFamily, shapeOf } from "./leaves/mod.ts";
import type { Leaf } from "./leaves/mod.ts";
import { parameterOwners, rowWidth, settingsFor, type UpdateRule, type UpdateStep } from "./learner.ts";
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
   * For `anemone`: how often the samples would use each row under the old parameters, `[rows]` by id, where an engine knows
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
  const priors = step.kind === "anemone"
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
    else current.set(updatedLeaf(leaf, node, counts, smoothing, spreads.get(id)));
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
  /** For `anemone`, `[rows]`: how often the samples would use the row under the old parameters. */
  readonly prior?: ArrayLike<number>;
}

/**
 * One step of rows that are distributions, `[rows, width]`, in place: `new = keep * old + take * F`, with two
 * factors for each row that make it sum to one. `F` are the smoothed counts of {@link UpdateRule}.
 */
export function updateRows(values: ParameterArray, counts: Counts, width: number, update: RowUpdate): void {
  const { step, pseudocount, mix, base } = update;
  const shared = base === undefined || base.length === width;
  for (let row = 0, at = 0; at < values.length; row++, at += width) {
    let total = 0;
    for (let i = 0; i < width; i++) total += counts[at + i] as number;
    const smoothed = total + pseudocount;
    let keep = 0, take = 0;
    if (step.kind === "anemone") {
      const prior = (1 - step.step) * (update.prior?.[row] ?? 0);
      const all = prior + step.step * smoothed;
      if (!(all > 0)) continue;
      keep = prior / all;
      take = step.step / all;
    } else {
      if (!(smoothed > 0)) continue;
      keep = step.kind === "inertia" ? step.inertia : 0;
      take = (1 - keep) / smoothed;
    }
    const spread = take * (mix * total + pseudocount);
    const counted = take * (1 - mix);
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

/** One step of a leaf that learns from statistics which are no rows of a distribution. */
function updatedLeaf(
  leaf: Leaf,
  node: InputNode,
  counts: Counts,
  update: RowUpdate,
  spread: number | undefined,
): ParameterArray {
  const family = leafFamily(node.family);
  const { step, pseudocount } = update;
  const statistics = Float64Array.from(counts);
  const scale = step.kind === "anemone" ? step.step : 1;
  for (let i = 0; i < statistics.length; i++) statistics[i] = scale * (statistics[i] as number);
  if (step.kind === "anemone") {
    for (let u = 0; u < leaf.units; u++) {
      family.accumulateExpected(leaf, u, (1 - step.step) * (update.prior?.[u] ?? 0), statistics);
    }
  }
  const fresh = family.maximise(leaf, statistics, scale * pseudocount, spread);
  return step.kind === "inertia" ? family.blend(leaf, fresh, step.inertia) : fresh;
}
