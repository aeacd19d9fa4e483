import type { Prepared } from "./data.ts";
import type { Pass } from "./pass.ts";
import { rowsAt } from "./vectors.ts";

/**
 * Gives each empty cluster a vector of its own: those farthest from their centroids by weighted distance, the smallest
 * row first on ties. The vector is subtracted from its previous cluster's sum. Changes `pass.sums`.
 *
 * A cluster stays empty if every remaining vector is at its centroid or alone in its cluster: there are then fewer
 * distinct vectors than clusters.
 * @returns the number of clusters filled
 */
export async function fillEmpty(data: Prepared, pass: Pass): Promise<number> {
  const { sums, mass, counts } = pass.sums;
  const width = data.vectors.width;
  const empty = [...mass.keys()].filter((k) => !(mass[k]! > 0) || isZero(sums, k, width, data));
  if (empty.length === 0) return 0;
  const given: { row: number; cluster: number }[] = [];
  for (const row of farthest(data, pass, empty.length)) {
    const label = pass.labels[row]!;
    if (counts[label]! < 2 || empty.includes(label)) continue;
    const weight = data.weights === undefined ? 1 : data.weights[row]!;
    counts[label]! -= 1;
    mass[label]! -= weight;
    given.push({ row, cluster: empty[given.length]! });
    if (given.length === empty.length) break;
  }
  given.sort((a, b) => a.row - b.row);
  const vectors = await rowsAt(data.vectors, given.map(({ row }) => row));
  given.forEach(({ row, cluster }, n) => {
    const label = pass.labels[row]!;
    const factor = data.factors === undefined ? 1 : data.factors[row]!;
    for (let i = 0; i < width; i++) {
      const x = factor * vectors[n * width + i]!;
      sums[label * width + i]! -= x;
      sums[cluster * width + i] = x;
    }
    counts[cluster] = 1;
    mass[cluster] = data.weights === undefined ? 1 : data.weights[row]!;
  });
  return given.length;
}

/** A spherical cluster whose vectors cancel out has no direction, so it counts as empty. */
function isZero(sums: Float64Array, k: number, width: number, data: Prepared): boolean {
  if (data.metric === "euclidean") return false;
  return sums.subarray(k * width, (k + 1) * width).every((x) => x === 0);
}

/** A squared distance below this fraction of the mean squared norm is rounding error: the vector is at its centroid. */
const ROUNDING = 1e-6;

/** The smallest float32 above zero. */
const MIN_FLOAT = 2 ** -149;

/**
 * Rows by decreasing weighted distance: at most twice as many as wanted, since some may be unusable, and none at
 * distance 0.
 */
function farthest({ weights, spread, mass }: Prepared, { distances }: Pass, wanted: number): number[] {
  const zero = ROUNDING * spread / mass;
  const costs = distances.map((d, row) => d <= zero ? 0 : weights === undefined ? d : d * weights[row]!);
  const most = Math.min(2 * wanted + 8, costs.length);
  const threshold = Math.max(costs.toSorted()[costs.length - most]!, MIN_FLOAT);
  const rows: number[] = [];
  for (let row = 0; row < costs.length; row++) if (costs[row]! >= threshold) rows.push(row);
  rows.sort((a, b) => costs[b]! - costs[a]! || a - b);
  return rows.slice(0, most);
}
