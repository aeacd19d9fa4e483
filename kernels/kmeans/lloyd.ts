import type { Prepared } from "./data.ts";
import type { KMeansKernel } from "./kernel.ts";
import { passOver } from "./pass.ts";
import { fillEmpty } from "./reseed.ts";

/** Result of one iteration. */
export interface Iteration {
  /** `[clusters, width]`: the next centroids. */
  readonly centroids: Float32Array;
  /** Inertia under the centroids at the start of the iteration. */
  readonly inertia: number;
  /** Number of empty clusters that were given a vector. */
  readonly filled: number;
}

/** One iteration of Lloyd's algorithm: each centroid becomes the mean of its vectors. Never increases the inertia. */
export async function fullStep(
  kernel: KMeansKernel,
  data: Prepared,
  centroids: Float32Array,
): Promise<Iteration> {
  const pass = await passOver(kernel, data, centroids);
  const filled = await fillEmpty(data, pass);
  return { centroids: means(data, centroids, pass.sums), inertia: pass.inertia, filled };
}

/** Means (for cosine: normalised sums) of the clusters; an empty cluster keeps its centroid. */
export function means(
  { metric, origin }: Pick<Prepared, "metric" | "origin">,
  old: Float32Array,
  { sums, mass }: { readonly sums: Float64Array; readonly mass: Float64Array },
): Float32Array {
  const width = origin.length;
  const centroids = old.slice();
  for (let k = 0; k < mass.length; k++) {
    const at = k * width;
    let divisor = mass[k]!;
    if (metric === "cosine") {
      let square = 0;
      for (let i = 0; i < width; i++) square += sums[at + i]! ** 2;
      divisor = Math.sqrt(square);
    }
    if (!(divisor > 0)) continue;
    for (let i = 0; i < width; i++) centroids[at + i] = sums[at + i]! / divisor;
  }
  return centroids;
}

/** Whether a run ends after an iteration: nothing changed, or the inertia was lowered by less than the tolerance. */
export function settledDown(
  before: Float32Array,
  after: Float32Array,
  inertia: readonly number[],
  tolerance: number,
): boolean {
  return after.every((x, i) => x === before[i]) || little(inertia, tolerance);
}

/**
 * Whether the last iteration improved inertia by less than `tolerance`. Never true after an iteration that filled empty
 * clusters.
 */
function little(inertia: readonly number[], tolerance: number): boolean {
  const [before, now] = inertia.slice(-2);
  return tolerance > 0 && now !== undefined && before! - now <= tolerance * before!;
}
