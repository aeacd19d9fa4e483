/** Parameters and the question of pipelines that distil models of images. */
import { z } from "zod";
import type { HeadlineDefinition } from "../../runner/headline.ts";

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

/** Epochs of EM. */
const epochParams = z.strictObject({
  patches: z.int().min(0).default(10),
  top: z.int().min(0).default(4),
  together: z.int().min(0).default(10),
});

/** Parameters shared by the image pipelines. */
export const distillationParams: {
  /** Side length of a patch in pixels. */
  patch: z.ZodDefault<z.ZodInt>;
  /** Numbers of patch clusters; one model is made for each. */
  clusters: z.ZodDefault<z.ZodArray<z.ZodInt>>;
  /** Number of states of the hidden variables in patch circuits. */
  latents: z.ZodDefault<z.ZodInt>;
  /** Numbers of states of the hidden variables in the baseline trees over all pixels; one model is made for each. */
  treeLatents: z.ZodDefault<z.ZodArray<z.ZodInt>>;
  /**
   * Mini-batch size in images for trees: with only a few thousand images, large batches give too few updates for EM to
   * converge.
   */
  treeBatch: z.ZodDefault<z.ZodInt>;
  /** Virtual pixels of every unit of a leaf, distributed like the position's levels; few pictures want many. */
  pseudocount: z.ZodDefault<z.ZodNumber>;
  /** Whether all positions share clusters and circuits. */
  shared: z.ZodDefault<z.ZodBoolean>;
  /** Teachers of the distilled models. */
  teachers: z.ZodDefault<
    z.ZodArray<
      z.ZodEnum<{
        autoencoder: "autoencoder";
        pixels: "pixels";
        random: "random";
      }>
    >
  >;
  /** Parameters of the masked autoencoder. */
  autoencoder: z.ZodPrefault<
    z.ZodObject<{
      width: z.ZodDefault<z.ZodInt>;
      layers: z.ZodDefault<z.ZodInt>;
      decoderWidth: z.ZodDefault<z.ZodInt>;
      decoderLayers: z.ZodDefault<z.ZodInt>;
      heads: z.ZodDefault<z.ZodInt>;
      epochs: z.ZodDefault<z.ZodInt>;
      rate: z.ZodDefault<z.ZodNumber>;
    }, z.core.$strict>
  >;
  /** Parameters of k-means. The paper uses 5 starts of 200 iterations, which gain nothing here. */
  kmeans: z.ZodPrefault<
    z.ZodObject<{
      restarts: z.ZodDefault<z.ZodInt>;
      iterations: z.ZodDefault<z.ZodInt>;
    }, z.core.$strict>
  >;
  /** Teachers whose clusters are grown in rounds, and how. */
  growth: z.ZodPrefault<
    z.ZodObject<{
      teachers: z.ZodDefault<
        z.ZodArray<
          z.ZodEnum<{
            autoencoder: "autoencoder";
            pixels: "pixels";
            random: "random";
          }>
        >
      >;
      rounds: z.ZodDefault<z.ZodInt>;
      add: z.ZodDefault<z.ZodInt>;
    }, z.core.$strict>
  >;
  /** Epochs of EM for patch circuits, for the circuit over patches, and for joint training. Baseline trees get the sum. */
  epochs: z.ZodPrefault<
    z.ZodObject<{
      patches: z.ZodDefault<z.ZodInt>;
      top: z.ZodDefault<z.ZodInt>;
      together: z.ZodDefault<z.ZodInt>;
    }, z.core.$strict>
  >;
  /** Number of repetitions that differ only in their seeds. */
  repetitions: z.ZodDefault<z.ZodInt>;
} = {
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
  /** Virtual pixels of every unit of a leaf, distributed like the position's levels; few pictures want many. */
  pseudocount: z.number().min(0).default(1),
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
  epochs: epochParams.prefault({}),
  /** Number of repetitions that differ only in their seeds. */
  repetitions: z.int().min(1).default(1),
};

/** The same parameters, for a few hundred small pictures: all of it ends in about two minutes on two cores. */
export const smallDistillationParams: typeof distillationParams = {
  ...distillationParams,
  clusters: distillationParams.clusters.unwrap().default([16]),
  latents: distillationParams.latents.unwrap().default(4),
  treeLatents: distillationParams.treeLatents.unwrap().default([4]),
  treeBatch: distillationParams.treeBatch.unwrap().default(64),
  pseudocount: distillationParams.pseudocount.unwrap().default(60),
  teachers: distillationParams.teachers.unwrap().default(["autoencoder", "pixels"]),
  autoencoder: autoencoderParams.prefault({
    width: 64,
    layers: 3,
    decoderWidth: 64,
    decoderLayers: 1,
    heads: 4,
    epochs: 60,
    rate: 2e-3,
  }),
  epochs: epochParams.prefault({ together: 30 }),
};

/** Parameters of EM that goes on until the validation images end it. */
export const convergenceParams: z.ZodObject<{
  epochs: z.ZodDefault<z.ZodInt>;
  patience: z.ZodDefault<z.ZodInt>;
  tolerance: z.ZodDefault<z.ZodNumber>;
  steps: z.ZodDefault<z.ZodTuple<[z.ZodNumber, z.ZodNumber], null>>;
}, z.core.$strict> = z.strictObject({
  /** Most epochs of a training, so many that the validation images end it before; the table marks trainings where they did not. */
  epochs: z.int().min(1).default(200),
  /** Epochs at the smallest step without a better validation score after which a training stops. */
  patience: z.int().min(1).default(2),
  /** Bits per dimension by which a validation score must be better to count as better. */
  tolerance: z.number().min(0).default(0.0005),
  /** The first step of mini-batch EM and the smallest: it is halved after an epoch without a better validation score. */
  steps: z.tuple([z.number(), z.number()]).default([0.4, 0.02]),
});

/**
 * The same parameters for experiments on whole data sets, for a machine with a GPU or dozens of cores: every arm goes on until the
 * validation images end it, beside controls, under three seeds.
 */
export const recordParams: typeof distillationParams & { converge: z.ZodPrefault<typeof convergenceParams> } =
  {
    ...distillationParams,
    clusters: distillationParams.clusters.unwrap().default([256, 64]),
    latents: distillationParams.latents.unwrap().default(32),
    treeLatents: distillationParams.treeLatents.unwrap().default([32, 64]),
    repetitions: distillationParams.repetitions.unwrap().default(3),
    /** When the validation images end EM. */
    converge: convergenceParams.prefault({}),
  };

/** Parsed parameters of the image pipelines. */
export type DistillationParams = z.output<z.ZodObject<typeof distillationParams>> & {
  /**
   * Lets the validation images end the EM of trees, of circuits over patches, and of all levels together. `epochs` then says how long
   * patch circuits are trained, and its sum is the number of epochs after which the table compares all arms.
   */
  readonly converge?: z.output<typeof convergenceParams> | undefined;
};

/**
 * The headline question of image pipelines and where its answer is found: the first teacher's model with the first number of clusters
 * against the last tree or, where there are no trees, the last teacher's.
 *
 * @param metric what is measured, in words.
 */
export function imageHeadline(
  { teachers, clusters, latents, treeLatents }: DistillationParams,
  metric = "bits per dimension of test images",
): HeadlineDefinition {
  const distilled = (teacher: string | undefined) =>
    `distilled from ${teacher}, ${clusters[0]} clusters of ${latents} latents`;
  const tree = treeLatents.at(-1);
  return {
    metric,
    direction: "lower",
    decimals: 3,
    subject: distilled(teachers[0]),
    baseline: tree === undefined ? distilled(teachers.at(-1)) : `hidden Chow-Liu tree, ${tree} latents`,
    values: [{
      output: "table",
      rows: "rows",
      value: "figure.bits",
      arm: "{arm}, {setting}",
      converged: "converged",
    }],
  };
}
