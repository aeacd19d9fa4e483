import type { Circuit } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import type { Flows, StateCounts, StateFlows } from "../evaluator.ts";
import { requireCircuit, requireWhole } from "../guards.ts";
import { leafFamily, shapeOf } from "../leaves/mod.ts";
import { parameterOwners, rowWidth } from "../learner.ts";
import { transposeInto } from "../transpose.ts";

/** Expected counts of a parameter, or of a part of one, as rows of a table. */
export interface CountRows {
  /** Rows of the table, those without counts included. */
  readonly rows: number;
  /** Numbers in a row. */
  readonly width: number;
  /** Whether rows are states and columns are units; otherwise rows are those of the parameter. */
  readonly byState: boolean;
  /** Rows by their number; of those that are missing nothing was counted. */
  readonly counted: ReadonlyMap<number, Float64Array>;
}

/** A part of the expected counts: of each parameter, by id, rows that lie together. */
export type CountPart = ReadonlyMap<string, CountRows>;

/** Which of the numbers of a parameter belong to a part: whole rows; of leaves without rows all, or none. */
export interface Slices {
  /** `[from, to)` in the parameter. */
  readonly values: readonly [number, number];
  /** `[from, to)` in its counts. */
  readonly counts: readonly [number, number];
  /** Numbers in a row of the counts. */
  readonly width: number;
}

/** The slices of all parameters in part `part` of `parts`, by id; parameters without any are left out. */
export function partSlices(circuit: Circuit, part: number, parts: number): Map<string, Slices> {
  requireCircuit(circuit);
  requireWhole("the number of parts", parts, 1);
  requireWhole("the number of a part", part, 0, parts - 1);
  const slices = new Map<string, Slices>();
  for (const [index, [id, node]] of [...parameterOwners(circuit)].entries()) {
    const all = circuit.parameters.get(id)!.values.length;
    if (node.kind === "sum" || leafFamily(node.family).rows) {
      const width = rowWidth(circuit, id, node), rows = all / width;
      const at = (r: number) => Math.floor(rows * r / parts) * width;
      if (at(part) < at(part + 1)) {
        const own = [at(part), at(part + 1)] as const;
        slices.set(id, { values: own, counts: own, width });
      }
    } else if (index % parts === part) {
      // Statistics of such leaves are no rows: one part has them all.
      const leaf = { ...shapeOf(circuit, node), values: circuit.parameters.get(id)!.values };
      const width = leafFamily(node.family).statisticsWidth(leaf);
      slices.set(id, { values: [0, all], counts: [0, node.units * width], width });
    }
  }
  return slices;
}

/** Counts of the batches of a shard, added up in float64. */
export class BatchSum {
  readonly #counts = new Map<string, Float64Array | Map<number, Float64Array>>();

  /** Adds the counts of a batch; those of the first one become the sum. */
  add({ weights, statistics }: Flows | StateFlows): void {
    for (const [id, counts] of [...weights, ...statistics]) {
      const before = this.#counts.get(id);
      if (before === undefined) {
        this.#counts.set(id, counts instanceof Float64Array ? counts : new Map(counts));
      } else if (before instanceof Float64Array) addInto(before, 0, counts as Float64Array);
      else {
        for (const [state, row] of counts as StateCounts) {
          const known = before.get(state);
          if (known === undefined) before.set(state, row);
          else addInto(known, 0, row);
        }
      }
    }
  }

  /** The part of the sum that slices tell, not copied: it would be as large as all of it. */
  cut(slices: ReadonlyMap<string, Slices>): CountPart {
    return new Map([...slices].map(([id, own]) => [id, rowsOf(this.#counts.get(id)!, own)]));
  }
}

function rowsOf(all: Float64Array | StateCounts, { counts: [from, to], width }: Slices): CountRows {
  const units = width === 0 ? 0 : (to - from) / width, counted = new Map<number, Float64Array>();
  if (all instanceof Float64Array) {
    for (let row = 0; row < units; row++) {
      const own = all.subarray(from + row * width, from + (row + 1) * width);
      if (own.some((count) => count !== 0)) counted.set(row, own);
    }
    return { rows: units, width, byState: false, counted };
  }
  const first = from / width;
  for (const [state, row] of all) counted.set(state, row.subarray(first, first + units));
  return { rows: width, width: units, byState: true, counted };
}

/**
 * The counts of all shards, added up in their order in float64, in the shape of the parameters.
 * @throws {CircuitError} for counts of another circuit or other parts
 */
export function sumOfCounts(
  circuit: Circuit,
  counts: readonly CountPart[],
  slices: ReadonlyMap<string, Slices>,
): Pick<Flows, "weights" | "statistics"> {
  const owners = parameterOwners(circuit);
  const weights = new Map<string, Float64Array>(), statistics = new Map<string, Float64Array>();
  for (const [id, { counts: [from, to], width }] of slices) {
    const units = width === 0 ? 0 : (to - from) / width;
    let sum: Float64Array | undefined, turned: Float64Array | undefined;
    for (const shard of counts) {
      const some = shard.get(id);
      const [rows, columns] = some?.byState ? [width, units] : [units, width];
      if (some?.rows !== rows || some.width !== columns) {
        throw new CircuitError(
          "learning/state",
          `the counts are of another circuit, or of other parts: \`${id}\` has ${some?.rows ?? 0} rows of ${
            some?.width ?? 0
          } numbers, expected ${rows} of ${columns}`,
        );
      }
      const into = some.byState
        ? turned ??= new Float64Array(to - from)
        : sum ??= new Float64Array(to - from);
      for (const [row, own] of some.counted) addInto(into, row * columns, own);
    }
    if (turned !== undefined) {
      // Turned once, not for each shard. Where another engine counted some of the shards, there is a sum already.
      const all = transposeInto(turned, 0, units, width, units, new Float64Array(to - from), 0, width);
      if (sum !== undefined) addInto(all, 0, sum);
      sum = all;
    }
    sum ??= new Float64Array(to - from);
    (owners.get(id)!.kind === "sum" ? weights : statistics).set(id, sum);
  }
  return { weights, statistics };
}

function addInto(sum: Float64Array, at: number, counts: Float64Array): void {
  for (let i = 0; i < counts.length; i++) sum[at + i] = sum[at + i]! + counts[i]!;
}
