import {
  applyUpdate,
  type Circuit,
  type CountedWeight,
  type InputNode,
  leafFamily,
  type ParameterArray,
  parameterOwners,
  rowFactors,
  type RowUpdate,
  rowWidth,
  settingsFor,
  stepRules,
  type SumNode,
  topDownRows,
  updateRows,
  type UpdateRule,
} from "../../circuits/mod.ts";
import type { LeafCounts } from "./leaf_counts.ts";
import type { LeafStore } from "./leaf_store.ts";
import type { TokenTable } from "./token_table.ts";
import type { WeightCounts, WeightStore } from "./weight_store.ts";

/** What an update reads and writes. */
export interface Learned {
  /** The structure. */
  readonly circuit: Circuit;
  /** Weights, changed in place. */
  readonly weights: WeightStore;
  /** Parameters of leaves, changed in place. */
  readonly leaves: LeafStore;
  /** Expected uses of edges. */
  readonly weightCounts: WeightCounts;
  /** Expected statistics of leaves. */
  readonly leafCounts: LeafCounts;
  /** Weight of the counted samples. */
  readonly weight: CountedWeight;
}

/** The M-step; see `UpdateRule`. The rule must have been validated; the counts are kept. */
export function updateParameters(learned: Learned, rule: UpdateRule): void {
  const { circuit, weights } = learned;
  const owners = parameterOwners(circuit);
  const current = new Map([...weights.ids()].map((id) => [id, weights.view(id)]));
  const priors = stepRules[rule.step.kind].priors
    ? topDownRows(circuit, current, (node) => learned.weight.of(node))
    : undefined;
  const updateFor = (id: string, node: InputNode | SumNode): RowUpdate | undefined => {
    const settings = settingsFor(rule, id, node.kind);
    if (settings.frozen) return undefined;
    const prior = priors?.get(id);
    return { ...settings, step: rule.step, ...(prior !== undefined && { prior }) };
  };
  // Leaves first: they depend on the old weights.
  updateOtherLeaves(learned, owners, current, rule);
  for (const [id, node] of owners) {
    if (node.kind !== "input" || !leafFamily(node.family).rows) continue;
    const update = updateFor(id, node);
    if (update !== undefined) updateTokens(learned, id, update);
  }
  // One parameter at a time: what was just written is read from the cache.
  const largest = owners.entries().reduce(
    (most, [id, { kind }]) => kind === "sum" ? Math.max(most, weights.view(id).length) : most,
    0,
  );
  const counts = new Float64Array(largest);
  for (const [id, node] of owners) {
    if (node.kind !== "sum") continue;
    const update = updateFor(id, node);
    if (update === undefined) continue;
    updateRows(
      weights.view(id),
      learned.weightCounts.countsOf(id, weights, counts.subarray(0, weights.view(id).length)),
      rowWidth(circuit, id, node),
      update,
    );
  }
  weights.changed();
}

/** Updates leaves that are not rows of distributions: few numbers, passed directly to the host's update. */
function updateOtherLeaves(
  { circuit, leaves, leafCounts, weight }: Learned,
  owners: ReadonlyMap<string, InputNode | SumNode>,
  weights: ReadonlyMap<string, ParameterArray>,
  rule: UpdateRule,
): void {
  const values = new Map(weights), statistics = new Map<string, Float64Array>();
  for (const [id, node] of owners) {
    if (node.kind !== "input" || leafFamily(node.family).rows) continue;
    values.set(id, leaves.get(id));
    statistics.set(id, leafCounts.statisticsOf(node));
  }
  if (statistics.size === 0) return;
  applyUpdate(circuit, values, { weights: new Map(), statistics, weight }, rule);
  for (const id of statistics.keys()) leaves.set(id, values.get(id) as ParameterArray);
}

/** {@link updateRows} for leaf parameters in a table, whose distributions are its columns. */
function updateTokens({ leaves, leafCounts }: Learned, id: string, update: RowUpdate): void {
  const place = leaves.placeOf(id) as { table: number; slot: number };
  const { states, units, values } = leaves.tables[place.table] as TokenTable;
  const counts = leafCounts.tokens[place.table];
  const first = place.slot * states;
  const total = new Float64Array(units);
  for (let k = 0; k < states; k++) {
    const place = counts?.placeOf(first + k) ?? -1;
    if (counts !== undefined && place >= 0) addInto(total, counts.blockOf(place), counts.offsetOf(place));
  }
  const { base } = update, factorsOf = rowFactors(update);
  const keep = new Float64Array(units), counted = new Float64Array(units), spread = new Float64Array(units);
  for (let u = 0; u < units; u++) {
    const factors = factorsOf(u, total[u] as number);
    keep[u] = factors.keep;
    counted[u] = factors.counted;
    spread[u] = factors.spread;
  }
  // By unit: each state's share of the smoothing mass.
  const added = spread.map((x) => x * (1 / states));
  for (let k = 0; k < states; k++) {
    if (base !== undefined) {
      const shared = base.length === states;
      for (let u = 0; u < units; u++) {
        added[u] = (spread[u] as number) * (base[shared ? k : u * states + k] as number);
      }
    }
    const at = (first + k) * units, place = counts?.placeOf(first + k) ?? -1;
    if (counts === undefined || place < 0) keepRow(values, at, keep, added);
    else countRow(values, at, keep, counted, counts.blockOf(place), counts.offsetOf(place), added);
  }
  leaves.changed(id);
}

// The loops over a vocabulary are kept minimal: they take most of an update's time.

function addInto(total: Float64Array, counts: Float64Array, from: number): void {
  for (let u = 0; u < total.length; u++) total[u] = (total[u] as number) + (counts[from + u] as number);
}

/** `keep * row + added`, in place, for the row at `at`. */
function keepRow(values: Float32Array, at: number, keep: Float64Array, added: Float64Array): void {
  for (let u = 0; u < keep.length; u++) {
    values[at + u] = (keep[u] as number) * (values[at + u] as number) + (added[u] as number);
  }
}

/** `keep * row + counted * fresh + added`, in place; `fresh` begins at `from`. */
function countRow(
  values: Float32Array,
  at: number,
  keep: Float64Array,
  counted: Float64Array,
  fresh: Float64Array,
  from: number,
  added: Float64Array,
): void {
  for (let u = 0; u < keep.length; u++) {
    values[at + u] = (keep[u] as number) * (values[at + u] as number) +
      (counted[u] as number) * (fresh[from + u] as number) + (added[u] as number);
  }
}
