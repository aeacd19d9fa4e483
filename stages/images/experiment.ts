/** Shared by the image pipelines: the arms of a comparison. */
import type { z } from "zod";
import type { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import type { Ref } from "../../runner/stage.ts";
import type { charts } from "../charts/codec.ts";
import type { circuit } from "../codecs/circuit.ts";
import type { trainingLog } from "../codecs/score.ts";
import { trainEm } from "../train_em.ts";
import { assembleModel } from "./assemble_patches.ts";
import { autoencoderPatchFeatures } from "./autoencoder_features.ts";
import { clusterPatches } from "./cluster_patches.ts";
import type { images, pictures } from "./codecs.ts";
import { evaluatePatchModel, evaluatePixelCircuit, type imageScore } from "./evaluate_images.ts";
import { growClusters } from "./grow_clusters.ts";
import { imageCharts } from "./image_chart.ts";
import { patchEm, validatedEm } from "./image_em.ts";
import { imageSamples } from "./image_samples.ts";
import { type imageTable, tabulateImages } from "./image_table.ts";
import { loadPictures, pictureParams } from "./load_pictures.ts";
import type { patchCircuits, patchClusters, patchModel } from "./patch_codecs.ts";
import type { DistillationParams } from "./experiment_params.ts";
import { controlFeatures } from "./patch_features.ts";
import { patchTree } from "./patch_tree.ts";
import { patchVectors } from "./patch_vectors.ts";
import { pictureFiles } from "./picture_files.ts";
import { pixelTree } from "./pixel_tree.ts";
import { showClusters } from "./show_clusters.ts";
import {
  showCircuitInpainting,
  showCircuitSamples,
  showModelInpainting,
  showModelSamples,
} from "./show_images.ts";
import { trainAutoencoder } from "./train_autoencoder.ts";
import { trainGrownCircuits, trainPatchCircuits } from "./train_patch_circuits.ts";
import { trainPatches } from "./train_patches.ts";

/** Training, validation and test images of an experiment. */
export interface ImageSplits {
  /** Images to learn from. */
  readonly train: Ref<typeof images>;
  /** Images that choose. */
  readonly valid: Ref<typeof images>;
  /** Images that are scored. */
  readonly test: Ref<typeof images>;
  /** Numbers of an image, which a tolerance in bits per dimension is about. */
  readonly dimensions?: number;
  /** Tells these images from others of the same pipeline. */
  readonly label?: string;
}

/** The pictures of a folder, by the parameters of {@link loadPictures}, and some of them to look at. */
export function picturesAt(path: string, params: z.output<z.ZodObject<typeof pictureParams>>): {
  pictures: Ref<typeof pictures>;
  splits: ImageSplits;
} {
  const { most, ...others } = params;
  const given = Object.fromEntries(
    Object.entries(others).filter(([name]) => name in pictureParams),
  ) as Omit<typeof params, "most">;
  const { pictures: shown, ...splits } = loadPictures(
    { files: pictureFiles({}, { path }).files },
    { ...given, ...(most !== undefined && { most }) },
  );
  return { pictures: shown, splits };
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

function named(
  { label }: ImageSplits,
  name: string,
  repetition: number,
  arm: string,
  setting: string,
): Called {
  const own = label === undefined ? name : `${name},${label}`;
  return { arm, setting, ...(repetition === 0 ? {} : { name: `${own}.${repetition}` }) };
}

/** A hidden Chow-Liu tree over all pixels, trained for the total number of epochs of a distilled model or until validation images end it. */
export function treeArm(splits: ImageSplits, params: DistillationParams, latents: number, repetition = 0): {
  model: Ref<typeof circuit>;
  log: Ref<typeof trainingLog>;
  score: Ref<typeof imageScore>;
} {
  const { patches, top, together } = params.epochs;
  const at = (stage: string) =>
    named(splits, `${stage}@tree=${latents}`, repetition, "hidden Chow-Liu tree", `${latents} latents`);
  const start: Ref<typeof circuit> = pixelTree(
    { images: splits.train },
    { latents, treeSamples: TREE_SAMPLES },
    at("images.pixel-tree"),
  )
    .circuit;
  const { circuit: model, log } = trainEm(
    {
      circuit: start,
      train: imageSamples({ images: splits.train }).samples,
      valid: imageSamples({ images: splits.valid }).samples,
    },
    validatedEm(splits, params, patches + top + together, params.treeBatch),
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

/** A distilled model, the course of its trainings, and its score before and after all levels were trained together. */
export interface DistilledImageArm {
  /** The model. */
  readonly model: Ref<typeof patchModel>;
  /** The training of all levels together. */
  readonly log: Ref<typeof trainingLog>;
  /** The training of the circuit over patches. */
  readonly topLog: Ref<typeof trainingLog>;
  /** The score before all levels were trained together. */
  readonly apart: Ref<typeof imageScore>;
  /** The score of the model. */
  readonly score: Ref<typeof imageScore>;
  /** Patches of each cluster. */
  readonly clusters: Ref<typeof pictures>;
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
): DistilledImageArm {
  const { patch, shared, latents, epochs } = params;
  const setting = `${clusters} clusters of ${latents} latents`;
  const at = (stage: string) =>
    named(splits, `${stage}@${teacher},${clusters}`, repetition, `distilled from ${teacher}`, setting);
  const grouped = clusterPatches(
    { images: splits.train, features: featuresOf(splits, params, teacher) },
    { ...params.kmeans, patch, clusters, shared },
    at("images.cluster-patches"),
  );
  const { circuits } = trainPatchCircuits(
    { images: splits.train, clusters: grouped.clusters },
    { ...patchEm(params, epochs.patches), latents },
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
): DistilledImageArm {
  const { patch, latents, growth } = params;
  const setting = `${clusters} clusters of ${latents} latents`;
  const at = (stage: string) =>
    named(splits, `${stage}@${teacher},${clusters},grown`, repetition, `grown from ${teacher}`, setting);
  const features = featuresOf(splits, params, teacher);
  const first = Math.max(1, clusters - growth.rounds * growth.add);
  const { clusters: start } = clusterPatches(
    { images: splits.train, features },
    { ...params.kmeans, patch, clusters: first },
    at("images.cluster-patches"),
  );
  const em = patchEm(params, epochsARound(params));
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

/** Epochs of the patch circuits in each round of growing, and before the first. */
function epochsARound({ epochs, growth }: DistillationParams): number {
  return Math.max(1, Math.floor(epochs.patches / (growth.rounds + 1)));
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
    { ...validatedEm(splits, params, epochs.top, 256), pseudocount: { sums: 0.1 }, leafBase: "uniform" },
    at("train.em"),
  );
  const apart: Ref<typeof patchModel> = assembleModel({ circuits, top }).model;
  const { model, log } = trainPatches(
    { model: apart, train: splits.train, valid: splits.valid },
    validatedEm(splits, params, epochs.together, 256),
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

/** All arms on the same images, their results table, and the first distilled model and the largest tree with sheets of what they draw. */
export function compareImageArms(splits: ImageSplits, params: DistillationParams): {
  model?: Ref<typeof patchModel>;
  tree?: Ref<typeof circuit>;
  samples?: Ref<typeof pictures>;
  inpainting?: Ref<typeof pictures>;
  clusters?: Ref<typeof pictures>;
  treeSamples?: Ref<typeof pictures>;
  treeInpainting?: Ref<typeof pictures>;
  reconstructions?: Ref<typeof pictures>;
  table: Ref<typeof imageTable>;
  charts: Ref<typeof charts>;
} {
  const scores: Ref<typeof imageScore>[] = [], logs: Ref<typeof trainingLog>[] = [];
  const rows: { arm: string; setting: string; before?: number; after?: number }[] = [];
  const add = (
    arm: string,
    setting: string,
    score: Ref<typeof imageScore>,
    log: Ref<typeof trainingLog>,
    earlier: { before?: number; after?: number } = {},
  ) => {
    rows.push({ arm, setting, ...(params.converge && earlier) });
    scores.push(score);
    logs.push(log);
  };
  const { patches, top, together } = params.epochs;
  const addDistilled = (arm: string, clusters: number, made: DistilledImageArm, before = patches) => {
    const setting = `${clusters} clusters of ${params.latents} latents`;
    add(`${arm}, before joint EM`, setting, made.apart, made.topLog, { before });
    add(arm, setting, made.score, made.log, { after: rows.length - 1 });
    return made;
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
      repetitions.map((r) =>
        addDistilled(
          `distilled from ${teacher}`,
          clusters,
          distilledImageArm(splits, params, teacher, clusters, r),
        )
      )
    )
  );
  for (const teacher of params.growth.teachers) {
    for (const clusters of params.clusters) {
      for (const r of repetitions) {
        const arm = grownArm(splits, params, teacher, clusters, r);
        addDistilled(
          `grown from ${teacher}`,
          clusters,
          arm,
          (params.growth.rounds + 1) * epochsARound(params),
        );
      }
    }
  }
  const tree = trees.at(-1), model = distilled[0];
  const { table } = tabulateImages({ scores, logs }, {
    rows,
    ...(params.converge && { budget: patches + top + together }),
  });
  return {
    table,
    charts: imageCharts({ table }, {}).charts,
    ...(params.teachers.includes("autoencoder") &&
      { reconstructions: autoencoderOf(splits, params).pictures }),
    ...(tree && {
      tree: tree.model,
      treeSamples: showCircuitSamples({ circuit: tree.model, images: splits.test }).pictures,
      treeInpainting: showCircuitInpainting({ circuit: tree.model, images: splits.test }).pictures,
    }),
    ...(model && {
      model: model.model,
      samples: showModelSamples({ model: model.model }).pictures,
      inpainting: showModelInpainting({ model: model.model, images: splits.test }).pictures,
      clusters: model.clusters,
    }),
  };
}
