/** Shared by the text pipelines: a corpus in windows, teachers, and the arms that compare HMMs. */
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
import type { Embedding } from "./arm_params.ts";
import type { tokens, vocabulary, windows } from "./codecs.ts";
import { type clusterTable, describeClusters } from "./describe_clusters.ts";
import { embedRandom, embedStatic, embedSuffixes } from "./embed.ts";
import { evaluateText } from "./evaluate_text.ts";
import { languageResults, type languageTable } from "./language_table.ts";
import { clustersFor, materialiseHmm } from "./materialise_hmm.ts";
import { randomHmm } from "./random_hmm.ts";
import { smoothText } from "./smooth_text.ts";
import type { teacher } from "./teachers.ts";
import { isTrainedHere } from "./teacher_choice.ts";
import { type ArmTraining, trainArm } from "./train_arm.ts";
import { trainCausalLm } from "./train_causal_lm.ts";
import { layWindows } from "./windows.ts";
import { wordVectors } from "./word_vectors.ts";

/** Tokens of a corpus's training, validation and test splits. */
export interface TextTokens {
  /** The vocabulary, that of the training text. */
  readonly vocabulary: Ref<typeof vocabulary>;
  /** Tokens to learn from. */
  readonly train: Ref<typeof tokens>;
  /** Tokens that choose. */
  readonly valid: Ref<typeof tokens>;
  /** Tokens that are scored. */
  readonly test: Ref<typeof tokens>;
}

/** A corpus with its windows. Windows do not overlap, and every validation and test token is in exactly one. */
export interface Corpus {
  /** Its tokens. */
  readonly tokens: TextTokens;
  /** Number of tokens in a window. */
  readonly length: number;
  /** Windows over each split. */
  readonly windows: {
    readonly train: Ref<typeof windows>;
    readonly valid: Ref<typeof windows>;
    readonly test: Ref<typeof windows>;
  };
}

/** A trained model with what the results table needs to know about it. */
export interface Arm {
  /** What the arm is called in tables. */
  readonly row: { readonly arm: string; readonly states: number; readonly seed: number };
  /** The trained model. */
  readonly circuit: Ref<typeof circuit>;
  /** How its training went. */
  readonly log: Ref<typeof trainingLog>;
  /** Its score on validation text. */
  readonly valid: Ref<typeof languageScore>;
  /** Its score on test text. */
  readonly test: Ref<typeof languageScore>;
}

/** A distilled model with the clusters of suffixes that its hidden states were initialised from. */
export interface DistilledArm extends Arm {
  /** What the clusters mean. */
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
      forward: "distilled from a language model of the text",
      backward: "distilled from a language model of the text that reads backward",
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
 * from a transformer, which `forward` and `backward` are trained to be first, or from a teacher that needs none: `static`
 * (word vectors) or `noise`.
 */
export function suffixVectors(
  corpus: Corpus,
  name: string,
  model: Ref<typeof teacher> | undefined,
  options: Embedding,
): Ref<typeof matrixShards> {
  const { tokens: { vocabulary, train: tokens, valid }, windows: { train: windows } } = corpus;
  // Noise has no principal directions worth finding.
  if (name === "noise") return embedRandom({ tokens, windows }, {}).vectors;
  const project = (vectors: Ref<typeof matrixShards>) => {
    const { axes } = fitPca({ vectors }, { components: options.components });
    return projectPca({ vectors, axes }, { precision: "f2" }).vectors;
  };
  if (isTrainedHere(name)) {
    const { epochs, width, layers } = options.languageModel;
    // Before a window it reads an end token.
    const { teacher } = trainCausalLm({ train: tokens, valid, vocabulary }, {
      ...{ direction: name, windows: "all", length: corpus.length + 1 },
      ...{ epochs, width, layers, hiddenWidth: 4 * width },
    }, { name: `language model, ${name}` });
    return project(embedSuffixes({ teacher, tokens, windows, vocabulary }, { mode: "causal" }).vectors);
  }
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
  return model === undefined ? vectors : project(vectors);
}

/** An HMM initialised at random, then trained by EM. */
export async function randomArm(
  corpus: Corpus,
  states: number,
  seed: number,
  em: ArmTraining,
): Promise<Arm> {
  const start = randomHmm({ vocabulary: corpus.tokens.vocabulary }, { states, length: corpus.length }, {
    ...called({ arm: "random", states }),
    name: `start random@${states}, seed ${seed}`,
  });
  return await finish(corpus, start.circuit, { arm: "random", states, seed }, em);
}

/**
 * An HMM initialised from clusters of a teacher's vectors (latent variable distillation), then trained by EM.
 *
 * @param vectors of the suffixes of `options.windows`: by default of all training windows.
 */
export async function distilledArm(
  corpus: Corpus,
  vectors: Ref<typeof matrixShards>,
  arm: string,
  states: number,
  seed: number,
  options: {
    readonly iterations: number;
    readonly em: ArmTraining;
    readonly windows?: Corpus["windows"]["train"];
  },
): Promise<DistilledArm> {
  const { tokens: { vocabulary, train: tokens } } = corpus;
  const { windows = corpus.windows.train } = options;
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
  return { ...await finish(corpus, start.circuit, { arm, states, seed }, options.em), clusters: table };
}

/** Display label of an arm's nodes. */
function called({ arm, states }: Omit<Arm["row"], "seed">) {
  return { arm, setting: `${states} hidden states` };
}

/** An arm that starts from a given circuit: trained by EM, smoothed and scored. @throws CallError as {@link trainArm} does */
export async function finish(
  corpus: Corpus,
  start: Ref<typeof circuit>,
  row: Arm["row"],
  em: ArmTraining,
): Promise<Arm> {
  const { tokens: { train, valid }, windows } = corpus;
  const name = `${row.arm}@${row.states}, seed ${row.seed}`;
  const trained = await trainArm(corpus, start, em, {
    ...called(row),
    name: `em ${name}`,
    seed: row.seed,
  });
  const data = { train, trainWindows: windows.train, valid, validWindows: windows.valid };
  const { batchSize } = em;
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

/** Longest n-grams of the Kneser-Ney models that tables show. */
const KNESER_NEY_ORDERS = [2, 3, 5];

/**
 * The results table of all arms. The same text's baselines: the unigram and the interpolated bigram, which read all of a text,
 * and Kneser-Ney models, which start anew with each window, as circuits do.
 *
 * @param orders longest n-grams of the Kneser-Ney models: all n-grams of the training text are in memory.
 */
export function tableOf(
  corpus: Corpus,
  arms: readonly Arm[],
  budget: number,
  orders: readonly number[] = KNESER_NEY_ORDERS,
): Ref<typeof languageTable> {
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
  const kneserNey = orders.map((order) => {
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
