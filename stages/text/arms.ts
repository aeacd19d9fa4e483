/** Shared by the text pipelines: a corpus in windows, teachers, and the arms that compare HMMs. */
import { z } from "zod";
import type { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import type { HeadlineDefinition } from "../../runner/headline.ts";
import type { Ref } from "../../runner/stage.ts";
import { clusterVectors } from "../clusters/kmeans.ts";
import { fitPca, projectPca } from "../clusters/pca.ts";
import type { languageScore } from "../codecs.ts";
import type { circuit } from "../codecs/circuit.ts";
import type { trainingLog } from "../codecs/score.ts";
import { evaluateBigram } from "../evaluate_bigram.ts";
import { evaluateKneserNey } from "../evaluate_kneser_ney.ts";
import { fitBigram } from "../fit_bigram.ts";
import { anemone, trainingParams } from "../training_params.ts";
import type { tokens, vocabulary, windows } from "./codecs.ts";
import { type clusterTable, describeClusters } from "./describe_clusters.ts";
import { embedRandom, embedStatic, embedSuffixes } from "./embed.ts";
import { evaluateText } from "./evaluate_text.ts";
import { languageResults } from "./language_table.ts";
import { clustersFor, materialiseHmm } from "./materialise_hmm.ts";
import { randomHmm } from "./random_hmm.ts";
import { smoothText } from "./smooth_text.ts";
import type { teacher } from "./teachers.ts";
import { trainText } from "./train_text.ts";
import { layWindows } from "./windows.ts";
import { wordVectors } from "./word_vectors.ts";
import type { Codec } from "../../runner/codec.ts";

/** Tokens of a corpus's training, validation and test splits. */
export interface TextTokens {
  readonly vocabulary: Ref<typeof vocabulary>;
  readonly train: Ref<typeof tokens>;
  readonly valid: Ref<typeof tokens>;
  readonly test: Ref<typeof tokens>;
}

/** A corpus with its windows. Windows do not overlap, and every validation and test token is in exactly one. */
export interface Corpus {
  readonly tokens: TextTokens;
  readonly length: number;
  readonly windows: {
    readonly train: Ref<typeof windows>;
    readonly valid: Ref<typeof windows>;
    readonly test: Ref<typeof windows>;
  };
}

/** EM parameters shared by the text pipelines. */
export const emParams: {
  epochs: z.ZodDefault<z.ZodInt>;
  patience: z.ZodDefault<z.ZodInt>;
  tolerance: z.ZodDefault<z.ZodNumber>;
  budget: z.ZodDefault<z.ZodInt>;
  pseudocount: z.ZodDefault<z.ZodNumber>;
  batchSize: z.ZodDefault<z.ZodInt>;
  batchesPerUpdate: z.ZodDefault<
    z.ZodUnion<readonly [z.ZodLiteral<"epoch">, z.ZodLiteral<"auto">, z.ZodInt]>
  >;
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
  /** Maximum number of windows in a batch. */
  batchSize: z.int().min(1).default(256),
  /** Batches per parameter update; `auto` chooses by corpus size, `epoch` is full-batch EM. */
  batchesPerUpdate: trainingParams.shape.batchesPerUpdate.unwrap().default("auto"),
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
type EmParams = z.output<z.ZodObject<typeof emParams>>;

/** Parameters of suffix embeddings shared by the text pipelines. */
const embeddingParams: {
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
};
type Embedding = z.output<z.ZodObject<typeof embeddingParams>>;

/** Window parameters shared by the text pipelines. */
const corpusParams: {
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

/** A trained model with what the results table needs to know about it. */
export interface Arm {
  readonly row: { readonly arm: string; readonly states: number; readonly seed: number };
  readonly circuit: Ref<typeof circuit>;
  readonly log: Ref<typeof trainingLog>;
  readonly valid: Ref<typeof languageScore>;
  readonly test: Ref<typeof languageScore>;
}

/** A distilled model with the clusters of suffixes that its hidden states were initialised from. */
export interface DistilledArm extends Arm {
  readonly clusters: Ref<typeof clusterTable>;
}

/**
 * The headline question of text pipelines and where its answer is found.
 *
 * @param subject name of the distilled arm the question is about.
 */
export function textHeadline(subject: string): HeadlineDefinition {
  return {
    metric: "test perplexity",
    direction: "lower",
    decimals: 1,
    subject,
    baseline: "random",
    arms: {
      transformer: "distilled from a transformer",
      static: "distilled from static word vectors",
      noise: "distilled from noise",
      random: "random start",
    },
    values: [
      {
        output: "table",
        rows: "rows",
        value: "test",
        arm: "{arm}",
        setting: "{states} hidden states",
        converged: "converged",
      },
      { output: "table", rows: "floors", value: "test", arm: "{model}", reference: true },
    ],
  };
}

/** Windows over the splits of a corpus. */
export function corpusOf(tokens: TextTokens, length: number, partial: "drop" | "pad"): Corpus {
  const { vocabulary } = tokens;
  const lay = (split: "train" | "valid" | "test", partial: "drop" | "pad") =>
    layWindows({ tokens: tokens[split], vocabulary }, { length, partial }, { name: `windows.${split}` })
      .windows;
  return {
    tokens,
    length,
    windows: { train: lay("train", partial), valid: lay("valid", "pad"), test: lay("test", "pad") },
  };
}

/**
 * Vectors of all suffixes of the training windows, projected onto at most `components` principal components. They come
 * from a transformer or from a teacher that needs none: `static` (word vectors) or `noise`.
 */
export function suffixVectors(
  corpus: Corpus,
  name: string,
  model: Ref<typeof teacher> | undefined,
  options: Embedding,
): Ref<typeof matrixShards> {
  const { tokens: { vocabulary, train: tokens }, windows: { train: windows } } = corpus;
  // Noise has no principal directions worth finding.
  if (name === "noise") return embedRandom({ tokens, windows }, {}).vectors;
  const { vectors } = model === undefined
    ? embedStatic({
      words: wordVectors({ tokens, vocabulary }, { width: options.components }).words,
      tokens,
      windows,
    }, {})
    : embedSuffixes({ teacher: model, tokens, windows, vocabulary }, {
      mode: options.mode !== "auto" ? options.mode : name === "transformer" ? "masked" : "cumulative",
      decay: options.decay,
    });
  if (model === undefined) return vectors;
  const { axes } = fitPca({ vectors }, { components: options.components });
  return projectPca({ vectors, axes }, { precision: "f2" }).vectors;
}

/** An HMM initialised at random, then trained by EM. */
export function randomArm(corpus: Corpus, states: number, seed: number, em: EmParams): Arm {
  const start = randomHmm({ vocabulary: corpus.tokens.vocabulary }, { states, length: corpus.length }, {
    ...called({ arm: "random", states }),
    name: `start random@${states}, seed ${seed}`,
  });
  return finish(corpus, start.circuit, { arm: "random", states, seed }, em);
}

/** An HMM initialised from clusters of a teacher's vectors (latent variable distillation), then trained by EM. */
export function distilledArm(
  corpus: Corpus,
  vectors: Ref<typeof matrixShards>,
  arm: string,
  states: number,
  seed: number,
  options: { readonly iterations: number; readonly em: EmParams },
): DistilledArm {
  const { tokens: { vocabulary, train: tokens }, windows: { train: windows } } = corpus;
  const { labels, centroids } = clusterVectors({ vectors }, {
    clusters: clustersFor(states),
    iterations: options.iterations,
    zeros: "skip",
  }, { ...called({ arm, states }), name: `clusters ${arm}@${states}, seed ${seed}` });
  const start = materialiseHmm(
    { tokens, windows, vocabulary, labels },
    { emission: options.em.pseudocount },
    { ...called({ arm, states }), name: `start ${arm}@${states}, seed ${seed}` },
  );
  const { table } = describeClusters({ vectors, labels, centroids, tokens, windows, vocabulary }, {}, {
    ...called({ arm, states }),
    name: `describe ${arm}@${states}, seed ${seed}`,
  });
  return { ...finish(corpus, start.circuit, { arm, states, seed }, options.em), clusters: table };
}

/** Display label of an arm's nodes. */
function called({ arm, states }: Omit<Arm["row"], "seed">) {
  return { arm, setting: `${states} hidden states` };
}

/** An arm that starts from a given circuit: trained by EM, smoothed and scored. */
export function finish(
  corpus: Corpus,
  start: Ref<typeof circuit>,
  row: Arm["row"],
  em: EmParams & { readonly virtual?: { readonly sums: number; readonly backoff: number } },
): Arm {
  const { tokens: { train, valid }, windows } = corpus;
  const name = `${row.arm}@${row.states}, seed ${row.seed}`;
  const data = { train, trainWindows: windows.train, valid, validWindows: windows.valid };
  const { batchSize, batchesPerUpdate, steps: [from, to] } = em;
  const miniBatches = em.shrink === "linear"
    ? anemone(from, to)
    : { kind: "anemone", step: { from, to } } as const;
  const trained = trainText({ circuit: start, ...data }, {
    epochs: em.epochs,
    patience: em.patience,
    tolerance: em.tolerance * corpus.length,
    batchSize,
    batchesPerUpdate,
    step: batchesPerUpdate === "epoch" ? { kind: "em" } : miniBatches,
    pseudocount: { sums: 0.1, ...em.virtual, leaves: em.pseudocount },
    leafBase: "marginal",
  }, { ...called(row), name: `em ${name}` });
  const smooth = smoothText({ circuit: trained.circuit, ...data }, { batchSize }, {
    ...called(row),
    name: `smooth ${name}`,
  });
  const score = (split: "valid" | "test") =>
    evaluateText({ circuit: smooth.circuit, tokens: corpus.tokens[split], windows: windows[split] }, {
      batchSize,
    }, {
      ...called(row),
      name: `${split} ${name}`,
    }).score;
  return { row, circuit: smooth.circuit, log: trained.log, valid: score("valid"), test: score("test") };
}

/** Candidate weights for interpolating the bigram with the unigram; the validation text chooses one. */
const BIGRAM_WEIGHTS = [0.5, 0.6, 0.7, 0.8, 0.9];

/** Longest n-grams of the Kneser-Ney models that every table shows. */
const KNESER_NEY_ORDERS = [2, 3, 5];

/**
 * The results table of all arms. The same text's baselines: the unigram and the interpolated bigram, which read all of a text,
 * and Kneser-Ney models, which start anew with each window, as circuits do.
 */
export function tableOf(corpus: Corpus, arms: readonly Arm[], budget: number): Ref<
  Codec<{
    budget: number;
    rows: {
      arm: string;
      states: number;
      seed: number;
      start: number | null;
      atBudget: number | null;
      best: number | null;
      bestEpoch: number;
      epochs: number;
      converged: boolean | null;
      valid: number | null;
      test: number | null;
    }[];
    floors: {
      model: string;
      valid: number | null;
      test: number | null;
    }[];
  }, {
    budget: number;
    rows: {
      arm: string;
      states: number;
      seed: number;
      start: number | null;
      atBudget: number | null;
      best: number | null;
      bestEpoch: number;
      epochs: number;
      converged: boolean | null;
      valid: number | null;
      test: number | null;
    }[];
    floors: {
      model: string;
      valid: number | null;
      test: number | null;
    }[];
  }, "language-table">
> {
  const { tokens: { vocabulary, train, valid, test }, tokens, windows } = corpus;
  const { model } = fitBigram({ vocabulary, tokens: train });
  const weights = [0, ...BIGRAM_WEIGHTS];
  const bigrams = weights.map((weight) => {
    const name = weight === 0 ? "unigram" : "interpolated bigram";
    const scored = (split: "valid" | "test") =>
      evaluateBigram({ model, tokens: tokens[split] }, { weight }, {
        arm: weight === 0 ? name : `${name}, weight ${weight}`,
        name: `${split} bigram ${weight}`,
      }).score;
    return { name, valid: scored("valid"), test: scored("test") };
  });
  const kneserNey = KNESER_NEY_ORDERS.map((order) => {
    const name = `Kneser-Ney ${order}`;
    const data = { vocabulary, train, valid, validWindows: windows.valid, test, testWindows: windows.test };
    return { name, ...evaluateKneserNey(data, { order }, { arm: name, name }) };
  });
  const floors = [...bigrams, ...kneserNey];
  return languageResults({
    logs: arms.map(({ log }) => log),
    valid: arms.map(({ valid }) => valid),
    test: arms.map(({ test }) => test),
    floorValid: floors.map(({ valid }) => valid),
    floorTest: floors.map(({ test }) => test),
  }, {
    budget,
    rows: arms.map(({ row }) => row),
    floors: floors.map(({ name }) => name),
  }).table;
}
