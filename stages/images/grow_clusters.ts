import { z } from "zod";
import { type Circuit, type NodeId, parameterOf, rootUnits } from "../../circuits/circuit.ts";
import type { Learner } from "../../circuits/learner.ts";
import { perturbed } from "../../circuits/learning/perturb.ts";
import { copyStates, stateFlow, statesByFlow } from "../../circuits/learning/states.ts";
import { RandomStream } from "../../circuits/random.ts";
import { type Samples, takeSamples } from "../../circuits/samples.ts";
import { stack, unstack } from "../../circuits/structures/stack.ts";
import { RetortError } from "../../foundation/errors.ts";
import { kmeans } from "../../kernels/kmeans/kmeans.ts";
import { rowsAt, type Vectors, vectorsOf } from "../../kernels/kmeans/vectors.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { defineStage, type Stage, type StageContext } from "../../runner/stage.ts";
import { openClustering } from "../open_clustering.ts";
import { openLearner } from "../open_learner.ts";
import { images } from "./codecs.ts";
import { patchCircuits, patchClusters } from "./patch_codecs.ts";
import { allPatches } from "./train_patch_circuits.ts";

/** Number of patches given to a learner at once. */
const ROWS = 4096;

const parameters = z.object({
  /** Number of clusters to add, by splitting the worst ones. */
  add: z.int().min(1),
  /** The worst clusters, up to this fraction of all patches, whose patches are redistributed by a split. */
  worst: z.number().gt(0).max(1).default(0.4),
  /** Minimum gain in log-likelihood, in nats, for a patch to move to another cluster. */
  reluctance: z.number().min(0).default(1),
  /** States used by less than this fraction of a cluster's patches are replaced by copies of the most used ones. */
  prune: z.number().min(0).max(1).default(0.001),
  /** Number of states of every hidden variable afterwards; unchanged if omitted. */
  latents: z.int().min(1).optional(),
  /** Noise added to copied parameters so that the copies differ: see `perturbed`. */
  noise: z.number().min(0).default(0.2),
});

/**
 * One round of progressive growing (Liu, Liu, Van den Broeck and Liang, "Understanding the Distillation Process from
 * Deep Generative Models to Tractable Probabilistic Circuits", ICML 2023). Prunes rarely used states and copies
 * frequently used ones; moves patches to the cluster whose circuit explains them best, if the gain is large enough;
 * splits the clusters with the worst mean likelihood by copying their circuits and reclustering their patches by the
 * teacher's features. Works on clusters shared by all positions. The circuits should be trained afterwards.
 */
export const growClusters: Stage<
  z.ZodObject<{
    add: z.ZodInt;
    worst: z.ZodDefault<z.ZodNumber>;
    reluctance: z.ZodDefault<z.ZodNumber>;
    prune: z.ZodDefault<z.ZodNumber>;
    latents: z.ZodOptional<z.ZodInt>;
    noise: z.ZodDefault<z.ZodNumber>;
  }, z.core.$strip>,
  {
    images: typeof images;
    features: typeof matrixShards;
    clusters: typeof patchClusters;
    circuits: typeof patchCircuits;
  },
  { clusters: typeof patchClusters; circuits: typeof patchCircuits }
> = defineStage({
  name: "images.grow-clusters",
  params: parameters,
  inputs: { images, features: matrixShards, clusters: patchClusters, circuits: patchCircuits },
  outputs: { clusters: patchClusters, circuits: patchCircuits },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const { circuits: [stacked], ...where } = inputs.circuits;
    const { clusters: count, shared, patch } = inputs.clusters;
    if (!shared || inputs.circuits.circuits.length !== 1 || stacked === undefined) {
      throw new RetortError("inputs/mismatch", "only clusters that all positions share can be grown", {
        hint: "Cluster with `shared: true`.",
      });
    }
    if (rootUnits(stacked) !== count || inputs.features.rows !== inputs.clusters.assignments.length) {
      throw new RetortError("inputs/mismatch", "circuits, clusters and features are not of the same patches");
    }
    const rows = allPatches(inputs.images, patch);
    const before = unstack(stacked, count);
    const learner = await openLearner(before[0]!, context);
    let scored: Scores, circuits: Circuit[];
    try {
      scored = await reassign(learner, before, rows, inputs.clusters.assignments, params.reluctance, context);
      circuits = await refresh(learner, before, rows, scored.assignments, params, context);
    } finally {
      await learner.close();
    }
    context.metric("patches that changed their cluster", scored.moved);
    const { assignments, parents } = await split(inputs.features, scored, count, params, context);
    parents.forEach((parent) => circuits.push(circuits[parent]!));
    context.metric("clusters", circuits.length);
    const noisy = circuits.map((circuit, k) =>
      params.noise > 0
        ? perturbed(circuit, { amount: params.noise, seed: context.seed + (k + 1) * 0x100000000 })
        : circuit
    );
    return {
      clusters: { ...inputs.clusters, clusters: circuits.length, assignments },
      circuits: { ...where, circuits: [stack(noisy)] },
    };
  },
});

/** Cluster assignments of patches and the likelihoods under their circuits. */
interface Scores {
  readonly assignments: Int32Array;
  /** Number of patches that changed cluster. */
  readonly moved: number;
  /** By cluster: mean log-likelihood of its patches, and their number. */
  readonly means: Float64Array;
  readonly sizes: Int32Array;
}

/** Moves each patch to the cluster that explains it best, if the gain is more than `reluctance`. */
async function reassign(
  learner: Learner,
  circuits: readonly Circuit[],
  rows: Samples,
  old: Int32Array,
  reluctance: number,
  context: StageContext,
): Promise<Scores> {
  const best = new Float64Array(rows.count).fill(-Infinity), assignments = old.slice();
  const all = Uint32Array.from({ length: rows.count }, (_, row) => row);
  for (const [k, circuit] of circuits.entries()) {
    await load(learner, circuit);
    for (let from = 0; from < rows.count; from += ROWS) {
      context.signal.throwIfAborted();
      const some = all.subarray(from, from + ROWS);
      const logs = await learner.logLikelihoods(takeSamples(rows, some));
      some.forEach((row, i) => {
        const log = logs[i]! + (old[row] === k ? reluctance : 0);
        if (log > best[row]!) {
          best[row] = log;
          assignments[row] = k;
        }
      });
    }
    context.progress(k + 1, 2 * circuits.length, "clusters");
  }
  const means = new Float64Array(circuits.length), sizes = new Int32Array(circuits.length);
  let moved = 0;
  assignments.forEach((k, row) => {
    const stayed = old[row] === k;
    if (!stayed) moved++;
    means[k]! += best[row]! - (stayed ? reluctance : 0);
    sizes[k]!++;
  });
  sizes.forEach((size, k) => means[k]! /= Math.max(1, size));
  return { assignments, moved, means, sizes };
}

/**
 * Circuits in which rarely used states are replaced by copies of frequently used ones, as measured by the flows of their
 * own patches.
 */
async function refresh(
  learner: Learner,
  circuits: readonly Circuit[],
  rows: Samples,
  assignments: Int32Array,
  { prune, latents }: z.output<typeof parameters>,
  context: StageContext,
): Promise<Circuit[]> {
  const members = membersOf(assignments, circuits.length);
  const made: Circuit[] = [];
  for (const [k, circuit] of circuits.entries()) {
    await load(learner, circuit);
    const own = members[k]!, weights = new Map<string, Float64Array>();
    for (let from = 0; from < own.length; from += ROWS) {
      context.signal.throwIfAborted();
      const flows = await learner.flows(takeSamples(rows, own.subarray(from, from + ROWS)));
      for (const [id, counts] of flows.weights) {
        const sum = weights.get(id) ?? new Float64Array(counts.length);
        counts.forEach((x, i) => sum[i]! += x);
        weights.set(id, sum);
      }
    }
    const maps = new Map<NodeId, Int32Array>();
    for (const node of circuit.nodes) {
      if (node.kind !== "sum") continue;
      const states = parameterOf(circuit, node.parameter).shape[2]!;
      const flow = own.length === 0 ? new Float64Array(states).fill(1) : stateFlow(circuit, node.id, weights);
      maps.set(node.id, statesByFlow(flow, latents ?? states, prune));
    }
    made.push(copyStates(circuit, maps));
    context.progress(circuits.length + k + 1, 2 * circuits.length, "clusters");
  }
  return made;
}

/** Splits the worst clusters; `parents` has the cluster that each new one was split from. */
async function split(
  features: Vectors,
  { assignments, means, sizes }: Scores,
  count: number,
  { add, worst }: z.output<typeof parameters>,
  context: StageContext,
): Promise<{ assignments: Int32Array; parents: number[] }> {
  const order = Array.from({ length: count }, (_, k) => k).filter((k) => sizes[k]! > 1)
    .sort((a, b) => means[a]! - means[b]! || a - b);
  const chosen: number[] = [];
  for (let held = 0; chosen.length < order.length && held < worst * assignments.length;) {
    const k = order[chosen.length]!;
    chosen.push(k);
    held += sizes[k]!;
  }
  if (chosen.length === 0) {
    throw new RetortError(
      "clusters/nothing-to-split",
      "no cluster has two patches: there is nothing to split",
    );
  }
  const members = membersOf(assignments, count);
  const rows = Uint32Array.from(chosen.flatMap((k) => [...members[k]!])).sort();
  const { width } = features;
  const values = await rowsAt(features, rows);
  const parents = Array.from({ length: add }, (_, i) => chosen[i % chosen.length]!);
  const start = new Float32Array((chosen.length + add) * width);
  const random = new RandomStream(context.seed, 0, 0, 0x73706c74);
  const index = new Map(chosen.map((k, i) => [k, i]));
  rows.forEach((row, r) => {
    const k = assignments[row]!, to = index.get(k)! * width;
    for (let i = 0; i < width; i++) start[to + i]! += values[r * width + i]! / sizes[k]!;
  });
  parents.forEach((parent, i) => {
    const row = members[parent]![random.integer(sizes[parent]!)]!;
    const at = rows.indexOf(row) * width;
    start.set(values.subarray(at, at + width), (chosen.length + i) * width);
  });
  await using engine = await openClustering(context);
  const { labels } = await kmeans(vectorsOf(values, width), {
    clusters: chosen.length + add,
    start,
    iterations: 50,
    seed: context.seed,
  }, { ...engine, iteration: () => context.signal.throwIfAborted() });
  const out = assignments.slice();
  rows.forEach((row, r) => {
    const label = labels[r]!;
    out[row] = label < chosen.length ? chosen[label]! : count + label - chosen.length;
  });
  return { assignments: out, parents };
}

async function load(learner: Learner, circuit: Circuit): Promise<void> {
  await learner.setParameters(new Map([...circuit.parameters].map(([id, { values }]) => [id, values])));
}

/** The rows of each cluster, in ascending order. */
function membersOf(assignments: Int32Array, count: number): Uint32Array[] {
  const lists: number[][] = Array.from({ length: count }, () => []);
  assignments.forEach((k, row) => lists[k]!.push(row));
  return lists.map((list) => Uint32Array.from(list));
}
