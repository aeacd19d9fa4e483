import { getOrMake } from "../../foundation/newer.ts";
import {
  type Circuit,
  type InputNode,
  isObserved,
  leafFamily,
  leafOf,
  type NodeId,
  type ParameterArray,
  recentreStatistics,
  type Samples,
  softPosterior,
  type StateWeights,
} from "../../circuits/mod.ts";
import type { InputGroup } from "../plan.ts";
import type { LeafLayout, LeafRows, LeafStore } from "./leaf_store.ts";
import { RowCounts } from "./row_counts.ts";
import type { Segment } from "./segments.ts";
import { transposeInto } from "../../circuits/transpose.ts";
import { countSoft, SOFT } from "./soft_rows.ts";
import type { TokenTable } from "./token_table.ts";

/** Accumulated expected sufficient statistics of leaves, in float64. */
export class LeafCounts {
  /** By table: rows `slot * states + state`; created on first use. */
  readonly tokens: (RowCounts | undefined)[] = [];
  /** By id, for families that do not count states: `[units, width]`. */
  readonly others = new Map<string, Float64Array>();
  readonly #circuit: Circuit;
  readonly #store: LeafStore;

  /** Creates zeroed accumulators. */
  constructor(circuit: Circuit, store: LeafStore) {
    this.#circuit = circuit;
    this.#store = store;
  }

  /** Adds the flows `[folds, samples, units]` of a leaf segment. Missing values do not count. */
  add(segment: Segment<InputGroup>, rows: LeafRows, flows: Float32Array, samples: Samples): void {
    const { group, folds } = segment, { units } = group;
    const layout = this.#store.layouts[group.index] as LeafLayout;
    if (rows.kind === "rows" || layout.table === undefined) return this.#addOthers(segment, flows, samples);
    const table = this.#store.tables[layout.table] as TokenTable;
    const counts = this.#table(layout.table);
    const { unobserved } = table;
    const total = folds * samples.count;
    if (rows.kind === "mixed") countSoft({ ...layout, segment, table }, samples, rows, flows, counts);
    for (let i = 0; i < total; i++) {
      const at = rows.index[i] as number;
      if (at === SOFT) continue;
      const row = Math.floor(at / layout.blocks);
      if (row !== unobserved) counts.add(row, at % layout.blocks * units, flows, i * units, units);
    }
  }

  /** Adds the flow of one leaf unit for one observed value. */
  addExact(node: InputNode, unit: number, value: number, flow: number): void {
    const id = node.parameter as string;
    const place = this.#store.placeOf(id);
    if (place === undefined) {
      leafFamily(node.family).accumulate(this.#store.leaf(node), unit, value, flow, this.#other(node));
      return;
    }
    const row = (this.#store.tables[place.table] as TokenTable).rowOfValue(place.slot, value);
    if (row >= 0) this.#table(place.table).addOne(row, unit, flow);
  }

  /** Adds the flows of a leaf's units, times `weight`, under soft evidence: each state gets its share of a unit's likelihood. */
  addSoft(node: InputNode, flows: ArrayLike<number>, soft: StateWeights, weight: number): void {
    const family = leafFamily(node.family), leaf = this.#store.leaf(node);
    for (let unit = 0; unit < flows.length; unit++) {
      const flow = flows[unit] as number;
      if (!(flow > 0)) continue;
      softPosterior(family, leaf, unit, soft).forEach((share, i) => {
        if (share > 0) this.addExact(node, unit, soft.states[i] as number, weight * flow * share);
      });
    }
  }

  /** Counts of a parameter by state, not copied, without the states that have none; undefined for families that do not count states. */
  statesOf({ parameter }: InputNode): ReadonlyMap<number, Float64Array> | undefined {
    const place = this.#store.placeOf(parameter as string);
    if (place === undefined) return undefined;
    const { states } = this.#store.tables[place.table] as TokenTable;
    return this.tokens[place.table]?.counted(place.slot * states, states) ?? new Map();
  }

  /** Statistics of a parameter, `[units, width]`. */
  statisticsOf(node: InputNode): Float64Array {
    const counted = this.statesOf(node);
    if (counted === undefined) return this.#other(node).slice();
    const { table } = this.#store.placeOf(node.parameter as string) as { readonly table: number };
    const { states, units } = this.#store.tables[table] as TokenTable;
    const rows = new Float64Array(states * units);
    for (const [k, counts] of counted) rows.set(counts, k * units);
    // By blocks: a column of its own for each state would touch as many lines of the cache as there are units.
    return transposeInto(rows, 0, units, states, units, new Float64Array(rows.length), 0, states);
  }

  /** Sets the statistics of a parameter, `[units, width]`. */
  setStatistics(node: InputNode, statistics: Float64Array): void {
    const place = this.#store.placeOf(node.parameter as string);
    if (place === undefined) return this.#other(node).set(statistics);
    const { states, units } = this.#store.tables[place.table] as TokenTable;
    const counts = this.#table(place.table), rows = new Float64Array(states * units);
    transposeInto(statistics, 0, states, units, states, rows, 0, units);
    for (let k = 0; k < states; k++) {
      counts.set(place.slot * states + k, rows.subarray(k * units, (k + 1) * units));
    }
  }

  /** Must be called before parameters change to `fresh`: moments about means move with them. */
  recentre(fresh: ReadonlyMap<string, ParameterArray>): void {
    const values = new Map([...this.others.keys()].map((id) => [id, this.#store.get(id)]));
    recentreStatistics(this.#circuit, this.others, values, fresh);
  }

  /** Resets to zero. */
  clear(): void {
    for (const counts of this.tokens) counts?.clear();
    for (const counts of this.others.values()) counts.fill(0);
  }

  #table(index: number): RowCounts {
    const { slots, states, units } = this.#store.tables[index] as TokenTable;
    return this.tokens[index] ??= new RowCounts(slots * states, units);
  }

  #other(node: InputNode): Float64Array {
    const leaf = leafOf(this.#circuit, node);
    return getOrMake(
      this.others,
      node.parameter as string,
      () => new Float64Array(node.units * leafFamily(node.family).statisticsWidth(leaf)),
    );
  }

  #addOthers({ group, from, folds }: Segment<InputGroup>, flows: Float32Array, samples: Samples): void {
    const blocks = group.folds / group.nodes.length;
    for (let fold = 0; fold < folds; fold++) {
      const node = this.#circuit
        .nodes[group.nodes[Math.floor((from + fold) / blocks)] as NodeId] as InputNode;
      if (node.parameter === undefined) continue;
      const leaf = this.#store.leaf(node), family = leafFamily(node.family);
      const statistics = this.#other(node), first = group.firstUnits[from + fold] as number;
      for (let s = 0; s < samples.count; s++) {
        if (!isObserved(samples, s, node.variable)) continue;
        const value = samples.values[s * samples.variables + node.variable] as number;
        const at = (fold * samples.count + s) * group.units;
        for (let u = 0; u < group.units; u++) {
          const flow = flows[at + u] as number;
          if (flow > 0) family.accumulate(leaf, first + u, value, flow, statistics);
        }
      }
    }
  }
}
