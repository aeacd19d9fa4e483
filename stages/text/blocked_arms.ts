/** Arms of blocked hidden Markov models: a block of states for each word class. */
import type { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import type { Ref } from "../../runner/stage.ts";
import type { clusterLabels } from "../clusters/codecs.ts";
import { exchangeClasses } from "../clusters/exchange.ts";
import { clusterWithin } from "../clusters/within.ts";
import { type Arm, type Corpus, finish } from "./arms.ts";
import type { SmoothingLevels } from "./blocks.ts";
import { embedContexts } from "./embed.ts";
import { evaluateSwitching } from "./evaluate_switching.ts";
import { materialiseBlockedHmm } from "./materialise_blocked_hmm.ts";
import { randomBlockedHmm } from "./random_blocked_hmm.ts";
import type { ArmTraining } from "./train_arm.ts";
import { wordVectors } from "./word_vectors.ts";

/** Sizes of a blocked model. */
export interface BlockedSize {
  /** Blocks: word classes. */
  readonly blocks: number;
  /** States of a block. */
  readonly states: number;
}

/** Word classes of the training text. */
export function classesOf(corpus: Corpus, classes: number): Ref<typeof clusterLabels> {
  const { tokens: { train: tokens, vocabulary } } = corpus;
  return exchangeClasses({ tokens, vocabulary }, { classes }, { name: `${classes} word classes` }).classes;
}

/** Vectors of the contexts of all training positions, by static word vectors: a teacher that is no more than counted. */
export function contextVectors(corpus: Corpus, width: number): Ref<typeof matrixShards> {
  const { tokens: { train: tokens, vocabulary }, windows: { train: windows } } = corpus;
  const { words } = wordVectors({ tokens, vocabulary }, { width });
  return embedContexts({ words, tokens, windows }, {}).vectors;
}

/** Options of arms of blocked models. */
export interface BlockedOptions {
  /** How EM trains them. */
  readonly em: ArmTraining & {
    /** How counts of clusters are smoothed, and expected counts of EM. */
    readonly levels: SmoothingLevels;
  };
  /** Most iterations of k-means. */
  readonly iterations: number;
}

/** A blocked model trained from random parameters or, with vectors, from clusters within the classes. */
export async function blockedArm(
  corpus: Corpus,
  classes: Ref<typeof clusterLabels>,
  { blocks, states }: BlockedSize,
  start: { readonly name: string; readonly vectors?: Ref<typeof matrixShards> },
  seed: number,
  { em, iterations }: BlockedOptions,
): Promise<Arm> {
  const { tokens: { train: tokens, vocabulary }, windows: { train: windows }, length } = corpus;
  const row = { arm: start.name, states: blocks * states, seed };
  const called = (what: string) => ({
    arm: row.arm,
    setting: `${row.states} hidden states`,
    name: `${what} ${row.arm} blocked@${blocks}x${states}, seed ${seed}`,
  });
  if (start.vectors === undefined) {
    const { circuit } = randomBlockedHmm(
      { tokens, vocabulary, classes },
      { states, length },
      called("start"),
    );
    return await finish(corpus, circuit, row, em);
  }
  const { labels } = clusterWithin(
    { vectors: start.vectors, tokens, windows, classes },
    { clusters: states, iterations },
    called("clusters"),
  );
  const { circuit } = materialiseBlockedHmm(
    { tokens, windows, vocabulary, classes, labels },
    em.levels,
    called("start"),
  );
  return await finish(corpus, circuit, row, em);
}

/** A trained arm whose model may go on in n-grams of the training text, up to `order` tokens long. */
export function withNgrams(corpus: Corpus, { row, circuit, log }: Arm, order: number): Arm {
  const { tokens, windows } = corpus, arm = `${row.arm} with n-grams`;
  const { valid, test } = evaluateSwitching(
    { circuit, ...tokens, validWindows: windows.valid, testWindows: windows.test },
    { order },
    {
      arm,
      setting: `${row.states} hidden states`,
      name: `n-grams ${row.arm}@${row.states}, seed ${row.seed}`,
    },
  );
  return { row: { ...row, arm }, circuit, log, valid, test };
}
