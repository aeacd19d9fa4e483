import type { Prepared } from "./data.ts";
import type { ClusterSums } from "./kernel.ts";
import type { Pass } from "./pass.ts";
import { rowsAt, type Vectors } from "./vectors.ts";

/** Rows far from their centroids, from which empty clusters are filled: by decreasing weighted distance, the smallest row first on ties. */
export interface FarRows {
  /** Their indices. */
  readonly rows: Int32Array;
  /** The cluster of each. */
  readonly labels: Int32Array;
  /** Weighted squared distance of each from its centroid. */
  readonly costs: Float32Array;
}

/** So many rows are looked at for so many empty clusters: some may be unusable. */
export function farRowsFor(wanted: number): number {
  return 2 * wanted + 8;
}

/**
 * Gives each empty cluster a vector of its own: those farthest from their centroids by weighted distance, the smallest
 * row first on ties. The vector is subtracted from its previous cluster's sum. Changes `pass.sums`.
 *
 * A cluster stays empty if every remaining vector is at its centroid or alone in its cluster: there are then fewer
 * distinct vectors than clusters.
 * @returns the number of clusters filled
 */
export async function fillEmpty(data: Prepared, pass: Pass): Promise<number> {
  const empty = emptyClusters(pass.sums, data.metric);
  if (empty.length === 0) return 0;
  const far = farRows(data, pass, farRowsFor(empty.length), atCentroid(data));
  return await giveRows(pass.sums, empty, far, data.vectors, (row) => ({
    weight: data.weights === undefined ? 1 : data.weights[row]!,
    factor: data.factors === undefined ? 1 : data.factors[row]!,
  }));
}

/** Clusters without weight. A spherical cluster whose vectors cancel out has no direction, so it counts as empty. */
export function emptyClusters({ sums, mass }: ClusterSums, metric: Prepared["metric"]): number[] {
  const width = sums.length / mass.length;
  return [...mass.keys()].filter((k) =>
    !(mass[k]! > 0) ||
    metric === "cosine" && sums.subarray(k * width, (k + 1) * width).every((x) => x === 0)
  );
}

/**
 * Moves rows out of their clusters into empty ones, the first to the first, unless a row is alone in its cluster. Changes `sums`.
 *
 * @param far in the order in which they are taken
 * @param partOf weight of a row, and its factor in a sum
 * @returns the number of clusters filled
 */
export async function giveRows(
  { sums, mass, counts }: ClusterSums,
  empty: readonly number[],
  far: FarRows,
  vectors: Vectors,
  partOf: (row: number, values: Float32Array) => { readonly weight: number; readonly factor: number },
): Promise<number> {
  const { width } = vectors;
  const given: { row: number; label: number; cluster: number }[] = [];
  for (let i = 0; i < far.rows.length && given.length < empty.length; i++) {
    const label = far.labels[i]!;
    if (counts[label]! < 2 || empty.includes(label)) continue;
    counts[label]! -= 1;
    given.push({ row: far.rows[i]!, label, cluster: empty[given.length]! });
  }
  given.sort((a, b) => a.row - b.row);
  const values = await rowsAt(vectors, given.map(({ row }) => row));
  given.forEach(({ row, label, cluster }, n) => {
    const own = values.subarray(n * width, (n + 1) * width);
    const { weight, factor } = partOf(row, own);
    own.forEach((value, i) => {
      const x = factor * value;
      sums[label * width + i]! -= x;
      sums[cluster * width + i] = x;
    });
    mass[label]! -= weight;
    counts[cluster] = 1;
    mass[cluster] = weight;
  });
  return given.length;
}

/** A squared distance below this fraction of the mean squared norm is rounding error: the vector is at its centroid. */
const ROUNDING = 1e-6;

/** Up to this squared distance a vector is at its centroid. */
export function atCentroid({ spread, mass }: Pick<Prepared, "spread" | "mass">): number {
  return ROUNDING * spread / mass;
}

/** The smallest float32 above zero. */
const MIN_FLOAT = 2 ** -149;

/**
 * Rows by decreasing weighted distance.
 *
 * @param most how many at most
 * @param zero squared distances up to this one are none; rows without distance or weight are left out
 */
export function farRows(
  { weights }: Pick<Prepared, "weights">,
  { distances, labels }: Pick<Pass, "distances" | "labels">,
  most: number,
  zero: number,
): FarRows {
  const costs = distances.map((d, row) => d <= zero ? 0 : weights === undefined ? d : d * weights[row]!);
  const few = Math.min(most, costs.length);
  const threshold = Math.max(costs.toSorted()[costs.length - few]!, MIN_FLOAT);
  const rows: number[] = [];
  for (let row = 0; row < costs.length; row++) if (costs[row]! >= threshold) rows.push(row);
  rows.sort((a, b) => costs[b]! - costs[a]! || a - b);
  const taken = Int32Array.from(rows.slice(0, few));
  return {
    rows: taken,
    labels: taken.map((row) => labels[row]!),
    costs: Float32Array.from(taken, (row) => costs[row]!),
  };
}
