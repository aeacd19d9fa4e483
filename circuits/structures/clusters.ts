import type { RandomStream } from "../random.ts";

/** Iterations of Lloyd's algorithm, and maximum number of restarts. */
const ROUNDS = 12, STARTS = 8;

/** Budget for the whole computation, in coordinate differences. */
const WORK = 3e7;

/**
 * Clusters rows by k-means: the best of several starts by k-means++ (Arthur and Vassilvitskii, SODA 2007), each followed
 * by Lloyd's algorithm. For initialising circuits; for large data use `kernels/kmeans`.
 *
 * @param values `[rows, width]`, of similar spreads; NaN where a value is missing, which is then left out of distances
 * @param weights `[rows]`: the weight of each row
 * @returns `[rows]`: the cluster of each row, -1 for rows with nothing observed. Clusters may be empty
 */
export function clustersOf(
  values: Float64Array,
  weights: Float64Array,
  clusters: number,
  random: RandomStream,
): Int32Array {
  const rows = weights.length, width = values.length / Math.max(1, rows);
  const best = new Int32Array(rows).fill(-1);
  const seen = Uint8Array.from(
    weights,
    (w, row) =>
      w > 0 && values.subarray(row * width, (row + 1) * width).some((x) => !Number.isNaN(x)) ? 1 : 0,
  );
  if (!seen.includes(1)) return best;
  const starts = Math.max(1, Math.min(STARTS, Math.floor(WORK / (rows * width * clusters * ROUNDS))));
  let least = Infinity;
  for (let start = 0; start < starts; start++) {
    const centres = spreadOut(values, weights, seen, width, clusters, random);
    const found = new Int32Array(rows).fill(-1);
    let cost = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const next = assign(values, weights, seen, width, centres, found);
      if (!(next < cost)) break;
      cost = next;
      moveCentres(values, weights, width, centres, found);
    }
    if (!(cost < least)) continue;
    least = cost;
    best.set(found);
  }
  return best;
}

/**
 * Mean squared difference over the observed values of a row, times the width: as if the missing ones were like the
 * others.
 */
function distance(
  values: Float64Array,
  row: number,
  width: number,
  centres: Float64Array,
  c: number,
): number {
  let sum = 0, count = 0;
  for (let i = 0; i < width; i++) {
    const x = values[row * width + i] as number;
    if (Number.isNaN(x)) continue;
    sum += (x - (centres[c * width + i] as number)) ** 2;
    count++;
  }
  return sum * width / count;
}

/** Initial centres: rows drawn in proportion to their squared distance from the centres chosen so far. */
function spreadOut(
  values: Float64Array,
  weights: Float64Array,
  seen: Uint8Array,
  width: number,
  clusters: number,
  random: RandomStream,
): Float64Array {
  const centres = new Float64Array(clusters * width);
  const nearest = Float64Array.from(seen, (is, row) => is === 1 ? weights[row] as number : 0);
  for (let c = 0; c < clusters; c++) {
    const all = random.choose(nearest);
    // All rows coincide with centres already: any row will do.
    const row = all >= 0 ? all : random.choose(Float64Array.from(seen));
    // Missing values become 0, the mean of the centred columns.
    for (let i = 0; i < width; i++) {
      const x = values[row * width + i] as number;
      centres[c * width + i] = Number.isNaN(x) ? 0 : x;
    }
    for (let r = 0; r < seen.length; r++) {
      if (seen[r] === 0) continue;
      const d = (weights[r] as number) * distance(values, r, width, centres, c);
      if (c === 0 || d < (nearest[r] as number)) nearest[r] = d;
    }
  }
  return centres;
}

/** Assigns every row to its nearest centre; returns the sum of the squared distances. */
function assign(
  values: Float64Array,
  weights: Float64Array,
  seen: Uint8Array,
  width: number,
  centres: Float64Array,
  found: Int32Array,
): number {
  let cost = 0;
  const clusters = centres.length / width;
  for (let row = 0; row < found.length; row++) {
    if (seen[row] === 0) continue;
    let best = 0, least = Infinity;
    for (let c = 0; c < clusters; c++) {
      const d = distance(values, row, width, centres, c);
      if (d < least) [best, least] = [c, d];
    }
    found[row] = best;
    cost += (weights[row] as number) * least;
  }
  return cost;
}

/** Moves every centre to the mean of its rows, coordinate by coordinate over the observed values. */
function moveCentres(
  values: Float64Array,
  weights: Float64Array,
  width: number,
  centres: Float64Array,
  found: Int32Array,
): void {
  const sums = new Float64Array(centres.length), totals = new Float64Array(centres.length);
  for (let row = 0; row < found.length; row++) {
    const c = found[row] as number, w = weights[row] as number;
    if (c < 0) continue;
    for (let i = 0; i < width; i++) {
      const x = values[row * width + i] as number;
      if (Number.isNaN(x)) continue;
      sums[c * width + i] = (sums[c * width + i] as number) + w * x;
      totals[c * width + i] = (totals[c * width + i] as number) + w;
    }
  }
  for (let i = 0; i < centres.length; i++) {
    if ((totals[i] as number) > 0) centres[i] = (sums[i] as number) / (totals[i] as number);
  }
}
