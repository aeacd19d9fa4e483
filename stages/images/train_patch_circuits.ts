import type { z } from "zod";
import type { Circuit, ParameterArray } from "../../circuits/circuit.ts";
import { trainGroups } from "../../circuits/learning/groups.ts";
import { ScoreSum } from "../../circuits/learning/score.ts";
import { type SampleSource, sourceOf } from "../../circuits/learning/source.ts";
import { type Samples, takeSamples } from "../../circuits/samples.ts";
import {
  maximumSpanningTree,
  mutualInformation,
  type VariableTree,
} from "../../circuits/structures/chow_liu.ts";
import { hclt } from "../../circuits/structures/hclt.ts";
import { stack, unstack } from "../../circuits/structures/stack.ts";
import { RetortError } from "../../foundation/errors.ts";
import { patchesOf, patchGrid, patchSize } from "../../datasets/images/geometry.ts";
import type { ImageSet } from "../../datasets/images/image_set.ts";
import { defineStage, type Stage, type StageContext } from "../../runner/stage.ts";
import { chooseSome } from "../choose_some.ts";
import { smoothingOf } from "../train_em.ts";
import { openLearner } from "../open_learner.ts";
import { trainingOptions, trainingParams } from "../training_params.ts";
import { images } from "./codecs.ts";
import { type GroupProgress, groupProgress } from "./group_progress.ts";
import { patchCircuits, type PatchClusters, patchClusters, patchVariables } from "./patch_codecs.ts";
import { treeParams } from "./pixel_tree.ts";

/** Parameters of training circuits of patches. */
export const patchTrainingParams: z.ZodObject<{
  epochs: z.ZodDefault<z.ZodInt>;
  pseudocount: z.ZodPrefault<
    z.ZodObject<{
      sums: z.ZodDefault<z.ZodNumber>;
      leaves: z.ZodDefault<z.ZodNumber>;
    }, z.core.$strict>
  >;
  batchSize: z.ZodDefault<z.ZodInt>;
  step: z.ZodDefault<
    z.ZodDiscriminatedUnion<[
      z.ZodObject<{
        kind: z.ZodLiteral<"em">;
      }, z.core.$strict>,
      z.ZodObject<{
        kind: z.ZodLiteral<"inertia">;
        inertia: z.ZodDefault<
          z.ZodUnion<
            readonly [
              z.ZodNumber,
              z.ZodObject<{
                points: z.ZodArray<z.ZodTuple<[z.ZodNumber, z.ZodNumber], null>>;
                between: z.ZodOptional<
                  z.ZodEnum<{
                    steps: "steps";
                    linear: "linear";
                  }>
                >;
              }, z.core.$strict>,
            ]
          >
        >;
      }, z.core.$strict>,
      z.ZodObject<{
        kind: z.ZodLiteral<"anemone">;
        step: z.ZodUnion<
          readonly [
            z.ZodUnion<
              readonly [
                z.ZodNumber,
                z.ZodObject<{
                  points: z.ZodArray<z.ZodTuple<[z.ZodNumber, z.ZodNumber], null>>;
                  between: z.ZodOptional<
                    z.ZodEnum<{
                      steps: "steps";
                      linear: "linear";
                    }>
                  >;
                }, z.core.$strict>,
              ]
            >,
            z.ZodObject<{
              from: z.ZodNumber;
              to: z.ZodNumber;
              factor: z.ZodDefault<z.ZodNumber>;
            }, z.core.$strict>,
          ]
        >;
      }, z.core.$strict>,
    ], "kind">
  >;
  batchesPerUpdate: z.ZodDefault<
    z.ZodUnion<readonly [z.ZodLiteral<"epoch">, z.ZodLiteral<"auto">, z.ZodInt]>
  >;
  leafBase: z.ZodDefault<
    z.ZodEnum<{
      uniform: "uniform";
      marginal: "marginal";
    }>
  >;
  leafMix: z.ZodDefault<z.ZodNumber>;
  dropout: z.ZodDefault<z.ZodNumber>;
}, z.core.$strip> = trainingParams.omit({
  frozen: true,
  perturb: true,
  patience: true,
  tolerance: true,
  shuffleBlock: true,
  stateDropout: true,
});
/** The same with those of their trees. */
export const patchTreeParams: z.ZodObject<
  (typeof patchTrainingParams)["shape"] & typeof treeParams,
  z.core.$strip
> = patchTrainingParams.extend(treeParams);

/**
 * Trains circuits of patches: for every cluster a hidden Chow-Liu tree over the pixels of a patch, trained on the
 * patches of that cluster alone. If positions share clusters there is one circuit for all positions, otherwise one per
 * position. The tree structure is learned from all patches that a circuit covers, so its clusters form one grouped
 * circuit.
 */
export const trainPatchCircuits: Stage<
  typeof patchTreeParams,
  { images: typeof images; clusters: typeof patchClusters },
  { circuits: typeof patchCircuits }
> = defineStage({
  name: "images.train-patch-circuits",
  params: patchTreeParams,
  inputs: { images, clusters: patchClusters },
  outputs: { circuits: patchCircuits },
  seeded: true,
  engine: "use",
  checkpoint: groupProgress,
  async run({ inputs, params, context }) {
    const { clusters } = inputs;
    const { patch, patches, shared, assignments } = clusters;
    const { space } = inputs.images;
    const rows = checkedPatches(inputs.images, clusters);
    const variables = patchVariables(space, patch);
    const positions = shared ? 1 : patches;
    const progress = await Progress.begin(context);
    const circuits: Circuit[] = [];
    for (let p = 0; p < positions; p++) {
      const { samples, groups } = shared
        ? { samples: rows, groups: assignments }
        : position(rows, assignments, patches, p);
      const tree = treeOf(samples, params, variables, context.seed);
      const starts = Array.from({ length: clusters.clusters }, (_, k) =>
        hclt(variables, tree, {
          latents: params.latents,
          leaf: () => ({ family: params.leaf }),
          // Different initial parameters for every cluster and position.
          seed: context.seed + (p * clusters.clusters + k) * 0x100000000,
        }));
      circuits.push(
        await trainPosition(starts, sourceOf(samples), groups, params, context, progress, p, positions),
      );
    }
    progress.tell();
    return { circuits: { space, patch, circuits } };
  },
});

/**
 * Trains given circuits of patches further on the patches of their clusters: circuits from `images.grow-clusters`, or
 * others with different clusters.
 */
export const trainGrownCircuits: Stage<
  typeof patchTrainingParams,
  { images: typeof images; clusters: typeof patchClusters; circuits: typeof patchCircuits },
  { circuits: typeof patchCircuits }
> = defineStage({
  name: "images.train-grown-circuits",
  params: patchTrainingParams,
  inputs: { images, clusters: patchClusters, circuits: patchCircuits },
  outputs: { circuits: patchCircuits },
  seeded: true,
  engine: "use",
  checkpoint: groupProgress,
  async run({ inputs, params, context }) {
    const { clusters, circuits: given } = inputs;
    const rows = checkedPatches(inputs.images, clusters);
    const progress = await Progress.begin(context);
    const circuits: Circuit[] = [];
    for (const [p, circuit] of given.circuits.entries()) {
      const { samples, groups } = given.circuits.length === 1
        ? { samples: rows, groups: clusters.assignments }
        : position(rows, clusters.assignments, clusters.patches, p);
      const starts = unstack(circuit, clusters.clusters);
      circuits.push(
        await trainPosition(
          starts,
          sourceOf(samples),
          groups,
          params,
          context,
          progress,
          p,
          given.circuits.length,
        ),
      );
    }
    progress.tell();
    return { circuits: { ...given, circuits } };
  },
});

/** All patches of the images; they must be the images that were clustered. */
function checkedPatches(set: ImageSet, { patch, patches, assignments }: PatchClusters): Samples {
  if (assignments.length !== set.count * patches) {
    throw new RetortError(
      "inputs/mismatch",
      `${set.count} images with the clusters of ${assignments.length / patches}`,
    );
  }
  return allPatches(set, patch);
}

/** Trains the circuits of one position (or of all), group by group, resuming from a checkpoint. */
async function trainPosition(
  starts: readonly Circuit[],
  train: SampleSource,
  groups: ArrayLike<number>,
  params: z.output<typeof patchTrainingParams>,
  context: StageContext<GroupProgress>,
  progress: Progress,
  p: number,
  positions: number,
): Promise<Circuit> {
  const trained: Circuit[] = starts.flatMap((start, k) => progress.circuitOf(p, k, start) ?? []);
  const first = starts[0]!;
  if (trained.length < starts.length) {
    const learner = await openLearner(first, context);
    // There may be hundreds of clusters, so only a few warnings are shown, with their total number.
    let warned = 0;
    try {
      const none = { perturb: 0, stateDropout: 0, tolerance: 0, patience: undefined };
      const full = { ...params, ...none, frozen: [], shuffleBlock: 1 };
      const options = {
        ...trainingOptions(full, context.seed),
        smoothing: await smoothingOf(first, train, full),
        from: trained.length,
        between: () => context.signal.throwIfAborted(),
      };
      for await (const done of trainGroups(learner, starts, { train, groups }, options)) {
        trained.push(done.circuit);
        for (const { epoch, warnings = [] } of done.reports) {
          for (const warning of warnings) {
            if (warned++ < 5) context.log(`position ${p}, cluster ${done.group}, epoch ${epoch}: ${warning}`);
          }
        }
        progress.add(p, done.group, done);
        await context.checkpoint.offer(() => progress.state);
        context.progress(p * starts.length + done.group + 1, positions * starts.length, "clusters");
      }
      if (warned > 5) context.log(`position ${p}: ${warned} warnings in all`);
    } finally {
      await learner.close();
    }
  }
  return stack(trained);
}

/** Finished circuits, and the combined scores of all clusters by epoch. */
class Progress {
  readonly #context: StageContext<GroupProgress>;
  readonly #state: { parameters: Map<string, ParameterArray>; scores: GroupProgress["scores"][number][] };

  private constructor(context: StageContext<GroupProgress>, saved: GroupProgress | undefined) {
    this.#context = context;
    this.#state = { parameters: new Map(saved?.parameters), scores: [...saved?.scores ?? []] };
  }

  static async begin(context: StageContext<GroupProgress>): Promise<Progress> {
    const saved = await context.checkpoint.load();
    if (saved !== undefined) context.log(`going on after ${saved.scores.length} clusters`);
    return new Progress(context, saved);
  }

  get state(): GroupProgress {
    return this.#state;
  }

  /** The circuit of a finished cluster. */
  circuitOf(p: number, k: number, start: Circuit): Circuit | undefined {
    const parameters = new Map(start.parameters);
    for (const [id, parameter] of parameters) {
      const values = this.#state.parameters.get(`${p}/${k}/${id}`);
      if (values === undefined) return undefined;
      parameters.set(id, { ...parameter, values });
    }
    return { ...start, parameters };
  }

  add(
    p: number,
    k: number,
    done: { circuit: Circuit; samples: number; reports: readonly { train?: { logLikelihood: number } }[] },
  ): void {
    for (const [id, { values }] of done.circuit.parameters) {
      this.#state.parameters.set(`${p}/${k}/${id}`, values);
    }
    this.#state.scores.push({
      samples: done.samples,
      logLikelihoods: done.reports.map(({ train }) => train?.logLikelihood ?? 0),
    });
  }

  /** Reports metrics by epoch: means over all patches, each under the circuit of its own cluster. */
  tell(): void {
    const epochs = Math.max(0, ...this.#state.scores.map(({ logLikelihoods }) => logLikelihoods.length));
    for (let epoch = 0; epoch < epochs; epoch++) {
      const sum = new ScoreSum();
      for (const { samples, logLikelihoods } of this.#state.scores) {
        if (samples === 0) continue;
        sum.total += samples * logLikelihoods[epoch]!;
        sum.weight += samples;
      }
      this.#context.metric("train log-likelihood", sum.score(1).logLikelihood, epoch + 1);
    }
  }
}

/** All patches as samples: row `image * patches + patch`. */
export function allPatches(set: ImageSet, patch: number): Samples {
  const grid = patchGrid(set.space, patch), size = patchSize(grid);
  const values = patchesOf(set.pixels, grid);
  return { count: values.length / size, variables: size, values };
}

function position(rows: Samples, assignments: Int32Array, patches: number, p: number) {
  const own = Uint32Array.from({ length: rows.count / patches }, (_, image) => image * patches + p);
  return { samples: takeSamples(rows, own), groups: Int32Array.from(own, (row) => assignments[row]!) };
}

function treeOf(
  rows: Samples,
  params: z.output<typeof patchTreeParams>,
  variables: ReturnType<typeof patchVariables>,
  seed: number,
): VariableTree {
  const some = takeSamples(rows, chooseSome(rows.count, params.treeSamples, seed));
  const information = mutualInformation(variables, some, { bins: params.bins });
  return maximumSpanningTree(information, variables.length);
}
