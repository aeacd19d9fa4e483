import { cut, type Prepared } from "./data.ts";
import { type ClusterSums, type KMeansKernel, type Nearest, PassLostError } from "./kernel.ts";

/** Assignment of all vectors to given centroids. */
export interface Pass {
  /** `[rows]`: index of the nearest centroid; the smallest index on ties. */
  readonly labels: Int32Array;
  /** `[rows]`: squared distance to it, in float32; for cosine, 2 (1 - cosine). */
  readonly distances: Float32Array;
  /** Sums from which the next centroids are computed. */
  readonly sums: ClusterSums;
  /** Weighted sum of the squared distances, computed in float64 from the sums. */
  readonly inertia: number;
}

/** Passes centroids to a kernel. */
export async function begin(kernel: KMeansKernel, data: Prepared, centroids: Float32Array): Promise<void> {
  const { origin } = data;
  const width = origin.length, clusters = centroids.length / width;
  const directions = new Float32Array(centroids.length), bias = new Float32Array(clusters);
  for (let k = 0; k < clusters; k++) {
    let constant = 0;
    for (let i = 0; i < width; i++) {
      // |x - c|^2 = |x - o|^2 - 2 x.(c - o) + (2 o.(c - o) + |c - o|^2), for any origin o.
      const d = directions[k * width + i] = centroids[k * width + i]! - origin[i]!;
      constant += d * (2 * origin[i]! + d);
    }
    // Under cosine all centroids are unit vectors; rounding of their norms must not decide for short vectors.
    bias[k] = data.metric === "cosine" ? 0 : constant;
  }
  await kernel.begin(directions, bias);
}

/** Squared distance of a row, from the kernel's score for its nearest centroid. */
export function distanceOf(data: Prepared, row: number, score: number): number {
  // Under cosine the kernel saw the unscaled vector, and its score is -2 x.c.
  return Math.max(0, data.scales === undefined ? data.norms[row]! + score : 2 + score * data.scales[row]!);
}

/** One pass over all vectors: nearest centroids, distances, sums. */
export function passOver(
  kernel: KMeansKernel,
  data: Prepared,
  centroids: Float32Array,
  options: { rows?: number; progress?: (rows: number) => void } = {},
): Promise<Pass> {
  return unlessLost(() => onePass(kernel, data, centroids, options));
}

/** Repeats an operation that a device loss interrupted. `body` starts with {@link begin}. */
export async function unlessLost<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof PassLostError)) throw error;
    return await body();
  }
}

async function onePass(
  kernel: KMeansKernel,
  data: Prepared,
  centroids: Float32Array,
  options: { rows?: number; progress?: (rows: number) => void },
): Promise<Pass> {
  const { vectors } = data, { ahead = 0 } = kernel;
  const labels = new Int32Array(vectors.rows), distances = new Float32Array(vectors.rows);
  await begin(kernel, data, centroids);
  const blocks = options.rows === undefined ? {} : { rows: options.rows };
  const waiting: { first: number; rows: number; nearest: Promise<Nearest> }[] = [];
  const take = async (most: number) => {
    while (waiting.length > most) {
      const { first, rows, nearest } = waiting.shift()!;
      const found = await nearest;
      labels.set(found.labels, first);
      for (let r = 0; r < rows; r++) distances[first + r] = distanceOf(data, first + r, found.scores[r]!);
      options.progress?.(first + rows);
    }
  };
  for await (const { first, rows, values } of vectors.blocks(blocks)) {
    const nearest = kernel.add(values, rows, {
      weights: cut(data.weights, first, first + rows),
      factors: cut(data.factors, first, first + rows),
    });
    // The rejection is handled where the promise is awaited; until then the runtime would report it as unhandled.
    nearest.catch(() => {});
    waiting.push({ first, rows, nearest });
    await take(ahead);
  }
  await take(0);
  const sums = await kernel.sums();
  return { labels, distances, sums, inertia: inertiaOf(data, centroids, sums) };
}

/**
 * Weighted sum of squared distances of all vectors to the centroids they were assigned to:
 * `sum w |x - o|^2 - 2 sum_k (s_k - m_k o).(c_k - o) + sum_k m_k |c_k - o|^2`, all in float64.
 */
export function inertiaOf(
  { origin, spread }: Pick<Prepared, "origin" | "spread">,
  centroids: Float32Array,
  { sums, mass }: ClusterSums,
): number {
  const width = origin.length;
  let inertia = spread;
  for (let k = 0; k < mass.length; k++) {
    for (let i = 0; i < width; i++) {
      const c = centroids[k * width + i]! - origin[i]!;
      const s = sums[k * width + i]! - mass[k]! * origin[i]!;
      inertia += c * (mass[k]! * c - 2 * s);
    }
  }
  return Math.max(0, inertia);
}
