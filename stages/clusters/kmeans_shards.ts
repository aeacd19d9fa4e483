import { z } from "zod";
import {
  beginKMeans,
  endKMeans,
  passOverShard,
  type ShardedKMeans,
  stepKMeans,
  type WeightsOf,
} from "../../kernels/kmeans/shards.ts";
import { type MatrixShards, matrixShards } from "../../runner/codecs/shard_codecs.ts";
import {
  defineStage,
  type Many,
  many,
  type NodeOptions,
  type Ref,
  type Stage,
  type StageContext,
} from "../../runner/stage.ts";
import { type Temporary, temporary } from "../../runner/temporary.ts";
import { eachPart, partParams, requireCount } from "../join_shards.ts";
import { openClustering } from "../open_clustering.ts";
import { centroids, clusterLabels, clusterReport } from "./codecs.ts";
import { clusterParams } from "./kmeans.ts";
import { clusterSums, shardedClustering } from "./shard_codecs.ts";
import { weightsOfRows } from "./vectors.ts";

function weightsFor(zeros: "keep" | "skip"): WeightsOf {
  return zeros === "skip" ? weightsOfRows : () => Promise.resolve(undefined);
}

/** Parameters of the start of a clustering in shards, those of `clusterVectors`. */
export const startParams: z.ZodObject<
  Pick<(typeof clusterParams)["shape"], "clusters" | "metric" | "start" | "zeros">,
  z.core.$strip
> = clusterParams.pick({ clusters: true, metric: true, start: true, zeros: true });

/** The first centroids of a clustering in shards, chosen from a sample of the vectors. */
export const startClusters: Stage<
  typeof startParams,
  { vectors: typeof matrixShards },
  { state: typeof shardedClustering }
> = defineStage({
  name: "clusters.start",
  params: startParams,
  inputs: { vectors: matrixShards },
  outputs: { state: shardedClustering },
  seeded: true,
  engine: "use",
  async run({ inputs: { vectors }, params: { zeros, ...options }, context }) {
    await using engine = await openClustering(context);
    const all = { ...options, seed: context.seed };
    return { state: await beginKMeans(vectors, all, weightsFor(zeros), engine.products) };
  },
});

/** Parameters of a pass over a shard. */
export const clusterShardParams: z.ZodObject<
  typeof partParams & Pick<(typeof clusterParams)["shape"], "zeros" | "memory">,
  z.core.$strip
> = z.object({ ...partParams, zeros: clusterParams.shape.zeros, memory: clusterParams.shape.memory });

/** Inputs of a pass over a shard. */
export const clusterShardInputs: { vectors: typeof matrixShards; state: typeof shardedClustering } = {
  vectors: matrixShards,
  state: shardedClustering,
};

/** The sums of an iteration over a shard of the vectors; none once the clustering has converged. */
export const sumClustersShard: Stage<
  typeof clusterShardParams,
  typeof clusterShardInputs,
  { sums: Temporary<typeof clusterSums> }
> = defineStage({
  name: "clusters.sum-shard",
  params: clusterShardParams,
  inputs: clusterShardInputs,
  outputs: { sums: temporary(clusterSums) },
  engine: "use",
  async run({ inputs: { vectors, state }, params, context }) {
    return { sums: state.run.converged ? null : await passIn(vectors, state, params, context) };
  },
});

/** The clusters of a shard of the vectors under the last centroids. */
export const labelShard: Stage<
  typeof clusterShardParams,
  typeof clusterShardInputs,
  { labels: Temporary<typeof clusterLabels>; sums: Temporary<typeof clusterSums> }
> = defineStage({
  name: "clusters.label-shard",
  params: clusterShardParams,
  inputs: clusterShardInputs,
  outputs: { labels: temporary(clusterLabels), sums: temporary(clusterSums) },
  engine: "use",
  async run({ inputs: { vectors, state }, params, context }) {
    const { labels, ...sums } = await passIn(vectors, state, params, context);
    const clusters = state.centroids.length / vectors.width;
    return { labels: { labels: Int32Array.from(labels), clusters }, sums };
  },
});

async function passIn(
  vectors: MatrixShards,
  state: ShardedKMeans,
  { zeros, memory, ...shard }: z.output<typeof clusterShardParams>,
  context: StageContext,
) {
  await using engine = await openClustering(context);
  const which = { ...shard, memory: memory * 2 ** 20 };
  return await passOverShard(vectors, state, which, weightsFor(zeros), engine.kernel);
}

/** Parameters of an iteration of a clustering in shards. */
export const moveCentroidsParams: z.ZodObject<
  Pick<(typeof clusterParams)["shape"], "tolerance">,
  z.core.$strip
> = clusterParams.pick({ tolerance: true });

/** The centroids after an iteration, from the sums of all shards. Once the clustering has converged they stay as they are. */
export const moveCentroids: Stage<
  typeof moveCentroidsParams,
  { vectors: typeof matrixShards; state: typeof shardedClustering; sums: Many<typeof clusterSums> },
  { state: typeof shardedClustering }
> = defineStage({
  name: "clusters.move",
  params: moveCentroidsParams,
  inputs: { vectors: matrixShards, state: shardedClustering, sums: many(clusterSums) },
  outputs: { state: shardedClustering },
  async run({ inputs: { vectors, state, sums }, params: { tolerance } }) {
    const passes = sums.filter((pass) => pass !== null);
    return { state: await stepKMeans(vectors, state, passes, tolerance) };
  },
});

/** The end of a clustering in shards: the labels of all shards in their order, and how it went. */
export const joinClusters: Stage<
  z.ZodObject<Record<never, never>>,
  {
    vectors: typeof matrixShards;
    state: typeof shardedClustering;
    labels: Many<typeof clusterLabels>;
    sums: Many<typeof clusterSums>;
  },
  { labels: typeof clusterLabels; centroids: typeof centroids; report: typeof clusterReport }
> = defineStage({
  name: "clusters.join",
  inputs: {
    vectors: matrixShards,
    state: shardedClustering,
    labels: many(clusterLabels),
    sums: many(clusterSums),
  },
  outputs: { labels: clusterLabels, centroids, report: clusterReport },
  run({ inputs: { vectors: { rows, width }, state, labels, sums }, context }) {
    const { inertia, sizes } = endKMeans(state, sums.filter((pass) => pass !== null));
    const { clusters } = labels[0]!, { metric, run } = state;
    const all = new Int32Array(rows);
    let at = 0;
    for (const part of labels) {
      all.set(part.labels, at);
      at += part.labels.length;
    }
    run.inertia.forEach((inertia, i) => context.metric("distance", inertia / rows, i + 1));
    context.metric("mean squared distance", inertia / rows);
    context.metric("empty clusters", sizes.filter((size) => size === 0).length);
    const runs = [{
      iterations: run.inertia.length,
      distance: run.inertia.at(-1)! / rows,
      converged: run.converged,
    }];
    return {
      labels: { labels: all, clusters },
      centroids: { values: Float32Array.from(state.centroids), positions: 1, clusters, width, metric },
      report: { vectors: rows, positions: [{ distance: inertia / rows, sizes: [...sizes], runs }] },
    };
  },
});

/** How a clustering in shards goes on; what is left out is as in `clusterVectors`. */
export interface ShardedClustering {
  /** Parts of the vectors, each a node in each iteration: the number is part of the keys, that of the workers is not. */
  readonly shards: number;
  /** Number of clusters. */
  readonly clusters: number;
  /** `cosine`: spherical k-means, which uses only the directions of the vectors. */
  readonly metric?: "euclidean" | "cosine";
  /** Initialisation: k-means++ (far apart), or a random sample of the vectors. */
  readonly start?: "k-means++" | "sample";
  /** Most iterations. Those after it has converged are nodes that compute nothing. */
  readonly iterations?: number;
  /** Relative decrease of the inertia below which it has converged; 0: when nothing changes. */
  readonly tolerance?: number;
  /** `skip`: zero rows, which are padding, are ignored. */
  readonly zeros?: "keep" | "skip";
  /** Shards of up to this size, in MiB of single precision, are held in memory. */
  readonly memory?: number;
}

/**
 * k-means in shards: the sums of each iteration over each shard of the vectors are a node of their own, so that whatever executes nodes
 * clusters on many machines. The bytes are the same whoever does what, and the clusters are those of `clusterVectors` of a node of
 * the same name but for the order in which sums are added. Of vectors in half precision, sums by Euclidean distance are exact, and centroids and labels the
 * same bits. Sums are temporary outputs.
 *
 * Called while a pipeline is built.
 *
 * @param node its name is that of the first node, from which the seed derives, and begins those of the others; the rest is for the last
 * @throws CallError for numbers that make no clustering
 */
export function kmeansInShards(
  vectors: Ref<typeof matrixShards>,
  options: ShardedClustering,
  node: NodeOptions = {},
): {
  readonly labels: Ref<typeof clusterLabels>;
  readonly centroids: Ref<typeof centroids>;
  readonly report: Ref<typeof clusterReport>;
} {
  const { shards, clusters, iterations = 100, tolerance, zeros, memory, metric, start } = options;
  requireCount("iterations", iterations, "a clustering in shards");
  const { name = "clusters.kmeans", ...rest } = node;
  const each = eachPart(shards, "a clustering in shards").map((part) => ({ ...part, zeros, memory }));
  const first = startClusters({ vectors }, { clusters, metric, start, zeros }, { name }).state;
  // Sums have twice the bytes of centroids, and are written and read.
  const moves = (times: number) => ({ work: "k-means in shards", like: first, times });
  let state = first;
  for (let iteration = 1; iteration <= iterations; iteration++) {
    const before = state, step = `${name}.iteration-${iteration}`;
    const sums = each.map((params) =>
      sumClustersShard({ vectors, state: before }, params, {
        name: `${step}.shard-${params.shard}`,
        moves: { ...moves(3), shards },
      }).sums
    );
    const move = { name: step, moves: moves(2 + 2 * shards) };
    ({ state } = moveCentroids({ vectors, state, sums }, { tolerance }, move));
  }
  const last = each.map((params) =>
    labelShard({ vectors, state }, params, { name: `${name}.labels.shard-${params.shard}` })
  );
  return joinClusters(
    { vectors, state, labels: last.map(({ labels }) => labels), sums: last.map(({ sums }) => sums) },
    {},
    { ...rest, name: `${name}.join` },
  );
}
