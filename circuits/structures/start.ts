import {
  type Circuit,
  describeVariable,
  type InputNode,
  type Node,
  type ParameterArray,
  replaceValues,
  type SumNode,
} from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireCircuit, requireSamples, requireSeed } from "../guards.ts";
import { leafFamily, leafOf } from "../leaves/mod.ts";
import { moments } from "../leaves/start.ts";
import { RandomStream } from "../random.ts";
import { checkSamples, checkSampleWeights, isObserved, type Samples, softOf } from "../samples.ts";
import { clustersOf } from "./clusters.ts";

/** Options of {@link startFromData}. */
export interface DataStartOptions {
  /** Determines all random draws; 0 if omitted. */
  readonly seed?: number;
  /** `[samples]`: the weight of each sample; 1 if omitted. */
  readonly sampleWeights?: ArrayLike<number>;
  /** Ids of the leaf parameters that may be changed; all if omitted. */
  readonly parameters?: Iterable<string>;
}

/** Maximum number of rows used; more would not improve the initial values. */
const ROWS = 2048;

/** Least spread of a column whose squared distances and their sums keep full precision. */
const TINY = 1e-140;

/** Last word of the random streams in this file. */
const START = 0x73746172;

/**
 * The circuit with leaves initialised from data. Leaves that are children of one product share one clustering of their
 * columns, with a cluster per unit: Gaussian and logistic leaves take its mean and spread, leaves over states its state
 * frequencies, smoothed towards the whole column and made slightly unequal. Columns of tied leaves are pooled. If a
 * mixture consists only of such leaves, its weights become the sizes of the clusters; all other weights are unchanged.
 *
 * Clusters are found by k-means++ on the real and ordered columns, each divided by its standard deviation; leaves without
 * such a column in their product start from the column as a whole. A cluster's standard deviation is at least half of the
 * typical one in its column. A column without spread starts with a thousandth of its value (1e-3 at zero).
 *
 * @throws {CircuitError} when the samples do not fit the circuit, and on a column of which the squares have no place in a double
 */
export function startFromData(circuit: Circuit, samples: Samples, options: DataStartOptions = {}): Circuit {
  requireCircuit(circuit);
  requireSamples(samples);
  const { seed = 0, sampleWeights, parameters } = options;
  requireSeed(seed);
  checkSamples(circuit, samples);
  checkSampleWeights(samples, sampleWeights);
  if (samples.count === 0) {
    throw new CircuitError("learning/no-samples", "there are no samples to start from");
  }
  const open = new Set(parameters ?? circuit.parameters.keys());
  const values = new Map<string, ParameterArray>();
  let index = 0;
  for (const group of groupsOf(circuit)) {
    const random = new RandomStream(seed, index++, 0, START);
    if (!group.leaves.some(({ parameter }) => open.has(parameter))) continue;
    const rows = rowsOf(samples, group, sampleWeights, new RandomStream(seed, index, 1, START));
    const { units } = group.leaves[0] as InputNode;
    const columns = group.leaves.map((leaf, i) => ({ leaf, values: rows.columns[i] as Float64Array }));
    for (const { leaf, values } of columns) requireSquares(circuit, leaf, values);
    const ordered = columns.filter(({ leaf }) => leafFamily(leaf.family).ordered).map(({ values }) =>
      standardised(values)
    );
    const width = ordered.length;
    const matrix = new Float64Array(rows.weights.length * width);
    ordered.forEach((column, i) => column.forEach((x, row) => matrix[row * width + i] = x));
    const clusters = width > 0
      ? clustersOf(matrix, rows.weights, units, random)
      : new Int32Array(rows.weights.length).fill(-1);
    for (const { leaf, values: column } of columns) {
      const { parameter } = leaf;
      if (!open.delete(parameter)) continue;
      values.set(
        parameter,
        leafFamily(leaf.family).start(
          leafOf(circuit, leaf),
          { values: column, weights: rows.weights, clusters },
          random,
        ),
      );
    }
    if (group.weights !== undefined && width > 0 && open.delete(group.weights.parameter)) {
      values.set(group.weights.parameter, shares(rows.weights, clusters, units));
    }
  }
  return replaceValues(circuit, values);
}

type Leaf = InputNode & { readonly parameter: string };

/** Leaves of one product, at every place where their parameters occur. */
interface Group {
  /** Leaves of the first place, which define families and settings. */
  readonly leaves: readonly Leaf[];
  /** Variables of the leaves, by place. */
  readonly places: (readonly number[])[];
  /** The single-unit sum over just the product of these leaves, if there is one. */
  readonly weights?: SumNode;
}

function groupsOf(circuit: Circuit): Group[] {
  const parents: Node[][] = circuit.nodes.map(() => []);
  for (const node of circuit.nodes) {
    if (node.kind !== "input") { for (const child of node.children) parents[child]?.push(node); }
  }
  const groups = new Map<string, Group>(), grouped = new Set<number>();
  const add = (nodes: readonly Node[], product: Node | undefined) => {
    const leaves = nodes.filter((node): node is Leaf =>
      node.kind === "input" && node.parameter !== undefined && !grouped.has(node.id)
    );
    if (leaves.length === 0) return;
    for (const { id } of leaves) grouped.add(id);
    const key = leaves.map(({ parameter }) => parameter).join("\n");
    const [above, ...others] = product === undefined ? [] : parents[product.id] as Node[];
    const mixes = leaves.length === nodes.length && above?.kind === "sum" && above.units === 1 &&
      above.children.length === 1 && others.length === 0;
    const group = groups.get(key) ?? { leaves, places: [], ...(mixes && { weights: above }) };
    groups.set(key, group);
    group.places.push(leaves.map(({ variable }) => variable));
  };
  for (const node of circuit.nodes) {
    if (node.kind !== "product") continue;
    add(node.children.map((child) => circuit.nodes[child] as Node), node);
  }
  for (const node of circuit.nodes) {
    if (node.kind !== "input" || grouped.has(node.id)) continue;
    const [above] = parents[node.id] as Node[];
    add([node], above?.kind === "sum" ? node : undefined);
  }
  return [...groups.values()];
}

/** Values of a group's columns, `[rows]` each, NaN where missing: pooled over its places, at most {@link ROWS} rows. */
function rowsOf(
  samples: Samples,
  { places }: Group,
  sampleWeights: ArrayLike<number> | undefined,
  random: RandomStream,
): { columns: Float64Array[]; weights: Float64Array } {
  const all = samples.count * places.length, count = Math.min(all, ROWS);
  const columns = (places[0] as readonly number[]).map(() => new Float64Array(count));
  const weights = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    // One from each run of equal length: rows are distinct, and if all fit, none is left out.
    const from = Math.floor(row * all / count), to = Math.floor((row + 1) * all / count);
    const at = from + random.integer(to - from);
    const s = Math.floor(at / places.length), place = places[at % places.length] as readonly number[];
    weights[row] = sampleWeights?.[s] ?? 1;
    place.forEach((v, i) => {
      (columns[i] as Float64Array)[row] = isObserved(samples, s, v) ? startValue(samples, s, v) : NaN;
    });
  }
  return { columns, weights };
}

/** The value used to initialise leaves: the observed value, or the likeliest state of soft evidence. */
function startValue(samples: Samples, s: number, v: number): number {
  const soft = softOf(samples, s, v);
  if (soft === undefined) return samples.values[s * samples.variables + v] as number;
  const best = soft.weights.reduce((best, w, i) => w > (soft.weights[best] ?? 0) ? i : best, 0);
  return soft.states[best] ?? NaN;
}

/** Rejects values so far apart, or so close together, that squared distances overflow or underflow. */
function requireSquares(circuit: Circuit, leaf: Leaf, column: Float64Array): void {
  let least = Infinity, most = -Infinity;
  for (const x of column) {
    if (x < least) least = x;
    if (x > most) most = x;
  }
  const extent = most - least;
  if (!(extent > 0) || (extent >= TINY && extent <= 1 / TINY)) return;
  throw new CircuitError(
    "learning/spread",
    `the values of ${describeVariable(circuit, leaf.variable)} reach from ${least} to ${most}`,
    { hint: `Give the column another unit: spreads from ${TINY} to ${1 / TINY} can be learned.` },
  );
}

function standardised(column: Float64Array): Float64Array {
  const { mean, variance } = moments(column, new Float64Array(column.length).fill(1));
  const scale = variance > 0 ? 1 / Math.sqrt(variance) : 1;
  return column.map((x) => (x - mean) * scale);
}

/** Relative sizes of the clusters, with one virtual sample each. */
function shares(weights: Float64Array, clusters: Int32Array, units: number): Float64Array {
  const sizes = new Float64Array(units).fill(1);
  clusters.forEach((c, row) => {
    if (c >= 0) sizes[c] = (sizes[c] as number) + (weights[row] as number);
  });
  const total = sizes.reduce((a, b) => a + b, 0);
  return sizes.map((size) => size / total);
}
