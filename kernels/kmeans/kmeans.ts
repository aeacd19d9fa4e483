import { RandomStream } from "../../circuits/random.ts";
import { RetortError } from "../../foundation/errors.ts";
import { type Prepared, prepareVectors } from "./data.ts";
import type { KernelFactory, KMeansKernel } from "./kernel.ts";
import { fullStep, settledDown } from "./lloyd.ts";
import { miniBatchStep } from "./mini_batch.ts";
import { type KMeansOptions, settle, type Settled } from "./options.ts";
import { passOver } from "./pass.ts";
import { type DotProductsFactory, originOf, PURPOSE, seededStart, subsample } from "./starts.ts";
import type { KMeansRun, KMeansState } from "./state.ts";
import { held, unitVectors, type Vectors } from "./vectors.ts";

/** Result of {@link kmeans}. */
export interface KMeansResult {
  /** `[rows]`: cluster index of each vector. */
  readonly labels: Int32Array;
  /** `[clusters, width]`; unit vectors for cosine. */
  readonly centroids: Float32Array;
  /** `[rows]`: squared distance to the centroid; for cosine, 2 (1 - cosine). */
  readonly distances: Float32Array;
  /** `[clusters]`: number of vectors in each cluster. */
  readonly sizes: Int32Array;
  /** Weighted sum of the squared distances. */
  readonly inertia: number;
  /** History of every run. */
  readonly runs: readonly KMeansRun[];
  /** Index of the run that was kept, the one with the lowest inertia. */
  readonly best: number;
}

/** Kernels and callbacks of {@link kmeans}. */
export interface KMeansContext {
  /** The engine's kernel. */
  readonly kernel: KernelFactory;
  /** Dot products for k-means++. */
  readonly products: DotProductsFactory;
  /** State to resume from. It must come from the same vectors and options. */
  readonly resume?: KMeansState | undefined;
  /** Called after each iteration; may save `state` to resume from. */
  readonly iteration?: ((state: KMeansState) => void | Promise<void>) | undefined;
}

/**
 * k-means: full (Lloyd 1982) or mini-batch (Sculley, "Web-Scale K-Means Clustering", WWW 2010), Euclidean or
 * spherical. Vectors are streamed in blocks unless they fit in `memory`; about 12 bytes per vector are kept.
 *
 * The same vectors, options and engine give identical bytes, even when a run is interrupted and resumed from any
 * state passed to `iteration`.
 *
 * @throws {RetortError} on more clusters than vectors, options out of range, and vectors that cannot be clustered
 *   (see {@link prepareVectors}), with the place
 */
export async function kmeans(
  vectors: Vectors,
  options: KMeansOptions,
  context: KMeansContext,
): Promise<KMeansResult> {
  const settled = settle(vectors, options);
  const { clusters, seed } = settled;
  const near = await held(vectors, settled.memory);
  const sample = await subsample(near, settled);
  const origin = originOf(sample, near.width, settled.metric);
  const data = await prepareVectors(near, settled.metric, origin, options.weights);
  const starts = async (restart: number): Promise<Float32Array> => {
    if (typeof settled.start !== "string") return checkedStart(data, settled.start, clusters);
    const random = new RandomStream(seed, PURPOSE.start, restart);
    return await seededStart(settled.start, data, sample, clusters, random, context.products);
  };
  const kernel = await context.kernel(near.width, clusters);
  try {
    let state = context.resume;
    for (let restart = state?.restart ?? 0; restart < settled.restarts; restart++) {
      if (state === undefined || state.restart !== restart) {
        state = {
          restart,
          iteration: 0,
          centroids: await starts(restart),
          seen: settled.batch === undefined ? undefined : new Float64Array(clusters),
          runs: [...state?.runs ?? [], { inertia: [], filled: [], converged: false }],
          best: state?.best,
        };
      }
      while (state.iteration < settled.iterations && !state.runs[restart]!.converged) {
        state = await step(kernel, data, state, settled);
        await context.iteration?.(state);
      }
      state = { ...state, best: await better(kernel, data, state, settled) };
    }
    const { best, runs } = state!;
    const { labels, distances, sums, inertia } = await passOver(kernel, data, best!.centroids);
    return {
      labels,
      distances,
      inertia,
      centroids: best!.centroids,
      sizes: Int32Array.from(sums.counts),
      runs,
      best: best!.restart,
    };
  } finally {
    await kernel.release();
  }
}

async function step(
  kernel: KMeansKernel,
  data: Prepared,
  state: KMeansState,
  settled: Settled,
): Promise<KMeansState> {
  const run = state.runs[state.restart]!;
  const made = settled.batch === undefined
    ? { ...await fullStep(kernel, data, state.centroids), seen: undefined }
    : await miniBatchStep(kernel, data, state, settled);
  const inertia = [...run.inertia, made.inertia];
  const converged = settled.batch === undefined
    ? settledDown(state.centroids, made.centroids, inertia, settled.tolerance)
    : stalled(inertia);
  return {
    ...state,
    iteration: state.iteration + 1,
    centroids: made.centroids,
    seen: made.seen,
    runs: state.runs.with(state.restart, { inertia, filled: [...run.filled, made.filled], converged }),
  };
}

/**
 * The better of the best run so far and the one that just ended, whose final inertia is measured only if there is a
 * rival.
 */
async function better(
  kernel: KMeansKernel,
  data: Prepared,
  { restart, centroids, best }: KMeansState,
  { restarts }: Settled,
): Promise<NonNullable<KMeansState["best"]>> {
  if (restarts === 1) return { restart, centroids, inertia: NaN };
  const { inertia } = await passOver(kernel, data, centroids);
  return best !== undefined && best.inertia <= inertia ? best : { restart, centroids, inertia };
}

/** Mini-batch k-means stops after this many consecutive batches without a lower smoothed inertia. */
const PATIENCE = 10;

function stalled(inertia: readonly number[]): boolean {
  if (inertia.length <= PATIENCE) return false;
  const before = Math.min(...inertia.slice(0, -PATIENCE));
  return inertia.slice(-PATIENCE).every((now) => now >= before);
}

function checkedStart({ vectors, metric }: Prepared, start: Float32Array, clusters: number): Float32Array {
  if (start.length !== clusters * vectors.width) {
    throw new RetortError(
      "kmeans/width",
      `\`start\` has ${start.length} numbers, but ${clusters} centroids of width ${vectors.width} have ` +
        `${clusters * vectors.width}`,
    );
  }
  return metric === "cosine" ? unitVectors(start, vectors.width) : start.slice();
}
