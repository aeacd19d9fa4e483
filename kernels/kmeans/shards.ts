/** k-means whose passes are cut into shards of the vectors, and are put together again. */
import { RandomStream } from "../../circuits/random.ts";
import { RetortError } from "../../foundation/errors.ts";
import { type Metric, prepareVectors } from "./data.ts";
import type { ClusterSums, KernelFactory } from "./kernel.ts";
import { means, settledDown } from "./lloyd.ts";
import { type KMeansOptions, settle } from "./options.ts";
import { inertiaOf, passOver } from "./pass.ts";
import { atCentroid, emptyClusters, type FarRows, farRows, farRowsFor, giveRows } from "./reseed.ts";
import { type DotProductsFactory, originOf, PURPOSE, seededStart, subsample } from "./starts.ts";
import type { KMeansRun } from "./state.ts";
import { held, rowsBetween, type Vectors, vectorsOf } from "./vectors.ts";

/** Where k-means in shards is between two iterations. */
export interface ShardedKMeans {
  /** Distance. */
  readonly metric: Metric;
  /** `[width]`: what distances are computed relative to. */
  readonly origin: Float64Array;
  /** `[clusters, width]`: the centroids. */
  readonly centroids: Float32Array;
  /** The iterations so far. */
  readonly run: KMeansRun;
}

/** What an iteration needs of a pass over a shard. */
export interface ShardSums {
  /** Sums over the shard, from which the next centroids are computed. */
  readonly sums: ClusterSums;
  /** Sum of the weights. */
  readonly mass: number;
  /** Weighted sum of the squared distances from the origin. */
  readonly spread: number;
  /** Rows from which empty clusters may be filled, by their index among all vectors. */
  readonly far: FarRows;
}

/** What a pass over a shard gives. */
export interface ShardPass extends ShardSums {
  /** `[rows of the shard]`: index of the nearest centroid. */
  readonly labels: Int32Array;
}

/**
 * Weights of the vectors of a part, 0 or 1; undefined for 1 of all. Those without weight are padding, and belong to no sum.
 */
export type WeightsOf = (part: Vectors) => Promise<ArrayLike<number> | undefined>;

/**
 * The first centroids, those of `kmeans` with the same options: chosen from a sample, so that only its rows are read.
 *
 * @throws {RetortError} for options out of range, more clusters than vectors, and vectors that cannot be clustered
 */
export async function beginKMeans(
  vectors: Vectors,
  options: Pick<KMeansOptions, "clusters" | "metric" | "seed"> & {
    readonly start?: "k-means++" | "sample";
  },
  weightsOf: WeightsOf,
  products: DotProductsFactory,
): Promise<ShardedKMeans> {
  const settled = settle(vectors, options);
  const { clusters, metric, seed } = settled;
  const sample = await subsample(vectors, settled);
  const origin = originOf(sample, vectors.width, metric);
  const near = vectorsOf(sample.values, vectors.width);
  const data = await prepareVectors(
    near,
    metric,
    origin,
    await weightsOf(near),
    (row) => sample.rows[row]!,
  );
  const random = new RandomStream(seed, PURPOSE.start, 0);
  const all = { rows: Int32Array.from(sample.rows.keys()), values: sample.values };
  const centroids = await seededStart(
    options.start ?? "k-means++",
    data,
    all,
    clusters,
    random,
    products,
  );
  return { metric, origin, centroids, run: { inertia: [], filled: [], converged: false } };
}

/**
 * A pass over shard `shard` of `shards` of the vectors.
 *
 * @param memory shards of up to so many bytes in single precision are held in memory
 * @throws {RetortError} for fewer vectors than shards, and vectors that cannot be clustered
 */
export async function passOverShard(
  vectors: Vectors,
  { metric, origin, centroids }: ShardedKMeans,
  { shard, shards, memory }: { readonly shard: number; readonly shards: number; readonly memory: number },
  weightsOf: WeightsOf,
  makeKernel: KernelFactory,
): Promise<ShardPass> {
  const { rows, width } = vectors;
  if (rows < shards) {
    throw new RetortError("kmeans/too-few-vectors", `${rows} vectors make no ${shards} shards`, {
      hint: `Ask for ${rows} shards or fewer.`,
    });
  }
  const first = Math.floor(rows * shard / shards);
  const own = await held(rowsBetween(vectors, first, Math.floor(rows * (shard + 1) / shards)), memory);
  const data = await prepareVectors(own, metric, origin, await weightsOf(own), (row) => first + row);
  const clusters = centroids.length / width;
  const kernel = await makeKernel(width, clusters);
  try {
    const pass = await passOver(kernel, data, centroids);
    const far = farRows(data, pass, farRowsFor(clusters), 0);
    return {
      labels: pass.labels,
      sums: pass.sums,
      mass: data.mass,
      spread: data.spread,
      far: { ...far, rows: far.rows.map((row) => first + row) },
    };
  } finally {
    await kernel.release();
  }
}

/** Sums over all shards, in their order. */
function total(passes: readonly ShardSums[]) {
  const [begin, ...rest] = passes as [ShardSums, ...ShardSums[]];
  const sums = {
    sums: begin.sums.sums.slice(),
    mass: begin.sums.mass.slice(),
    counts: begin.sums.counts.slice(),
  };
  let { mass, spread } = begin;
  for (const pass of rest) {
    for (const name of ["sums", "mass", "counts"] as const) {
      pass.sums[name].forEach((x, i) => sums[name][i]! += x);
    }
    mass += pass.mass;
    spread += pass.spread;
  }
  return { sums, mass, spread };
}

/**
 * An iteration from the passes over all shards, in their order: as one of `kmeans`, but for the order in which sums are added. A run
 * that has converged stays as it is.
 *
 * @param vectors all of them; read only where a cluster is empty
 * @param tolerance see `KMeansOptions`
 */
export async function stepKMeans(
  vectors: Vectors,
  state: ShardedKMeans,
  passes: readonly ShardSums[],
  tolerance: number,
): Promise<ShardedKMeans> {
  const { metric, origin, centroids, run } = state;
  if (run.converged) return state;
  const { sums, mass, spread } = total(passes);
  const empty = emptyClusters(sums, metric);
  const inertia = [...run.inertia, inertiaOf({ origin, spread }, centroids, sums)];
  const filled = empty.length === 0 ? 0 : await giveRows(
    sums,
    empty,
    farOfAll(passes, farRowsFor(empty.length), atCentroid({ spread, mass })),
    vectors,
    (_, values) => ({
      weight: 1,
      factor: metric === "cosine" ? 1 / Math.sqrt(values.reduce((sum, x) => sum + x * x, 0)) : 1,
    }),
  );
  const next = means({ metric, origin }, centroids, sums);
  return {
    metric,
    origin,
    centroids: next,
    run: {
      inertia,
      filled: [...run.filled, filled],
      converged: settledDown(centroids, next, inertia, tolerance),
    },
  };
}

/** The farthest rows of all shards. */
function farOfAll(passes: readonly Pick<ShardSums, "far">[], most: number, zero: number): FarRows {
  const all = passes.flatMap(({ far: { rows, labels, costs } }) =>
    Array.from(rows, (row, i) => ({ row, label: labels[i]!, cost: costs[i]! }))
  ).filter(({ cost }) => cost > zero);
  const taken = all.sort((a, b) => b.cost - a.cost || a.row - b.row).slice(0, most);
  return {
    rows: Int32Array.from(taken, ({ row }) => row),
    labels: Int32Array.from(taken, ({ label }) => label),
    costs: Float32Array.from(taken, ({ cost }) => cost),
  };
}

/** What the passes over all shards, in their order, come to: inertia and sizes of the clusters. */
export function endKMeans(
  { origin, centroids }: ShardedKMeans,
  passes: readonly ShardSums[],
): { readonly inertia: number; readonly sizes: Int32Array } {
  const { sums, spread } = total(passes);
  return { inertia: inertiaOf({ origin, spread }, centroids, sums), sizes: Int32Array.from(sums.counts) };
}
