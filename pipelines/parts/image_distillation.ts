/** Shared by the image pipelines: the arms of a comparison. */
import { z } from "zod";
import type { HeadlineDefinition, matrixShards, Ref } from "retort";
import { anemone, type circuit, trainEm, type trainingLog } from "retort/stages";
import {
  assembleModel,
  autoencoderPatchFeatures,
  clusterPatches,
  controlFeatures,
  evaluatePatchModel,
  evaluatePixelCircuit,
  growClusters,
  imageCharts,
  type images,
  imageSamples,
  type imageScore,
  type patchCircuits,
  type patchClusters,
  type patchModel,
  patchTree,
  patchVectors,
  pixelTree,
  showCircuitInpainting,
  showCircuitSamples,
  showClusters,
  showModelInpainting,
  showModelSamples,
  tabulateImages,
  trainAutoencoder,
  trainGrownCircuits,
  trainPatchCircuits,
  trainPatches,
} from "retort/stages/images";

/** Training, validation and test images of an experiment. */
export interface ImageSplits {
  readonly train: Ref<typeof images>;
  readonly valid: Ref<typeof images>;
  readonly test: Ref<typeof images>;
}

/** Teachers that decide which patches are alike. */
const teacherName = z.enum(["autoencoder", "pixels", "random"]);

/** A short training run of a masked autoencoder: the paper's encoder, a small decoder, a larger learning rate. */
const autoencoderParams = z.strictObject({
  width: z.int().min(1).default(256),
  layers: z.int().min(1).default(6),
  decoderWidth: z.int().min(1).default(128),
  decoderLayers: z.int().min(1).default(2),
  heads: z.int().min(1).default(8),
  epochs: z.int().min(1).default(12),
  rate: z.number().positive().default(1e-3),
});

/** Parameters shared by the image pipelines. */
export const distillationParams = {
  /** Side length of a patch in pixels. */
  patch: z.int().min(1).default(4),
  /** Numbers of patch clusters; one model is made for each. */
  clusters: z.array(z.int().min(1)).min(1).default([64]),
  /** Number of states of the hidden variables in patch circuits. */
  latents: z.int().min(1).default(16),
  /** Numbers of states of the hidden variables in the baseline trees over all pixels; one model is made for each. */
  treeLatents: z.array(z.int().min(1)).default([16, 32]),
  /**
   * Mini-batch size in images for trees: with only a few thousand images, large batches give too few updates for EM to
   * converge.
   */
  treeBatch: z.int().min(1).default(256),
  /** Whether all positions share clusters and circuits. */
  shared: z.boolean().default(true),
  /** Teachers of the distilled models. */
  teachers: z.array(teacherName).default(["autoencoder", "pixels", "random"]),
  /** Parameters of the masked autoencoder. */
  autoencoder: autoencoderParams.prefault({}),
  /** Parameters of k-means. The paper uses 5 starts of 200 iterations, which gain nothing here. */
  kmeans: z.strictObject({
    restarts: z.int().min(1).default(2),
    iterations: z.int().min(1).default(40),
  }).prefault({}),
  /** Teachers whose clusters are grown in rounds, and how. */
  growth: z.strictObject({
    teachers: z.array(teacherName).default([]),
    rounds: z.int().min(1).default(2),
    /** Number of clusters added per round. */
    add: z.int().min(1).default(16),
  }).prefault({}),
  /** Epochs of EM for patch circuits, for the circuit over patches, and for joint training. Baseline trees get the sum. */
  epochs: z.strictObject({
    patches: z.int().min(0).default(10),
    top: z.int().min(0).default(4),
    together: z.int().min(0).default(10),
  }).prefault({}),
  /** Number of repetitions that differ only in their seeds. */
  repetitions: z.int().min(1).default(1),
};

/** Parsed parameters of the image pipelines. */
export type DistillationParams = z.output<z.ZodObject<typeof distillationParams>>;

/**
 * The headline question of image pipelines and where its answer is found: the first teacher's model against the largest
 * tree.
 */
export function imageHeadline(
  { teachers, clusters, latents, treeLatents }: DistillationParams,
): HeadlineDefinition {
  return {
    metric: "bits per dimension of test images",
    direction: "lower",
    decimals: 3,
    subject: `distilled from ${teachers[0]}, ${clusters[0]} clusters of ${latents} latents`,
    baseline: `hidden Chow-Liu tree, ${treeLatents.at(-1)} latents`,
    values: [{
      output: "table",
      rows: "rows",
      value: "figure.bits",
      arm: "{arm}, {setting}",
      converged: "converged",
    }],
  };
}

/** Smoothing of all learned parameters; the levels of a pixel are smoothed towards their overall frequencies. */
const smoothing = { pseudocount: { sums: 0.1, leaves: 1 }, leafBase: "marginal" } as const;

/** Mini-batch EM with a decreasing step size. */
function imageEm(epochs: number, batchSize: number) {
  return {
    ...smoothing,
    epochs,
    batchSize,
    batchesPerUpdate: 1,
    step: anemone(0.4, 0.02),
  };
}

/**
 * Number of images used to learn the structure of a tree over all pixels: 3,072 variables have 4.7 million pairs, each
 * counted on every image.
 */
const TREE_SAMPLES = 4_000;

/**
 * Naming of a node. Only repetitions after the first have a name, so the seeds of the first do not depend on their
 * number.
 */
interface Called {
  readonly name?: string;
  readonly arm: string;
  readonly setting: string;
}

function named(name: string, repetition: number, arm: string, setting: string): Called {
  return { arm, setting, ...(repetition === 0 ? {} : { name: `${name}.${repetition}` }) };
}

/** A hidden Chow-Liu tree over all pixels, trained for the total number of epochs of a distilled model. */
export function treeArm(splits: ImageSplits, params: DistillationParams, latents: number, repetition = 0) {
  const { patches, top, together } = params.epochs;
  const at = (stage: string) =>
    named(`${stage}@tree=${latents}`, repetition, "hidden Chow-Liu tree", `${latents} latents`);
  const start: Ref<typeof circuit> =
    pixelTree({ images: splits.train }, { latents, treeSamples: TREE_SAMPLES }, at("images.pixel-tree"))
      .circuit;
  const { circuit: model, log } = trainEm(
    {
      circuit: start,
      train: imageSamples({ images: splits.train }).samples,
      valid: imageSamples({ images: splits.valid }).samples,
    },
    imageEm(patches + top + together, params.treeBatch),
    at("train.em"),
  );
  return {
    model,
    log,
    score:
      evaluatePixelCircuit({ circuit: model, images: splits.test }, {}, at("images.evaluate-circuit")).score,
  };
}

/** A teacher's feature vectors for the patches of the training images. */
function featuresOf(
  splits: ImageSplits,
  params: DistillationParams,
  teacher: DistillationParams["teachers"][number],
): Ref<typeof matrixShards> {
  const { patch } = params;
  if (teacher !== "autoencoder") {
    return controlFeatures({ images: splits.train }, { patch, teacher }).features;
  }
  return autoencoderPatchFeatures(
    { images: splits.train, teacher: autoencoderOf(splits, params).teacher },
    { centred: params.shared },
  ).features;
}

/** The masked autoencoder of an experiment. Repeated calls give the same node. */
function autoencoderOf({ train, valid }: ImageSplits, { patch, autoencoder }: DistillationParams) {
  const { width, layers, decoderWidth, decoderLayers, heads, epochs, rate } = autoencoder;
  return trainAutoencoder({ train, valid }, {
    patch,
    epochs,
    rate,
    encoder: { width, layers, heads, hidden: 2 * width },
    decoder: { width: decoderWidth, layers: decoderLayers, heads, hidden: 2 * decoderWidth },
  });
}

/**
 * A model distilled from a teacher: patch circuits trained by cluster, then the circuit over patches, then all levels
 * jointly.
 */
export function distilledImageArm(
  splits: ImageSplits,
  params: DistillationParams,
  teacher: DistillationParams["teachers"][number],
  clusters: number,
  repetition = 0,
) {
  const { patch, shared, latents, epochs } = params;
  const setting = `${clusters} clusters of ${latents} latents`;
  const at = (stage: string) =>
    named(`${stage}@${teacher},${clusters}`, repetition, `distilled from ${teacher}`, setting);
  const grouped = clusterPatches(
    { images: splits.train, features: featuresOf(splits, params, teacher) },
    { ...params.kmeans, patch, clusters, shared },
    at("images.cluster-patches"),
  );
  const { circuits } = trainPatchCircuits(
    { images: splits.train, clusters: grouped.clusters },
    { ...patchEm(epochs.patches), latents },
    at("images.train-patch-circuits"),
  );
  return joined(splits, params, grouped.clusters, circuits, at);
}

/**
 * A model distilled from a teacher with grown clusters: starts with half of them and adds the rest in rounds of pruning,
 * copying, reassigning and splitting. The rounds share the epochs of the patch circuits.
 */
export function grownArm(
  splits: ImageSplits,
  params: DistillationParams,
  teacher: DistillationParams["teachers"][number],
  clusters: number,
  repetition = 0,
) {
  const { patch, latents, epochs, growth } = params;
  const setting = `${clusters} clusters of ${latents} latents`;
  const at = (stage: string) =>
    named(`${stage}@${teacher},${clusters},grown`, repetition, `grown from ${teacher}`, setting);
  const features = featuresOf(splits, params, teacher);
  const first = Math.max(1, clusters - growth.rounds * growth.add);
  const { clusters: start } = clusterPatches(
    { images: splits.train, features },
    { ...params.kmeans, patch, clusters: first },
    at("images.cluster-patches"),
  );
  const em = patchEm(Math.max(1, Math.floor(epochs.patches / (growth.rounds + 1))));
  let now = {
    clusters: start,
    circuits: trainPatchCircuits(
      { images: splits.train, clusters: start },
      { ...em, latents },
      at("images.train-patch-circuits"),
    ).circuits,
  };
  for (let round = 1; round <= growth.rounds; round++) {
    const grown = growClusters(
      { images: splits.train, features, ...now },
      { add: growth.add },
      at(`images.grow-clusters.${round}`),
    );
    const { circuits } = trainGrownCircuits(
      { images: splits.train, ...grown },
      em,
      at(`images.train-grown-circuits.${round}`),
    );
    now = { clusters: grown.clusters, circuits };
  }
  return joined(splits, params, now.clusters, now.circuits, at);
}

/** Trains the circuit over patches, first alone and then jointly with all levels. */
function joined(
  splits: ImageSplits,
  params: DistillationParams,
  clusters: Ref<typeof patchClusters>,
  circuits: Ref<typeof patchCircuits>,
  at: (stage: string) => Called,
) {
  const { epochs } = params;
  const start = patchTree({ clusters }, {}, at("images.patch-tree")).circuit;
  const vectors = (images: ImageSplits["train"]) => patchVectors({ images, circuits }).vectors;
  const { circuit: top, log: topLog } = trainEm(
    {
      circuit: start,
      train: vectors(splits.train),
      valid: vectors(splits.valid),
    },
    { ...imageEm(epochs.top, 256), pseudocount: { sums: 0.1 }, leafBase: "uniform" },
    at("train.em"),
  );
  const apart: Ref<typeof patchModel> = assembleModel({ circuits, top }).model;
  const { model, log } = trainPatches(
    { model: apart, train: splits.train, valid: splits.valid },
    imageEm(epochs.together, 256),
    at("images.train-patches"),
  );
  const score = (of: Ref<typeof patchModel>, name: string) =>
    evaluatePatchModel({ model: of, images: splits.test }, {}, at(`images.evaluate-model.${name}`)).score;
  return {
    model,
    log,
    topLog,
    apart: score(apart, "apart"),
    score: score(model, "together"),
    clusters: showClusters({ images: splits.train, clusters, circuits }).pictures,
  };
}

/** Mini-batch EM of patch circuits on the patches of their clusters. */
function patchEm(epochs: number) {
  return imageEm(epochs, 512);
}

/** All arms on the same images, their results table, and sheets of samples from the best model of each kind. */
export function compareImageArms(splits: ImageSplits, params: DistillationParams) {
  const scores: Ref<typeof imageScore>[] = [], logs: Ref<typeof trainingLog>[] = [];
  const rows: { arm: string; setting: string }[] = [];
  const add = (
    arm: string,
    setting: string,
    score: Ref<typeof imageScore>,
    log: Ref<typeof trainingLog>,
  ) => {
    rows.push({ arm, setting });
    scores.push(score);
    logs.push(log);
  };
  const repetitions = Array.from({ length: params.repetitions }, (_, r) => r);
  const trees = params.treeLatents.flatMap((latents) =>
    repetitions.map((r) => {
      const arm = treeArm(splits, params, latents, r);
      add("hidden Chow-Liu tree", `${latents} latents`, arm.score, arm.log);
      return arm;
    })
  );
  const distilled = params.teachers.flatMap((teacher) =>
    params.clusters.flatMap((clusters) =>
      repetitions.map((r) => {
        const arm = distilledImageArm(splits, params, teacher, clusters, r);
        const setting = `${clusters} clusters of ${params.latents} latents`;
        add(`distilled from ${teacher}, before joint EM`, setting, arm.apart, arm.topLog);
        add(`distilled from ${teacher}`, setting, arm.score, arm.log);
        return arm;
      })
    )
  );
  for (const teacher of params.growth.teachers) {
    for (const clusters of params.clusters) {
      for (const r of repetitions) {
        const { apart, score, topLog, log } = grownArm(splits, params, teacher, clusters, r);
        const setting = `${clusters} clusters of ${params.latents} latents`;
        add(`grown from ${teacher}, before joint EM`, setting, apart, topLog);
        add(`grown from ${teacher}`, setting, score, log);
      }
    }
  }
  const tree = trees.at(-1), model = distilled[0];
  const { table } = tabulateImages({ scores, logs }, { rows });
  return {
    table,
    charts: imageCharts({ table }, {}).charts,
    ...(params.teachers.includes("autoencoder") &&
      { reconstructions: autoencoderOf(splits, params).pictures }),
    ...(tree && {
      treeSamples: showCircuitSamples({ circuit: tree.model, images: splits.test }).pictures,
      treeInpainting: showCircuitInpainting({ circuit: tree.model, images: splits.test }).pictures,
    }),
    ...(model && {
      samples: showModelSamples({ model: model.model }).pictures,
      inpainting: showModelInpainting({ model: model.model, images: splits.test }).pictures,
      clusters: model.clusters,
    }),
  };
}
