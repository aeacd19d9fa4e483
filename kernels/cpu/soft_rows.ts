import { isSoft, type Samples, type SoftEvidence, softWidth } from "../../circuits/mod.ts";
import type { InputGroup } from "../plan.ts";
import type { RowCounts } from "./row_counts.ts";
import { NOTHING } from "./rows.ts";
import type { Segment } from "./segments.ts";
import type { TokenTable } from "./token_table.ts";

/** Rows of leaves over states, some of them mixed by soft evidence. */
export interface MixedRows {
  /** Discriminates the kinds of `LeafRows`. */
  readonly kind: "mixed";
  /** `[folds, samples]`: rows of the table, one per block; {@link SOFT} where a row is mixed. */
  readonly index: Int32Array;
  /** `[folds, samples, units]`: likelihoods divided by `exp(scale)`. */
  readonly values: Float32Array;
  /** `[folds, samples]`: natural log scales. */
  readonly scale: Float64Array;
}

/** Replaces the row index where a row is mixed. */
export const SOFT = -1;

/** The leaves of a segment over states, and the location of their likelihoods. */
export interface StateLeaves {
  readonly segment: Segment<InputGroup>;
  readonly table: TokenTable;
  /** `[folds of the group]`: slot of the table. */
  readonly slots: Int32Array;
  /** Blocks of a node, that is, folds per table row. */
  readonly blocks: number;
}

/**
 * Rows of leaves for samples with soft evidence: weighted sums of table rows, in float64, divided by their largest
 * unit. Rows of observed and missing values are copied.
 * @param index table rows, without regard to soft evidence; changed where there is some
 * @param scale log scales, likewise
 */
export function mixedRows(
  leaves: StateLeaves,
  samples: Samples,
  index: Int32Array,
  scale: Float64Array,
): MixedRows {
  const { segment: { group, folds }, table } = leaves, { units } = group, { count } = samples;
  const values = new Float32Array(folds * count * units);
  for (let i = 0, at = 0; i < index.length; i++, at += units) {
    const from = (index[i] as number) * units;
    values.set(table.values.subarray(from, from + units), at);
  }
  const sums = new Float64Array(units);
  forEachSoft(leaves, samples, (evidence, i, slot, from) => {
    const most = largestTerm(evidence, table, slot);
    index[i] = SOFT;
    sums.fill(0);
    if (most > -Infinity) {
      forEachState(evidence, (state, weight) => {
        const row = table.rowOfValue(slot, state), at = row * table.units + from;
        if (row < 0) return;
        const factor = Math.exp(Math.log(weight) + (table.scales[row] as number) - most);
        if (factor === 0) return;
        for (let u = 0; u < units; u++) {
          sums[u] = (sums[u] as number) + factor * (table.values[at + u] as number);
        }
      });
    }
    let largest = 0;
    for (let u = 0; u < units; u++) largest = Math.max(largest, sums[u] as number);
    scale[i] = largest === 0 ? NOTHING : most + Math.log(largest);
    for (let u = 0; u < units; u++) {
      values[i * units + u] = largest === 0 ? 0 : (sums[u] as number) / largest;
    }
  });
  return { kind: "mixed", index, values, scale };
}

/**
 * Adds the expected counts of states under soft evidence: each state gets its share of a unit's flow.
 * @param flows `[folds, samples, units]`
 */
export function countSoft(
  leaves: StateLeaves,
  samples: Samples,
  { values, scale }: MixedRows,
  flows: Float32Array,
  counts: RowCounts,
): void {
  const { segment: { group: { units } }, table } = leaves;
  const ratios = new Float64Array(units);
  forEachSoft(leaves, samples, (evidence, i, slot, from) => {
    let flow = 0;
    for (let u = 0, at = i * units; u < units; u++, at++) {
      const value = values[at] as number;
      flow += ratios[u] = value > 0 ? (flows[at] as number) / value : 0;
    }
    if (flow === 0) return;
    forEachState(evidence, (state, weight) => {
      const row = table.rowOfValue(slot, state);
      if (row < 0) return;
      const factor = Math.exp(Math.log(weight) + (table.scales[row] as number) - (scale[i] as number));
      if (factor > 0) counts.addProducts(row, from, factor, table.values, row * table.units + from, ratios);
    });
  });
}

/** Soft evidence on a variable in a sample: weights and, if only some states are listed, the states. */
interface Weighted {
  readonly soft: SoftEvidence;
  /** Index of the first weight, and the end. */
  readonly from: number;
  readonly to: number;
}

/** Calls `visit` for every fold and sample with soft evidence: their index `i`, the slot, and the table's first unit. */
function forEachSoft(
  { segment: { group, from, folds }, slots, blocks }: StateLeaves,
  samples: Samples,
  visit: (evidence: Weighted, i: number, slot: number, unit: number) => void,
): void {
  const { count } = samples;
  for (let fold = 0; fold < folds; fold++) {
    const variable = group.variables[from + fold] as number, soft = samples.soft?.get(variable);
    if (soft === undefined) continue;
    const width = softWidth(soft, count), slot = slots[from + fold] as number;
    for (let s = 0; s < count; s++) {
      if (!isSoft(samples, s, variable)) continue;
      const unit = (from + fold) % blocks * group.units;
      visit({ soft, from: s * width, to: (s + 1) * width }, fold * count + s, slot, unit);
    }
  }
}

function forEachState(
  { soft: { weights, indices }, from, to }: Weighted,
  visit: (state: number, weight: number) => void,
): void {
  for (let at = from; at < to; at++) {
    const weight = weights[at] as number;
    if (weight > 0) visit(indices === undefined ? at - from : indices[at] as number, weight);
  }
}

/** Logarithm of the largest product of a weight and a row's scale; -Infinity where no state is possible. */
function largestTerm(evidence: Weighted, table: TokenTable, slot: number): number {
  let most = -Infinity;
  forEachState(evidence, (state, weight) => {
    const row = table.rowOfValue(slot, state), scale = row < 0 ? NOTHING : table.scales[row] as number;
    if (scale > NOTHING) most = Math.max(most, Math.log(weight) + scale);
  });
  return most;
}
