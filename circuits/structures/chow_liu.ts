import type { Variable } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireList, requireNumber, requireSamples, requireWhole } from "../guards.ts";
import { checkSampleWeights, isObserved, requireValues, type Samples } from "../samples.ts";
import { type Column, PairCounts } from "./pair_counts.ts";

/** Bin numbers are 16-bit. */
const MOST_BINS = 2 ** 15 - 1;

/** Options of {@link mutualInformation}. */
export interface MutualInformationOptions {
  /** Virtual samples per pair of variables, spread evenly over their joint states; 0.1 if omitted. */
  readonly pseudocount?: number;
  /**
   * Maximum number of bins per variable; 16 if omitted. A categorical variable with more states has neighbouring states
   * merged; a real variable is cut at its quantiles.
   */
  readonly bins?: number;
  /** `[samples]`: the weight of each sample; 1 if omitted. */
  readonly sampleWeights?: ArrayLike<number>;
}

/**
 * Mutual information of every pair of variables in nats, `[variables, variables]`, symmetric, zero on the diagonal. A
 * sample counts for the pairs for which it has both values. Cost grows with the number of samples times the square of the
 * number of variables.
 * @throws {CircuitError} on options out of range, or external variables
 */
export function mutualInformation(
  variables: readonly Variable[],
  samples: Samples,
  options: MutualInformationOptions = {},
): Float64Array {
  requireList("the variables", variables);
  requireSamples(samples);
  const { pseudocount = 0.1, bins = 16, sampleWeights } = options;
  requireNumber("pseudocount", pseudocount, 0);
  requireWhole("bins", bins, 1, MOST_BINS);
  checkSampleWeights(samples, sampleWeights);
  requireValues("mutual information", samples);
  const count = variables.length;
  const columns = variables.map((variable, v) => binned(variable, samples, v, bins));
  const counts = new PairCounts(
    samples.count,
    Math.max(0, ...columns.map((column) => column.bins)),
    pseudocount,
    sampleWeights,
  );
  const result = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    counts.first = columns[i] as Column;
    for (let j = i + 1; j < count; j++) {
      result[i * count + j] = result[j * count + i] = counts.with(columns[j] as Column);
    }
  }
  return result;
}

function binned(variable: Variable, samples: Samples, v: number, bins: number): Column {
  if (variable.kind === "external") {
    throw new CircuitError(
      "circuit/no-states",
      `variable ${v} \`${variable.name}\` is external: it has no values to count`,
    );
  }
  const values = new Int16Array(samples.count).fill(-1);
  const at = (s: number) => samples.values[s * samples.variables + v] as number;
  if (variable.kind === "categorical") {
    const width = Math.min(bins, variable.states);
    for (let s = 0; s < samples.count; s++) {
      if (isObserved(samples, s, v)) values[s] = Math.floor(at(s) * width / variable.states);
    }
    return { values, bins: width };
  }
  const present: number[] = [];
  for (let s = 0; s < samples.count; s++) if (isObserved(samples, s, v)) present.push(at(s));
  present.sort((x, y) => x - y);
  const cuts: number[] = [];
  for (let k = 1; k < bins && present.length > 0; k++) {
    cuts.push(present[Math.floor(k * present.length / bins)] as number);
  }
  for (let s = 0; s < samples.count; s++) {
    if (isObserved(samples, s, v)) values[s] = cuts.filter((cut) => cut <= at(s)).length;
  }
  return { values, bins };
}

/** A rooted tree over variables. */
export interface VariableTree {
  /** The variable without a parent. */
  readonly root: number;
  /** Parent of every variable; -1 for the root. */
  readonly parents: Int32Array;
  /** All variables, parents before children. */
  readonly order: readonly number[];
}

/**
 * The maximum spanning tree of a symmetric weight matrix `[count, count]` (Chow and Liu 1968; Prim's algorithm). Ties go
 * to the edge with the smaller variables, so the result is deterministic.
 *
 * @param root a variable, or `centre` (if omitted) for the one that minimises the distance to the farthest variable,
 *   which gives the shallowest circuit
 */
export function maximumSpanningTree(
  weights: ArrayLike<number>,
  count: number,
  root: number | "centre" = "centre",
): VariableTree {
  requireWhole("the number of variables", count, 1);
  if (weights.length !== count * count) {
    throw new CircuitError(
      "circuit/shape",
      `${count} variables need ${count * count} weights; got ${weights.length}`,
    );
  }
  if (root !== "centre" && !(Number.isInteger(root) && root >= 0 && root < count)) {
    throw new CircuitError(
      "circuit/argument",
      `the root is ${root}, expected \`centre\` or a variable from 0 to ${count - 1}`,
    );
  }
  const neighbours: number[][] = Array.from({ length: count }, () => []);
  const nearest = new Int32Array(count), inside = new Uint8Array(count);
  inside[0] = 1;
  for (let step = 1; step < count; step++) {
    let best = -1;
    for (let v = 0; v < count; v++) {
      if (inside[v] === 1) continue;
      const w = weights[v * count + (nearest[v] as number)] as number;
      if (best < 0 || w > (weights[best * count + (nearest[best] as number)] as number)) best = v;
    }
    inside[best] = 1;
    const parent = nearest[best] as number;
    (neighbours[best] as number[]).push(parent);
    (neighbours[parent] as number[]).push(best);
    for (let v = 0; v < count; v++) {
      if ((weights[v * count + best] as number) > (weights[v * count + (nearest[v] as number)] as number)) {
        nearest[v] = best;
      }
    }
  }
  return rootedAt(neighbours, root === "centre" ? centreOf(neighbours) : root);
}

function rootedAt(neighbours: readonly number[][], root: number): VariableTree {
  const parents = new Int32Array(neighbours.length).fill(-1);
  const order = [root];
  for (const v of order) {
    for (const next of [...(neighbours[v] as number[])].sort((a, b) => a - b)) {
      if (next === parents[v]) continue;
      parents[next] = v;
      order.push(next);
    }
  }
  return { root, parents, order };
}

/** Removes leaves layer by layer until one or two variables are left; returns the smaller. */
function centreOf(neighbours: readonly number[][]): number {
  const degree = neighbours.map((list) => list.length);
  let layer = degree.flatMap((d, v) => d <= 1 ? [v] : []);
  let left = neighbours.length;
  while (left > 2) {
    left -= layer.length;
    const next: number[] = [];
    for (const v of layer) {
      degree[v] = 0;
      for (const u of neighbours[v] as number[]) {
        const d = degree[u] as number;
        if (d > 0 && (degree[u] = d - 1) === 1) next.push(u);
      }
    }
    layer = next;
  }
  return Math.min(...layer);
}
