import { RandomStream } from "../../circuits/random.ts";
import type { Metric, Prepared } from "./data.ts";
import type { Settled } from "./options.ts";
import { rowsAt, type Vectors } from "./vectors.ts";

/** Random streams by purpose: the second word of each stream's key. */
export const PURPOSE = { subsample: 1, start: 2, batch: 3, reassign: 4 } as const;

/** Dot products with fixed vectors. */
export interface DotProducts {
  /** Those of `candidates`, `[candidates, width]`: `[candidates, rows]`. */
  products(candidates: Float32Array): Promise<Float32Array>;
  /** Releases their memory. */
  release(): Promise<void>;
}

/** Prepares dot products with `vectors`, `[rows, width]`. */
export type DotProductsFactory = (vectors: Float32Array, width: number) => Promise<DotProducts>;

/** Seeded sample of `count` distinct rows in ascending order. */
export function sampleRows(rows: number, count: number, random: RandomStream): Int32Array {
  if (count >= rows) return Int32Array.from({ length: rows }, (_, row) => row);
  // Floyd's algorithm: `count` draws, without an array of all rows.
  const chosen = new Set<number>();
  for (let j = rows - count; j < rows; j++) {
    const t = random.integer(j + 1);
    chosen.add(chosen.has(t) ? j : t);
  }
  return Int32Array.from(chosen).sort();
}

/** Sample of the vectors, in memory, from which initial centroids are chosen. */
export interface Subsample {
  /** Rows in ascending order. */
  readonly rows: Int32Array;
  /** `[rows, width]`. */
  readonly values: Float32Array;
}

/** Reads the seeded sample of rows from which centroids are chosen. */
export async function subsample(
  vectors: Vectors,
  { startRows, clusters, seed }: Pick<Settled, "startRows" | "clusters" | "seed">,
): Promise<Subsample> {
  const count = Math.max(startRows, 4 * clusters);
  const rows = sampleRows(vectors.rows, count, new RandomStream(seed, PURPOSE.subsample));
  return { rows, values: await rowsAt(vectors, rows) };
}

/** What distances are computed relative to: the mean of a sample, in single precision; zero for cosine. */
export function originOf({ values }: Subsample, width: number, metric: Metric): Float64Array {
  const mean = new Float64Array(width);
  if (metric === "cosine") return mean;
  for (let at = 0; at < values.length; at += width) {
    for (let i = 0; i < width; i++) mean[i]! += values[at + i]! * width / values.length;
  }
  return mean.map(Math.fround);
}

/** Centroids `[clusters, width]` that are vectors of the subsample, chosen as `how` says. */
export async function seededStart(
  how: "k-means++" | "sample",
  data: Prepared,
  sample: Subsample,
  clusters: number,
  random: RandomStream,
  products: DotProductsFactory,
): Promise<Float32Array> {
  return how === "sample"
    ? sampledStart(data, sample, clusters, random)
    : await plusPlusStart(data, sample, clusters, random, products);
}

/**
 * Copies (scaled to unit length under cosine) and weights of the rows of a subsample that can start a cluster: those of
 * positive weight.
 */
function usable(data: Prepared, sample: Subsample): { values: Float32Array; weights: Float64Array } {
  const { width } = data.vectors;
  const kept = [...sample.rows.keys()].filter((n) =>
    data.weights === undefined || data.weights[sample.rows[n]!]! > 0
  );
  const values = new Float32Array(kept.length * width), weights = new Float64Array(kept.length);
  kept.forEach((n, to) => {
    const row = sample.rows[n]!;
    const scale = data.scales === undefined ? 1 : data.scales[row]!;
    weights[to] = data.weights === undefined ? 1 : data.weights[row]!;
    for (let i = 0; i < width; i++) values[to * width + i] = scale * sample.values[n * width + i]!;
  });
  return { values, weights };
}

/** Centroids `[clusters, width]` that are distinct vectors of the subsample, drawn by weight. */
function sampledStart(
  data: Prepared,
  sample: Subsample,
  clusters: number,
  random: RandomStream,
): Float32Array {
  const { width } = data.vectors;
  const { values, weights } = usable(data, sample);
  const centroids = new Float32Array(clusters * width);
  for (let k = 0; k < clusters; k++) {
    const n = random.choose(weights);
    // Fewer vectors than clusters have positive weight: the remaining clusters start empty, at the first centroid.
    const from = n < 0 ? 0 : n * width;
    if (n >= 0) weights[n] = 0;
    centroids.set(values.subarray(from, from + width), k * width);
  }
  return centroids;
}

/**
 * Greedy k-means++ on the subsample: each centroid is the best of `2 + ln(clusters)` candidates drawn by squared
 * distance to the nearest centroid so far. Source: Arthur and Vassilvitskii, "k-means++: The Advantages of
 * Careful Seeding" (SODA 2007), with the greedy choice of its section 7.
 */
async function plusPlusStart(
  data: Prepared,
  sample: Subsample,
  clusters: number,
  random: RandomStream,
  makeProducts: DotProductsFactory,
): Promise<Float32Array> {
  const { origin } = data;
  const width = origin.length;
  const { values, weights } = usable(data, sample);
  const rows = weights.length;
  // Relative to the origin, to preserve digits of the distances.
  const norms = new Float64Array(rows);
  for (let n = 0; n < rows; n++) {
    for (let i = 0; i < width; i++) {
      const x = values[n * width + i] = values[n * width + i]! - origin[i]!;
      norms[n]! += x * x;
    }
  }
  const centroids = new Float32Array(clusters * width);
  const put = (k: number, n: number) => {
    for (let i = 0; i < width; i++) centroids[k * width + i] = values[n * width + i]! + origin[i]!;
  };
  const trials = 2 + Math.floor(Math.log(clusters));
  const { products, release } = await makeProducts(values, width);
  try {
    const nearest = new Float64Array(rows).fill(Infinity), costs = new Float64Array(rows);
    for (let k = 0; k < clusters; k++) {
      const drawn = Array.from(
        { length: k === 0 ? 1 : trials },
        () => random.choose(k === 0 ? weights : costs),
      );
      // All vectors are at centroids: the remaining clusters start empty.
      if (drawn[0]! < 0) {
        put(k, 0);
        continue;
      }
      const candidates = new Float32Array(drawn.length * width);
      drawn.forEach((n, j) => candidates.set(values.subarray(n * width, (n + 1) * width), j * width));
      const scores = await products(candidates);
      let best = 0, bestCost = Infinity;
      drawn.forEach((n, j) => {
        let cost = 0;
        for (let row = 0; row < rows; row++) {
          const d = norms[row]! + norms[n]! - 2 * scores[j * rows + row]!;
          cost += weights[row]! * Math.min(nearest[row]!, Math.max(0, d));
        }
        if (cost < bestCost) [best, bestCost] = [j, cost];
      });
      const n = drawn[best]!;
      for (let row = 0; row < rows; row++) {
        const d = row === n ? 0 : norms[row]! + norms[n]! - 2 * scores[best * rows + row]!;
        nearest[row] = Math.min(nearest[row]!, Math.max(0, d));
        costs[row] = weights[row]! * nearest[row]!;
      }
      put(k, n);
    }
  } finally {
    await release();
  }
  return centroids;
}
