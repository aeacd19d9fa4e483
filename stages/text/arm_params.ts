/** Parameters that the text pipelines share. */
import { z } from "zod";
import { trainingParams } from "../training_params.ts";

/** EM parameters shared by the text pipelines. */
export const emParams: {
  epochs: z.ZodDefault<z.ZodInt>;
  patience: z.ZodDefault<z.ZodInt>;
  tolerance: z.ZodDefault<z.ZodNumber>;
  budget: z.ZodDefault<z.ZodInt>;
  pseudocount: z.ZodDefault<z.ZodNumber>;
  stateDropout: z.ZodDefault<z.ZodNumber>;
  batchSize: z.ZodDefault<z.ZodInt>;
  batchesPerUpdate: z.ZodDefault<
    z.ZodUnion<readonly [z.ZodLiteral<"epoch">, z.ZodLiteral<"auto">, z.ZodInt]>
  >;
  shards: z.ZodOptional<z.ZodInt>;
  shardsPerUpdate: z.ZodOptional<z.ZodInt>;
  parts: z.ZodOptional<z.ZodInt>;
  steps: z.ZodDefault<z.ZodTuple<[z.ZodNumber, z.ZodNumber], null>>;
  shrink: z.ZodDefault<
    z.ZodEnum<{
      linear: "linear";
      falling: "falling";
    }>
  >;
} = {
  /**
   * Maximum number of epochs of EM per arm: high enough that the validation score stops training; the table marks arms
   * where it did not.
   */
  epochs: z.int().min(0).default(100),
  /** Epochs without a better validation score after which an arm stops (with a falling step: counted at its smallest). */
  patience: z.int().min(1).default(2),
  /** Minimum improvement of the validation score in nats per token: 0.001 is a thousandth of the perplexity. */
  tolerance: z.number().min(0).default(0.001),
  /** Number of epochs after which the table compares all arms. */
  budget: z.int().min(0).default(4),
  /** Pseudocount of EM: virtual tokens added to every state, distributed like the corpus's tokens. */
  pseudocount: z.number().min(0).default(20),
  /** Probability with which a hidden state is switched off for a batch of EM: see docs/large.md. Not with `shards`. */
  stateDropout: trainingParams.shape.stateDropout,
  /** Maximum number of windows in a batch. */
  batchSize: z.int().min(1).default(256),
  /** Batches per parameter update; `auto` chooses by corpus size, `epoch` is full-batch EM. */
  batchesPerUpdate: trainingParams.shape.batchesPerUpdate.unwrap().default("auto"),
  /**
   * Nodes that count an epoch, so that many machines train a model (docs/shards.md); none: one node trains it. With `shards` the
   * `batchesPerUpdate` of `auto` is an update an epoch, unless `shardsPerUpdate` says otherwise.
   */
  shards: z.int().min(1).optional(),
  /** Shards per parameter update, for mini-batches of shards; all of them, if not given. */
  shardsPerUpdate: z.int().min(1).optional(),
  /** Nodes that take the step of an update, each some rows of the parameters; one, if not given. */
  parts: z.int().min(1).optional(),
  /**
   * Step sizes of mini-batch EM: how far the first and the last update move from the old parameters towards the batch's
   * estimate.
   */
  steps: z.tuple([z.number(), z.number()]).default([0.5, 0.05]),
  /**
   * How the step size decreases: `falling` halves it after an epoch that does not improve the validation score; `linear`
   * decreases it evenly over all `epochs`.
   */
  shrink: z.enum(["falling", "linear"]).default("falling"),
};
/** Parameters of EM, with defaults filled in. */
export type EmParams = z.output<z.ZodObject<typeof emParams>>;

/** Parameters of suffix embeddings shared by the text pipelines. */
export const embeddingParams: {
  mode: z.ZodDefault<
    z.ZodEnum<{
      auto: "auto";
      suffix: "suffix";
      cumulative: "cumulative";
      masked: "masked";
    }>
  >;
  decay: z.ZodDefault<z.ZodNumber>;
  components: z.ZodDefault<z.ZodInt>;
  languageModel: z.ZodPrefault<
    z.ZodObject<{
      epochs: z.ZodDefault<z.ZodInt>;
      width: z.ZodDefault<z.ZodInt>;
      layers: z.ZodDefault<z.ZodInt>;
    }, z.core.$strict>
  >;
} = {
  /**
   * How suffixes go through the teacher: see docs/text.md. `auto` is `masked`, or `cumulative` if the graph cannot
   * restrict what a piece attends to.
   */
  mode: z.enum(["auto", "suffix", "cumulative", "masked"]).default("auto"),
  /**
   * Weight of each word of a suffix relative to the word before it. At 0 the vector is that of the suffix's first word,
   * in the context of the others; the first word is also what a hidden state must predict. docs/results.md compares
   * values.
   */
  decay: z.number().min(0).max(1).default(0),
  /** Number of principal components of the teacher's vectors kept for k-means. */
  components: z.int().min(1).default(64),
  /** The language models of the teachers `forward` and `backward`: passes over the text, numbers in a vector, layers. */
  languageModel: z.strictObject({
    epochs: z.int().min(1).default(3),
    width: z.int().min(4).multipleOf(4).default(128),
    layers: z.int().min(1).default(2),
  }).prefault({}),
};
/** Parameters of suffix embeddings, with defaults filled in. */
export type Embedding = z.output<z.ZodObject<typeof embeddingParams>>;

/** Window parameters shared by the text pipelines. */
export const corpusParams: {
  window: z.ZodDefault<z.ZodInt>;
  partial: z.ZodDefault<z.ZodEnum<{ drop: "drop"; pad: "pad" }>>;
} = {
  /** Number of tokens in a window. */
  window: z.int().min(2).default(32),
  /**
   * What to do with a training window that extends past the end of a text: omit it (`drop`), or fill it with unobserved
   * positions (`pad`), which texts shorter than a window need. Validation and test windows are always padded.
   */
  partial: z.enum(["drop", "pad"]).default("drop"),
};

/** Parameters of every pipeline that compares models of a corpus. */
export const comparisonParams: typeof emParams & typeof embeddingParams & typeof corpusParams = {
  ...emParams,
  ...embeddingParams,
  ...corpusParams,
};
