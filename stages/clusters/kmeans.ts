import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { kmeans, type KMeansResult } from "../../kernels/kmeans/kmeans.ts";
import type { KMeansState } from "../../kernels/kmeans/state.ts";
import { everyNth, type Vectors } from "../../kernels/kmeans/vectors.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { openClustering } from "../open_clustering.ts";
import { centroids, clusteringState, clusterLabels, clusterReport, type PositionResult } from "./codecs.ts";
import { weightsOfRows } from "./vectors.ts";

/** Parameters of k-means. */
export const clusterParams: z.ZodObject<{
  clusters: z.ZodInt;
  metric: z.ZodDefault<
    z.ZodEnum<{
      euclidean: "euclidean";
      cosine: "cosine";
    }>
  >;
  positions: z.ZodDefault<z.ZodInt>;
  start: z.ZodDefault<
    z.ZodEnum<{
      "k-means++": "k-means++";
      sample: "sample";
    }>
  >;
  restarts: z.ZodDefault<z.ZodInt>;
  iterations: z.ZodDefault<z.ZodInt>;
  tolerance: z.ZodDefault<z.ZodNumber>;
  batch: z.ZodOptional<z.ZodInt>;
  zeros: z.ZodDefault<
    z.ZodEnum<{
      keep: "keep";
      skip: "skip";
    }>
  >;
  memory: z.ZodDefault<z.ZodInt>;
}, z.core.$strip> = z.object({
  /** Number of clusters (per position). */
  clusters: z.int().min(1),
  /** `cosine`: spherical k-means, which uses only the directions of the vectors. */
  metric: z.enum(["euclidean", "cosine"]).default("euclidean"),
  /** Number of positions with their own clusters, for rows `[samples, positions]`; 1: all rows share clusters. */
  positions: z.int().min(1).default(1),
  /** Initialisation: k-means++ (far apart), or a random sample of the vectors. */
  start: z.enum(["k-means++", "sample"]).default("k-means++"),
  /** Number of runs; the one with the lowest inertia is kept. */
  restarts: z.int().min(1).default(1),
  /** Maximum number of iterations per run. */
  iterations: z.int().min(1).default(100),
  /** Relative decrease of the inertia below which a run stops; 0: stops when nothing changes. */
  tolerance: z.number().min(0).default(1e-4),
  /** Batch size of mini-batch k-means; omitted: full passes. */
  batch: z.int().min(1).optional(),
  /** `skip`: zero rows, which are padding, are ignored. */
  zeros: z.enum(["keep", "skip"]).default("keep"),
  /** Vectors of up to this size, in MiB of single precision, are held in memory. */
  memory: z.int().min(0).default(1024),
});

/**
 * Clusters vectors by k-means. Vectors are streamed from their shards unless they fit into memory. An interrupted run
 * resumes between iterations and produces the same bytes.
 */
export const clusterVectors: Stage<
  typeof clusterParams,
  { vectors: typeof matrixShards },
  { labels: typeof clusterLabels; centroids: typeof centroids; report: typeof clusterReport }
> = defineStage({
  name: "clusters.kmeans",
  params: clusterParams,
  inputs: { vectors: matrixShards },
  outputs: { labels: clusterLabels, centroids, report: clusterReport },
  seeded: true,
  engine: "use",
  checkpoint: clusteringState,
  async run({ inputs, params, context }) {
    const { positions, zeros, memory, batch, ...options } = params;
    const all: Vectors = inputs.vectors;
    if (all.rows % positions !== 0) {
      throw new RetortError(
        "inputs/mismatch",
        `${all.rows} vectors cannot be split into samples of ${positions} positions`,
      );
    }
    await using engine = await openClustering(context);
    const saved = await context.checkpoint.load();
    const done = [...saved?.done ?? []];
    let resume = saved?.state;
    if (resume !== undefined) {
      context.log(`going on at position ${done.length}, iteration ${resume.iteration}`);
    }
    const { iterations, restarts } = options;
    for (let position = done.length; position < positions; position++) {
      const vectors = positions === 1 ? all : everyNth(all, positions, position);
      const weights = zeros === "skip" ? await weightsOfRows(vectors) : undefined;
      const found = await kmeans(vectors, {
        ...options,
        ...(batch !== undefined && { batch }),
        seed: context.seed,
        memory: memory * 2 ** 20,
        ...(weights && { weights }),
      }, {
        ...engine,
        resume,
        async iteration(state) {
          await context.checkpoint.offer(() => ({ position, state, done }));
          context.signal.throwIfAborted();
          tell(state, position);
        },
      });
      resume = undefined;
      done.push(resultOf(found, vectors.rows));
    }
    const report = {
      vectors: all.rows,
      positions: done.map(({ distance, sizes, runs }) => ({ distance, sizes: [...sizes], runs: [...runs] })),
    };
    context.metric("mean squared distance", mean(done.map(({ distance }) => distance)));
    context.metric("empty clusters", done.flatMap(({ sizes }) => sizes).filter((size) => size === 0).length);
    return { ...gathered(done, all, params), report };

    function tell({ restart, iteration, runs }: KMeansState, position: number): void {
      curve(restart, iteration, runs[restart]!.inertia.at(-1)!);
      const each = iterations * restarts;
      context.progress(position * each + restart * iterations + iteration, positions * each, "iterations");
    }
    function curve(restart: number, iteration: number, inertia: number): void {
      if (positions > 1) return;
      context.metric(`distance${restarts > 1 ? `, run ${restart}` : ""}`, inertia / all.rows, iteration);
    }
  },
});

function resultOf({ labels, centroids, inertia, sizes, runs }: KMeansResult, rows: number): PositionResult {
  return {
    centroids,
    labels,
    distance: inertia / rows,
    sizes: [...sizes],
    runs: runs.map((run) => ({
      iterations: run.inertia.length,
      distance: run.inertia.at(-1)! / rows,
      converged: run.converged,
    })),
  };
}

function gathered(
  done: readonly PositionResult[],
  { rows, width }: Vectors,
  { positions, clusters, metric }: { positions: number; clusters: number; metric: "euclidean" | "cosine" },
) {
  const labels = new Int32Array(rows), values = new Float32Array(positions * clusters * width);
  done.forEach((result, p) => {
    values.set(result.centroids, p * clusters * width);
    for (let row = 0; row < result.labels.length; row++) labels[row * positions + p] = result.labels[row]!;
  });
  return { labels: { labels, clusters }, centroids: { values, positions, clusters, width, metric } };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
