import {
  type InputNode,
  leafOf,
  type ParameterArray,
  parameterOf,
  type RealColumns,
  realColumns,
} from "../../circuits/mod.ts";
import type { Moments } from "../leaves/device_leaf.ts";
import { gpuTable } from "../leaves/mod.ts";
import type { LeafTable, Plan } from "../plan.ts";
import type { Commands } from "./commands.ts";
import {
  decodeStatistics,
  encodeLeaf,
  encodeStatistics,
  leafOwners,
  modeLogs,
  padRows,
  unpadRows,
} from "./encode.ts";
import { padded } from "./layout.ts";
import { type ParameterPlaces, statisticsRows } from "./parameter_places.ts";
import type { PagePart } from "./pages.ts";

/** A parameter and its location on the device. */
interface Stored {
  readonly id: string;
  /** Parts of each of its matrices, in the order of its values. */
  readonly slots: readonly (readonly PagePart[])[];
}

/** Converts parameters and counts between the host's form (by id, shaped as in circuits) and the device's pages. */
export class ParameterStore {
  readonly #plan: Plan;
  readonly #places: ParameterPlaces;
  readonly #owners: Map<string, InputNode>;
  readonly #columns: readonly RealColumns[];
  /** Values of the parameters of real columns that are on the device. */
  readonly #centred = new Map<string, ParameterArray>();
  /** `[variables]`: the centres that are subtracted from real values before rounding to float32. */
  readonly centres: Float64Array;

  /** Creates a store for the parameters of a plan. */
  constructor(plan: Plan, places: ParameterPlaces) {
    this.#plan = plan;
    this.#places = places;
    this.#owners = leafOwners(plan.circuit);
    this.#columns = realColumns(plan.circuit);
    this.centres = new Float64Array(plan.circuit.variables.length);
  }

  /** Conversion of a parameter's statistics; undefined if the device and the family agree. */
  momentsOf(id: string): Moments | undefined {
    const owner = this.#owners.get(id);
    return owner && gpuTable(owner.family).moments;
  }

  /** Whether a parameter is learned on, and must be read from, the device; the host has the values of the others. */
  isOnDevice(id: string): boolean {
    const owner = this.#owners.get(id);
    return owner === undefined || gpuTable(owner.family).probabilities;
  }

  /**
   * Writes values of parameters to pages of weights and of tables. New means of a real column move its centre; samples
   * must then be encoded again.
   */
  upload(
    commands: Commands,
    values: ReadonlyMap<string, ParameterArray>,
    weights: readonly GPUBuffer[],
    tables: readonly GPUBuffer[],
  ): void {
    const writer = new PageWriter(commands);
    const moved = this.#moveCentres(values);
    this.#eachWeight(({ id, slots }, { units, inputs }) => {
      const array = values.get(id) as Float32Array | undefined;
      if (array === undefined) return;
      slots.forEach((parts, i) => {
        const matrix = array.subarray(i * units * inputs, (i + 1) * units * inputs);
        for (const { page, at, from, to } of parts) {
          writer.write(weights[page] as GPUBuffer, at, (to - from) * padded(inputs), (out, start) => {
            padRows(matrix, inputs, from, to, out, start);
          });
        }
      });
    });
    this.#eachLeaf("tables", ({ id, slots }, table) => {
      const array = moved.get(id) ?? values.get(id), owner = this.#owners.get(id);
      if (array === undefined || owner === undefined) return;
      const centre = this.centres[owner.variable] as number;
      for (const { page, at, from, to } of slots[0] as readonly PagePart[]) {
        writer.write(tables[page] as GPUBuffer, at, (to - from) * padded(table.units), (out, start) => {
          encodeLeaf(this.#plan.circuit, table, owner, array, centre, from, to, out, start);
        });
      }
    });
    writer.flush();
  }

  /** Values of the parameters on the device, from copies of its pages. */
  values(weights: readonly Float32Array[], tables: readonly Float32Array[]): Map<string, ParameterArray> {
    const out = new Map<string, ParameterArray>();
    this.#eachWeight(({ id, slots }, { units, inputs }) => {
      const values = new Float32Array(slots.length * units * inputs);
      this.#readWeights(slots, units, inputs, weights, values);
      out.set(id, values);
    });
    this.#eachLeaf("tables", ({ id, slots }, table) => {
      if (!this.isOnDevice(id)) return;
      const values = new Float32Array(parameterOf(this.#plan.circuit, id).values.length);
      for (const { page, at, from, to } of slots[0] as readonly PagePart[]) {
        decodeStatistics(table.units, table.states, tables[page] as Float32Array, at, from, to, values);
      }
      out.set(id, values);
    });
    return out;
  }

  /** Weight counts by parameter id, shaped like the parameter, from copies of pages. */
  weightCounts<T extends Float32Array | Float64Array>(
    pages: readonly Float32Array[],
    make: (length: number) => T,
  ): Map<string, T> {
    const out = new Map<string, T>();
    this.#eachWeight(({ id, slots }, { units, inputs }) => {
      const counts = make(slots.length * units * inputs);
      this.#readWeights(slots, units, inputs, pages, counts);
      out.set(id, counts);
    });
    return out;
  }

  /** Leaf statistics by parameter id, `[units, width]`, in the device's form: moments in standard deviations. */
  statistics<T extends Float32Array | Float64Array>(
    pages: readonly Float32Array[],
    make: (length: number) => T,
    wanted: (id: string) => boolean = () => true,
  ): Map<string, T> {
    const out = new Map<string, T>();
    this.#eachLeaf("statistics", ({ id, slots }, table) => {
      if (!wanted(id)) return;
      const width = statisticsRows(table), sums = make(table.units * width);
      for (const { page, at, from, to } of slots[0] as readonly PagePart[]) {
        decodeStatistics(table.units, width, pages[page] as Float32Array, at, from, to, sums);
      }
      out.set(id, sums);
    });
    return out;
  }

  /** The same with moments in the families' form; `values` are the parameters they were counted under. */
  plainStatistics(
    pages: readonly Float32Array[],
    values: ReadonlyMap<string, ParameterArray>,
    wanted?: (id: string) => boolean,
  ): Map<string, Float64Array> {
    const sums = this.statistics(pages, (length) => new Float64Array(length), wanted);
    for (const [id, array] of sums) {
      const parameter = values.get(id);
      if (parameter !== undefined) this.momentsOf(id)?.toFamily(array, parameter);
    }
    return sums;
  }

  /** Uploads counts in the form returned by {@link weightCounts} and {@link statistics}. */
  uploadCounts(
    commands: Commands,
    weights: ReadonlyMap<string, Float32Array>,
    statistics: ReadonlyMap<string, Float32Array>,
    counts: readonly GPUBuffer[],
    pages: readonly GPUBuffer[],
  ): void {
    this.upload(commands, weights, counts, []);
    const writer = new PageWriter(commands);
    this.#eachLeaf("statistics", ({ id, slots }, table) => {
      const array = statistics.get(id);
      if (array === undefined) return;
      for (const { page, at, from, to } of slots[0] as readonly PagePart[]) {
        writer.write(pages[page] as GPUBuffer, at, (to - from) * padded(table.units), (out, start) => {
          encodeStatistics(table.units, statisticsRows(table), array, from, to, out, start);
        });
      }
    });
    writer.flush();
  }

  /** Mode log-likelihoods of all leaves, a padded row for every slot of every table. */
  modes(values: ReadonlyMap<string, ParameterArray>): Float32Array {
    const { leafTables, circuit } = this.#plan;
    const out = new Float32Array(leafTables.reduce((n, { slots, units }) => n + slots * padded(units), 0));
    let base = 0;
    for (const table of leafTables) {
      for (const { id, slot } of table.parameters) {
        const owner = this.#owners.get(id) as InputNode;
        out.set(
          modeLogs(circuit, owner, values.get(id) ?? leafOf(circuit, owner).values),
          base + slot * padded(table.units),
        );
      }
      base += table.slots * padded(table.units);
    }
    return out;
  }

  /**
   * Stores the values of leaves over real columns, and returns those of all leaves over a column whose centre has moved:
   * the device's values are relative to the centre.
   */
  #moveCentres(values: ReadonlyMap<string, ParameterArray>): Map<string, ParameterArray> {
    const moved = new Map<string, ParameterArray>();
    for (const { variables, leaves } of this.#columns) {
      const given = [...leaves.keys()].filter((id) => values.has(id));
      if (given.length === 0) continue;
      for (const id of given) this.#centred.set(id, (values.get(id) as ParameterArray).slice());
      let total = 0, units = 0;
      for (const [id, { units: own }] of leaves) {
        const array = this.#centred.get(id) ?? parameterOf(this.#plan.circuit, id).values;
        moved.set(id, array);
        for (let u = 0; u < own; u++) total += array[2 * u] as number;
        units += own;
      }
      for (const v of variables) this.centres[v] = total / units;
    }
    return moved;
  }

  #readWeights(
    slots: Stored["slots"],
    units: number,
    inputs: number,
    pages: readonly Float32Array[],
    out: Float32Array | Float64Array,
  ): void {
    slots.forEach((parts, i) => {
      const matrix = out.subarray(i * units * inputs, (i + 1) * units * inputs) as typeof out;
      for (const { page, at, from, to } of parts) {
        unpadRows(pages[page] as Float32Array, at, inputs, from, to, matrix);
      }
    });
  }

  #eachWeight(visit: (stored: Stored, table: { units: number; inputs: number }) => void): void {
    this.#plan.weightTables.forEach((table, t) => {
      const places = this.#places.weights[t] as readonly (readonly PagePart[])[];
      table.parameters.forEach(({ id, slot }, i) => {
        const end = table.parameters[i + 1]?.slot ?? table.slots;
        visit({ id, slots: places.slice(slot, end) }, table);
      });
    });
  }

  #eachLeaf(kind: "tables" | "statistics", visit: (stored: Stored, table: LeafTable) => void): void {
    this.#plan.leafTables.forEach((table, t) => {
      const places = this.#places[kind][t] as readonly (readonly PagePart[])[];
      for (const { id, slot } of table.parameters) visit({ id, slots: places.slice(slot, slot + 1) }, table);
    });
  }
}

/** Merges writes to adjacent parts of a buffer: thousands of small writes would be slow. */
class PageWriter {
  readonly #commands: Commands;
  readonly #chunk = new Float32Array(1 << 20);
  #buffer: GPUBuffer | undefined;
  #at = 0;
  #length = 0;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  /** Has `fill(out, start)` write `length` numbers for offset `at` of the buffer. */
  write(
    buffer: GPUBuffer,
    at: number,
    length: number,
    fill: (out: Float32Array<ArrayBuffer>, start: number) => void,
  ): void {
    const follows = buffer === this.#buffer && at === this.#at + this.#length &&
      this.#length + length <= this.#chunk.length;
    if (!follows) {
      this.flush();
      this.#buffer = buffer;
      this.#at = at;
    }
    if (length > this.#chunk.length) {
      const all = new Float32Array(length);
      fill(all, 0);
      this.#commands.write(buffer, at * 4, all);
      this.#buffer = undefined;
      return;
    }
    this.#chunk.fill(0, this.#length, this.#length + length);
    fill(this.#chunk, this.#length);
    this.#length += length;
  }

  flush(): void {
    if (this.#buffer !== undefined && this.#length > 0) {
      this.#commands.write(this.#buffer, this.#at * 4, this.#chunk, 0, this.#length);
    }
    this.#buffer = undefined;
    this.#length = 0;
  }
}
