import { getOrMake } from "../../foundation/newer.ts";
import {
  certainStates,
  type Circuit,
  type InputNode,
  isObserved,
  type Leaf,
  type LeafFamily,
  leafFamily,
  leafOf,
  type NodeId,
  type ParameterArray,
  parameterOf,
  type Samples,
  type Semiring,
  shapeOf,
  softLogProbability,
  softOf,
  type StateWeights,
} from "../../circuits/mod.ts";
import type { InputGroup, Plan } from "../plan.ts";
import { NOTHING } from "./rows.ts";
import type { Segment } from "./segments.ts";
import { type MixedRows, mixedRows } from "./soft_rows.ts";
import { TokenTable } from "./token_table.ts";

/** Rows of a leaf segment for a batch: rows of a table, or rows computed on the host, some mixed from a table. */
export type LeafRows =
  | MixedRows
  | { readonly kind: "tokens"; readonly index: Int32Array; readonly scale: Float64Array }
  | { readonly kind: "rows"; readonly values: Float32Array; readonly scale: Float64Array };

/** How the leaves of a group are stored. */
export interface LeafLayout {
  /** The table; absent for leaves whose rows are computed for every batch (Gaussian, external). */
  readonly table?: number;
  /** `[folds]`: slot of the table. */
  readonly slots: Int32Array;
  /** Blocks of a node, that is, folds per table row. */
  readonly blocks: number;
  /** Whether likelihoods are exponentials of logarithms, which may have underflowed. */
  readonly rounded: boolean;
}

/**
 * Leaf parameters in the form in which they are read. Values of a categorical variable are rows of {@link TokenTable}s;
 * real and external ones become rows of likelihoods for each batch.
 */
export class LeafStore {
  /** Tables, by index. */
  readonly tables: TokenTable[] = [];
  /** Storage of each group's leaves, by group index. */
  readonly layouts: readonly (LeafLayout | undefined)[];
  readonly #circuit: Circuit;
  /** Values of parameters that no table holds unchanged. */
  readonly #values = new Map<string, ParameterArray>();
  /** Location of parameters with a table. */
  readonly #slots = new Map<string, { table: number; slot: number; node: InputNode }>();
  /** By parameter: log-likelihoods of the modes, computed on demand. */
  readonly #modes = new Map<string, Float64Array>();

  /** Creates a store for a plan's leaves, copying their parameters. */
  constructor(plan: Plan) {
    this.#circuit = plan.circuit;
    const tableOf = new Map<number, number>();
    this.layouts = plan.groups.map((group): LeafLayout | undefined => {
      if (group.kind !== "input") return undefined;
      const blocks = group.folds / group.nodes.length;
      const family = leafFamily(group.family);
      if (family.certain !== undefined) return this.#certain(group, blocks);
      const rounded = !family.rows;
      if (group.states === 0) return { slots: group.slots, blocks, rounded };
      const table = getOrMake(
        tableOf,
        group.table,
        () => this.tables.push(new TokenTable(slotsOf(plan, group), group.states, group.units * blocks)) - 1,
      );
      for (const id of group.nodes) {
        const node = plan.circuit.nodes[id] as InputNode;
        const slot = group.slots[plan.places[id]?.fold as number] as number;
        this.#slots.set(node.parameter as string, { table, slot, node });
        if (family.stateOf === undefined) continue;
        const shape = shapeOf(plan.circuit, node);
        (this.tables[table] as TokenTable).setStates(slot, {
          stateOf: (value) => family.stateOf?.(shape, value) as number,
          scaleOf: (state) => family.stateScale?.(shape, state) ?? 0,
        });
      }
      return { table, slots: group.slots, blocks, rounded };
    });
    for (const id of this.ids()) this.set(id, parameterOf(plan.circuit, id).values);
  }

  /** Ids of the leaf parameters. */
  ids(): ReadonlySet<string> {
    return new Set(
      this.#circuit.nodes.flatMap((node) => node.kind === "input" ? node.parameter ?? [] : []),
    );
  }

  /** A copy of the values of a parameter. */
  get(id: string): ParameterArray {
    const values = this.#values.get(id);
    if (values !== undefined) return values.slice();
    const { table, slot } = this.#slots.get(id) as { table: number; slot: number };
    return (this.tables[table] as TokenTable).read(slot);
  }

  /** Sets the values of a parameter, copied. */
  set(id: string, values: ParameterArray): void {
    this.#modes.delete(id);
    const place = this.#slots.get(id);
    if (place === undefined) return void this.#values.set(id, values.slice());
    const { node, slot } = place, table = this.tables[place.table] as TokenTable;
    const family = leafFamily(node.family);
    if (family.rows) return table.fill(slot, values);
    this.#values.set(id, values.slice());
    const leaf = { ...leafOf(this.#circuit, node), values };
    table.fillFromLogs(slot, (unit, state) => family.logProbability(leaf, unit, state));
  }

  /** Location of the parameter of a leaf over a categorical variable. */
  placeOf(id: string): { table: number; slot: number } | undefined {
    return this.#slots.get(id);
  }

  /** Must be called after a parameter's rows were changed in the table. */
  changed(id: string): void {
    this.#modes.delete(id);
    const { table, slot } = this.#slots.get(id) as { table: number; slot: number };
    (this.tables[table] as TokenTable).findZeros(slot);
  }

  /** Rows of a leaf segment for a batch. */
  rows(segment: Segment<InputGroup>, samples: Samples): LeafRows {
    const { group, from, folds } = segment;
    const layout = this.layouts[group.index] as LeafLayout;
    const scale = new Float64Array(folds * samples.count);
    if (layout.table === undefined) {
      const values = new Float32Array(folds * samples.count * group.units);
      this.#fillRows(segment, samples, values, scale);
      return { kind: "rows", values, scale };
    }
    const table = this.tables[layout.table] as TokenTable;
    const index = new Int32Array(folds * samples.count);
    for (let fold = 0, at = 0; fold < folds; fold++) {
      const slot = layout.slots[from + fold] as number, block = (from + fold) % layout.blocks;
      const variable = group.variables[from + fold] as number;
      for (let s = 0; s < samples.count; s++, at++) {
        const row = table.rowOf(slot, samples, s, variable);
        // An impossible value is zeroed, so any row may stand in for it.
        index[at] = (row < 0 ? table.unobserved : row) * layout.blocks + block;
        scale[at] = row < 0 ? NOTHING : table.scales[row] as number;
      }
    }
    if (samples.soft === undefined) return { kind: "tokens", index, scale };
    return mixedRows({ ...layout, segment, table }, samples, index, scale);
  }

  /** Writes log-likelihoods of a leaf's units for sample `s`, in float64; see `ExactSources.leaf`. */
  logs(node: InputNode, samples: Samples, s: number, semiring: Semiring, out: Float64Array): void {
    if (!isObserved(samples, s, node.variable)) {
      if (semiring === "sum") out.fill(0);
      else out.set(this.#modeLogs(node));
      return;
    }
    if (leafFamily(node.family).external) {
      const logs = samples.externals?.get(node.variable) as Float32Array;
      for (let u = 0; u < node.units; u++) out[u] = logs[s * node.units + u] as number;
      return;
    }
    const soft = softOf(samples, s, node.variable);
    if (soft !== undefined) return this.#softLogs(node, soft, semiring, out);
    const value = samples.values[s * samples.variables + node.variable] as number;
    const place = node.parameter === undefined ? undefined : this.#slots.get(node.parameter);
    if (place !== undefined && leafFamily(node.family).rows) {
      const table = this.tables[place.table] as TokenTable;
      const row = table.rowOfValue(place.slot, value);
      if (row < 0) return void out.fill(-Infinity);
      const at = row * table.units, base = table.baseOf(row);
      for (let u = 0; u < node.units; u++) out[u] = Math.log(table.values[at + u] as number) + base;
      return;
    }
    const leaf = this.leaf(node), family = leafFamily(node.family);
    for (let u = 0; u < node.units; u++) out[u] = family.logProbability(leaf, u, value);
  }

  /** The node as its family sees it, with current values; a copy if it has table rows. */
  leaf(node: InputNode): Leaf {
    const { parameter } = node;
    const shape = leafOf(this.#circuit, node);
    if (parameter === undefined) return shape;
    return { ...shape, values: this.#values.get(parameter) ?? this.get(parameter) };
  }

  #softLogs(node: InputNode, soft: StateWeights, semiring: Semiring, out: Float64Array): void {
    const leaf = this.leaf(node), family = leafFamily(node.family);
    for (let u = 0; u < node.units; u++) out[u] = softLogProbability(family, leaf, u, soft, semiring);
  }

  #modeLogs(node: InputNode): Float64Array {
    return getOrMake(this.#modes, node.parameter ?? `node ${node.id}`, () => {
      const leaf = this.leaf(node), family: LeafFamily = leafFamily(node.family);
      return Float64Array.from(
        { length: node.units },
        (_, u) => family.logProbability(leaf, u, family.mode(leaf, u)),
      );
    });
  }

  /** Layout of leaves without parameters, all mass on one state: one slot for each distinct list of states. */
  #certain(group: InputGroup, blocks: number): LeafLayout {
    const slotOf = new Map<string, number>();
    const lists: (readonly number[])[] = [];
    const nodeSlots = group.nodes.map((id: NodeId) => {
      const values = certainStates(this.#circuit, this.#circuit.nodes[id] as InputNode) ?? [];
      return getOrMake(slotOf, values.join(), () => lists.push(values) - 1);
    });
    const table = new TokenTable(lists.length, group.states, group.units * blocks);
    lists.forEach((states, slot) => {
      const rows = new Float32Array(table.units * table.states);
      states.forEach((k, u) => rows[u * table.states + k] = 1);
      table.fill(slot, rows);
    });
    const slots = Int32Array.from(
      { length: group.folds },
      (_, fold) => nodeSlots[Math.floor(fold / blocks)] as number,
    );
    return { table: this.tables.push(table) - 1, slots, blocks, rounded: false };
  }

  #fillRows(
    { group, from, folds }: Segment<InputGroup>,
    samples: Samples,
    values: Float32Array,
    scale: Float64Array,
  ): void {
    const { units } = group;
    const { blocks } = this.layouts[group.index] as LeafLayout;
    const logs = new Float64Array(units * blocks);
    for (let fold = 0; fold < folds; fold++) {
      const node = this.#circuit.nodes[group.nodes[Math.floor((from + fold) / blocks)] as NodeId];
      if (node?.kind !== "input") {
        throw new TypeError("a group of leaves holds something else");
      }
      const first = group.firstUnits[from + fold] as number;
      for (let s = 0; s < samples.count; s++) {
        this.logs(node, samples, s, "sum", logs);
        let most = -Infinity;
        for (let u = first; u < first + units; u++) most = Math.max(most, logs[u] as number);
        const row = fold * samples.count + s, at = row * units;
        scale[row] = most === -Infinity ? NOTHING : most;
        if (most === -Infinity) continue;
        for (let u = 0; u < units; u++) values[at + u] = Math.exp((logs[first + u] as number) - most);
      }
    }
  }
}

function slotsOf(plan: Plan, group: InputGroup): number {
  return plan.leafTables[group.table]?.slots as number;
}
