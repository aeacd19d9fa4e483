import { RandomStream } from "../../circuits/random.ts";
import type { Prepared } from "./data.ts";
import type { KMeansKernel } from "./kernel.ts";
import { type Iteration, means } from "./lloyd.ts";
import type { Settled } from "./options.ts";
import { begin, distanceOf, unlessLost } from "./pass.ts";
import { PURPOSE, sampleRows } from "./starts.ts";
import type { KMeansState } from "./state.ts";
import { rowsAt } from "./vectors.ts";

/** A centroid whose accumulated weight is below this fraction of the mean is moved. */
const STARVED = 0.01;

/**
 * One mini-batch step: each centroid moves toward the mean of its vectors in the batch by their share of all the weight
 * it has seen so far, equivalent to a per-vector learning rate of one over the count (Sculley 2010). Every few batches,
 * nearly unused centroids are moved to the vectors of the batch farthest from their centroids.
 */
export async function miniBatchStep(
  kernel: KMeansKernel,
  data: Prepared,
  state: KMeansState,
  { batch = 1, seed, clusters }: Settled,
): Promise<Iteration & { readonly seen: Float64Array }> {
  const { vectors, weights } = data;
  const { width } = vectors;
  const random = new RandomStream(seed, PURPOSE.batch, state.restart, state.iteration);
  const rows = sampleRows(vectors.rows, batch, random);
  const values = await rowsAt(vectors, rows);
  const pick = (array: Float64Array | undefined) => array && Float64Array.from(rows, (row) => array[row]!);
  const { nearest, sums: { sums, mass } } = await unlessLost(async () => {
    await begin(kernel, data, state.centroids);
    const nearest = await kernel.add(values, rows.length, {
      weights: pick(weights),
      factors: pick(data.factors),
    });
    return { nearest, sums: await kernel.sums() };
  });

  const seen = state.seen!.map((before, k) => before + mass[k]!);
  const total = sums.map((sum, i) => {
    const k = Math.floor(i / width);
    return state.seen![k]! * state.centroids[i]! + sum;
  });
  const centroids = means(data, state.centroids, { sums: total, mass: seen });
  const costs = Float64Array.from(rows, (row, n) => {
    return distanceOf(data, row, nearest.scores[n]!) * (weights === undefined ? 1 : weights[row]!);
  });
  const every = Math.ceil(10 * clusters / batch);
  const filled = state.iteration % every === 0 ? moveStarved() : 0;

  const batchMass = mass.reduce((a, b) => a + b, 0);
  const batchInertia = batchMass > 0 ? costs.reduce((a, b) => a + b, 0) / batchMass * data.mass : 0;
  const before = state.runs[state.restart]!.inertia.at(-1);
  const share = Math.min(1, 2 * batch / (vectors.rows + 1));
  const inertia = before === undefined ? batchInertia : before + share * (batchInertia - before);
  return { centroids, seen, inertia, filled };

  function moveStarved(): number {
    const mean = seen.reduce((a, b) => a + b, 0) / clusters;
    const starved = [...seen.keys()].filter((k) => seen[k]! < STARVED * mean);
    if (starved.length === 0) return 0;
    const fed = seen.filter((weight) => weight >= STARVED * mean);
    const order = [...costs.keys()].sort((a, b) => costs[b]! - costs[a]! || a - b);
    let moved = 0;
    for (const k of starved) {
      const n = order[moved];
      if (n === undefined || !(costs[n]! > 0)) break;
      const scale = data.scales === undefined ? 1 : data.scales[rows[n]!]!;
      for (let i = 0; i < width; i++) centroids[k * width + i] = scale * values[n * width + i]!;
      seen[k] = fed.reduce((a, b) => Math.min(a, b), Infinity);
      moved++;
    }
    return moved;
  }
}
