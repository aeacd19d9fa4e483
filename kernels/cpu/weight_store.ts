import { getOrMake } from "../../foundation/newer.ts";
import { type Circuit, type Parameter, parameterOf } from "../../circuits/mod.ts";
import type { Plan } from "../plan.ts";
import { LEAST_WEIGHT } from "./rows.ts";
import type { MatrixRun } from "./weights.ts";

/** Location of a sum parameter's values. */
interface Location {
  readonly table: number;
  readonly from: number;
  readonly length: number;
}

/** The weights of all sums, stacked as in the plan. */
export class WeightStore {
  /** By table: `[slots, units, inputs]`. */
  readonly values: readonly Float32Array[];
  readonly #clamped: Float32Array[];
  readonly #locations = new Map<string, Location>();

  /** Creates a store with a copy of a circuit's weights. */
  constructor(plan: Plan) {
    this.values = plan.weightTables.map((table) => {
      const size = table.units * table.inputs;
      table.parameters.forEach(({ id, slot }) => {
        const length = parameterOf(plan.circuit, id).values.length;
        this.#locations.set(id, { table: plan.weightTables.indexOf(table), from: slot * size, length });
      });
      return new Float32Array(table.slots * size);
    });
    this.#clamped = [...this.values];
    for (const id of this.#locations.keys()) this.view(id).set(parameterOf(plan.circuit, id).values);
    this.changed();
  }

  /** Ids of the parameters in this store. */
  ids(): Iterable<string> {
    return this.#locations.keys();
  }

  /** Whether a parameter is in this store. */
  has(id: string): boolean {
    return this.#locations.has(id);
  }

  /** The values of a parameter, not copied. Call {@link WeightStore.changed} after writing to it. */
  view(id: string, tables: readonly Float32Array[] = this.values): Float32Array {
    const { table, from, length } = this.#locations.get(id) as Location;
    return (tables[table] as Float32Array).subarray(from, from + length);
  }

  /** Whether some weights are so small that the upward pass clamps them to {@link LEAST_WEIGHT}. */
  get isClamped(): boolean {
    return this.#clamped.some((table, i) => table !== this.values[i]);
  }

  /** Values of a run of matrices, with small weights clamped or unchanged. */
  run(run: MatrixRun, clamped: boolean): Float32Array {
    const table = (clamped ? this.#clamped : this.values)[run.table] as Float32Array;
    const size = run.units * run.inputs;
    return table.subarray(run.slot * size, (run.slot + run.slots) * size);
  }

  /** Must be called after values have changed. */
  changed(): void {
    this.values.forEach((table, i) => {
      if (!hasBelow(table, LEAST_WEIGHT)) return void (this.#clamped[i] = table);
      const clamped = this.#clamped[i] === table ? new Float32Array(table.length) : this.#clamped[i];
      const into = this.#clamped[i] = clamped as Float32Array;
      for (let at = 0; at < table.length; at++) into[at] = Math.max(LEAST_WEIGHT, table[at] as number);
    });
  }
}

function hasBelow(values: Float32Array, least: number): boolean {
  for (let i = 0; i < values.length; i++) if ((values[i] as number) < least) return true;
  return false;
}

/** Accumulated expected uses of every edge. */
export class WeightCounts {
  /** By table: flow divided by weight. */
  readonly ratios: readonly Float32Array[];
  /** By parameter: flows of samples that were evaluated exactly, or with earlier values. */
  readonly exact = new Map<string, Float64Array>();

  /** Creates zeroed accumulators. */
  constructor(plan: Plan) {
    this.ratios = plan.weightTables.map(({ slots, units, inputs }) =>
      new Float32Array(slots * units * inputs)
    );
  }

  /** Adds the output of a graph for a run of matrices. */
  add(run: MatrixRun, ratios: Float32Array): void {
    const table = this.ratios[run.table] as Float32Array;
    const from = run.slot * run.units * run.inputs;
    for (let i = 0; i < ratios.length; i++) {
      table[from + i] = (table[from + i] as number) + (ratios[i] as number);
    }
  }

  /** Adds the flow of one edge of an exactly evaluated sample. */
  addExact(circuit: Circuit, id: string, at: number, flow: number): void {
    const counts = getOrMake(
      this.exact,
      id,
      () => new Float64Array((circuit.parameters.get(id) as Parameter).values.length),
    );
    counts[at] = (counts[at] as number) + flow;
  }

  /** Writes a parameter's counts, the expected uses of every edge, to `counts`, of the parameter's length. */
  countsOf(id: string, store: WeightStore, counts: Float64Array): Float64Array {
    const ratios = store.view(id, this.ratios), weights = store.view(id), exact = this.exact.get(id);
    for (let i = 0; i < counts.length; i++) counts[i] = (ratios[i] as number) * (weights[i] as number);
    exact?.forEach((flow, i) => counts[i] = (counts[i] as number) + flow);
    return counts;
  }

  /** Makes the counts of a parameter independent of its values, before these change. */
  settle(id: string, store: WeightStore): void {
    const ratios = store.view(id, this.ratios);
    if (ratios.every((ratio) => ratio === 0)) return;
    this.exact.set(id, this.countsOf(id, store, new Float64Array(ratios.length)));
    ratios.fill(0);
  }

  /** Resets to zero. */
  clear(): void {
    for (const table of this.ratios) table.fill(0);
    this.exact.clear();
  }
}
