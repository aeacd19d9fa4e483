import { requireEm } from "../circuits/learning/blocked_learner.ts";
import { courseOf } from "../circuits/learning/course.ts";
import {
  type FullOptions,
  fullOptions,
  mostFalls,
  ruleAt,
  type TrainingOptions,
} from "../circuits/learning/options.ts";
import type { EpochReport } from "../circuits/learning/state.ts";
import { stepRules } from "../circuits/steps/mod.ts";
import { CallError } from "../foundation/errors.ts";
import type { Moves, NodeOptions, ReadArtifact, Ref } from "../runner/stage.ts";
import type { circuit } from "./codecs/circuit.ts";
import type { samples } from "./codecs/samples.ts";
import type { trainingLog } from "./codecs/score.ts";
import type { parameterPart, shardCounts } from "./codecs/table_parts.ts";
import {
  countSamplesShard,
  countTextShard,
  joinTraining,
  scoreOfShards,
  scoreSamples,
  scoreText,
  type ShardScore,
  type shardScore,
  smoothSamples,
  smoothTextCounts,
  stepLevels,
  stepParameters,
} from "./shard_stages.ts";
import type { SmoothingLevels } from "./text/blocks.ts";
import type { tokens, windows } from "./text/codecs.ts";
import { requireCount } from "./join_shards.ts";

/** How a training in shards goes on. */
export interface ShardedTraining {
  /** Parts of the samples, each a node: the number is part of the keys, that of the workers is not. */
  readonly shards: number;
  /** Parts of the parameters, each a node of an M-step; 1 if omitted. */
  readonly parts?: number;
  /** Passes over the samples, at most. */
  readonly epochs: number;
  /**
   * Shards whose counts an update sums up; all if omitted, which is full-batch EM. With fewer of them the samples are shuffled
   * before each epoch.
   */
  readonly shardsPerUpdate?: number;
  /** How counts become parameters, as stages that train take it; EM if omitted. */
  readonly step?: NonNullable<TrainingOptions["step"]>;
  /** Virtual samples of every row of a sum and of every unit of a leaf, for the whole of the data. */
  readonly pseudocount?: { readonly sums?: number; readonly leaves?: number };
  /** Distribution of the virtual samples of leaves: uniform, if omitted, or the variable's in the samples. */
  readonly leafBase?: "uniform" | "marginal";
  /**
   * How a blocked HMM is smoothed, by levels, in the place of `pseudocount`, `leafBase` and `frozen`: its step is EM, after all
   * shards, in one part.
   */
  readonly levels?: SmoothingLevels;
  /** Ids of parameters that keep their values. */
  readonly frozen?: readonly string[];
  /**
   * Samples that a shard counts at once: each time the counts of all parameters are added up. The engine takes as many of them together as
   * its memory holds.
   */
  readonly batchSize?: number;
  /** Determines the order of the samples, where they are shuffled; 0 if omitted. */
  readonly seed?: number;
  /** What the node of the result is called, and how names of the others begin: `train` if omitted; arm and setting of all. */
  readonly node?: Pick<NodeOptions, "name" | "arm" | "setting">;
}

/** Samples, or a text with its windows. */
export type ShardedData =
  | { readonly train: Ref<typeof samples> }
  | { readonly text: Ref<typeof tokens>; readonly windows: Ref<typeof windows> };

/** What ends a training in shards. */
export interface ShardedFit extends ShardedTraining {
  /** What chooses the best epoch and ends the training: as {@link ShardedData}. */
  readonly valid: ShardedData;
  /** What the build of a pipeline is given to read artifacts with. */
  readonly read: ReadArtifact;
  /** Epochs without a better score after which training stops; never if omitted. */
  readonly patience?: number;
  /** Nats a sample by which a score must be better to count as better; 0 if omitted. */
  readonly tolerance?: number;
}

/** What a training in shards comes to. */
export interface TrainedInShards {
  /** The trained model. */
  readonly circuit: Ref<typeof circuit>;
  /** How the training went. */
  readonly log: Ref<typeof trainingLog>;
}

type Parts = readonly Ref<typeof parameterPart>[];

/** The nodes of a training in shards, epoch by epoch. */
class ShardedEpochs {
  /** Parameters after each epoch; before the first one the circuit has its own. */
  readonly after: Parts[] = [[]];
  readonly scores: Ref<typeof shardScore>[] = [];
  readonly full: FullOptions;
  readonly #start: Ref<typeof circuit>;
  readonly #data: ShardedData;
  readonly #options: ShardedTraining;
  readonly #perUpdate: number;
  /** How counts are smoothed, where that is not by levels. */
  readonly #smoothing?: ReturnType<typeof smoothSamples>["smoothing"];
  #updates = 0;
  /** Parameters after the first update. */
  #first: Parts = [];

  /** @throws CallError for numbers that make no training, CircuitError for options that no training takes */
  constructor(
    start: Ref<typeof circuit>,
    data: ShardedData,
    options: ShardedTraining & { readonly patience?: number; readonly tolerance?: number },
  ) {
    const { shards, parts = 1, shardsPerUpdate = shards, epochs, batchSize = 1, step, seed = 0 } = options;
    for (const [name, value] of Object.entries({ shards, parts, shardsPerUpdate })) {
      requireCount(name, value, "a training in shards");
    }
    if (shardsPerUpdate > shards) {
      throw new CallError(
        "stage/declaration",
        `an update of a training in shards sums up ${shardsPerUpdate} of ${shards} shards`,
        { hint: "Leave `shardsPerUpdate` out for all of them." },
      );
    }
    const { patience = Infinity, tolerance = 0 } = options;
    this.full = fullOptions(
      { epochs, batchSize, seed, patience, tolerance, ...(step !== undefined && { step }) },
      shards,
    );
    this.#start = start;
    this.#data = data;
    this.#options = options;
    this.#perUpdate = shardsPerUpdate;
    const { pseudocount = {}, leafBase = "uniform", frozen = [], levels } = options;
    if (levels !== undefined) {
      requireWholeStep(options);
      return;
    }
    const params = { pseudocount: { ...pseudocount }, leafBase, frozen: [...frozen] };
    const node = this.#node("smoothing");
    this.#smoothing = "train" in data
      ? smoothSamples({ circuit: start, data: data.train }, params, node).smoothing
      : smoothTextCounts({ circuit: start, text: data.text, windows: data.windows }, params, node).smoothing;
  }

  /** Makes the nodes of the next epoch, with a step that was reduced so often. */
  epoch(falls: number): void {
    const { shards, seed = 0 } = this.#options, epoch = this.after.length;
    const perUpdate = this.#perUpdate, updates = Math.ceil(shards / perUpdate);
    let updated = this.after.at(-1)!;
    for (let update = 0; update < updates; update++) {
      const from = update * perUpdate, to = Math.min(shards, from + perUpdate);
      const counts: Ref<typeof shardCounts>[] = [];
      for (let shard = from; shard < to; shard++) {
        const one = this.#count(updated, shard, `epoch ${epoch}`, updates > 1 ? { seed, epoch } : undefined);
        counts.push(one.counts);
        this.scores.push(one.score);
      }
      const when = updates > 1 ? `epoch ${epoch}.${update + 1}` : `epoch ${epoch}`;
      updated = this.#step(updated, counts, when, (to - from) / shards, falls);
      if (this.#first.length === 0) this.#first = updated;
    }
    this.after.push(updated);
  }

  #count(updated: Parts, shard: number, when: string, order: { seed: number; epoch: number } | undefined) {
    const { shards, parts = 1, batchSize } = this.#options, circuit = this.#start, data = this.#data;
    const params = {
      ...{ shard, shards, parts },
      ...(batchSize !== undefined && { batchSize }),
      ...(order !== undefined && { order }),
    };
    const node = {
      ...this.#node(`${when}, shard ${shard}`),
      moves: { ...this.#moves(updated.length === 0 ? 3 : 4), shards },
    };
    return "train" in data
      ? countSamplesShard({ circuit, updated, data: data.train }, params, node)
      : countTextShard({ circuit, updated, text: data.text, windows: data.windows }, params, node);
  }

  #step(
    updated: Parts,
    counts: readonly Ref<typeof shardCounts>[],
    when: string,
    share: number,
    falls: number,
  ): Parts {
    const { shards, epochs, parts = 1, levels } = this.#options;
    const moves = this.#moves((updated.length === 0 ? 1 : 2) + (1 + 2 * counts.length) / parts);
    if (levels !== undefined) {
      const node = { ...this.#node(`${when}, step`), moves };
      return [stepLevels({ circuit: this.#start, updated, counts }, levels, node).part];
    }
    const smoothing = this.#smoothing!;
    const total = epochs * Math.ceil(shards / this.#perUpdate);
    const { step } = ruleAt(this.full, Math.min(1, this.#updates++ / Math.max(1, total - 1)), share, falls);
    return Array.from({ length: parts }, (_, part) =>
      stepParameters(
        { circuit: this.#start, updated, counts, smoothing },
        { part, parts, share, step },
        { ...this.#node(parts > 1 ? `${when}, step ${part}` : `${when}, step`), moves },
      ).part);
  }

  /** The score of samples after the last epoch. */
  score(data: ShardedData): Ref<typeof shardScore> {
    const model = { circuit: this.#start, updated: this.after.at(-1)! }, { batchSize } = this.#options;
    const params = batchSize === undefined ? {} : { batchSize };
    const node = this.#node(`epoch ${this.after.length - 1}, valid`);
    return "train" in data
      ? scoreSamples({ ...model, data: data.train }, params, node).score
      : scoreText({ ...model, text: data.text, windows: data.windows }, params, node).score;
  }

  /** What comes of it, with the parameters after an epoch. */
  result(epoch: number, valid: readonly Ref<typeof shardScore>[]): TrainedInShards {
    const { patience, tolerance, step } = this.full, data = this.#data, { shards } = this.#options;
    return joinTraining({
      circuit: this.#start,
      updated: this.after[epoch]!,
      first: this.#first,
      smoothing: this.#smoothing === undefined ? [] : [this.#smoothing],
      scores: this.scores,
      valid,
      windows: "train" in data ? [] : [data.windows],
    }, {
      shards,
      ...(patience < Infinity && { patience }),
      tolerance,
      mostFalls: mostFalls(this.full),
      perUpdate: this.#perUpdate,
      monotone: this.#perUpdate === shards && stepRules[step.kind].monotone === true,
    }, this.#node());
  }

  /** Sizes of the start that a node reads and writes: counts have twice the bytes of parameters in single precision. */
  #moves(times: number): Moves<Ref> {
    return { work: "the training in shards", like: this.#start, times };
  }

  #node(what?: string): NodeOptions {
    const { name = "train", ...labels } = this.#options.node ?? {};
    return { ...labels, name: what === undefined ? name : `${name}, ${what}` };
  }
}

/** @throws CallError or CircuitError for options that smoothing by levels does not go with: levels are of all samples and all parameters */
function requireWholeStep(options: ShardedTraining): void {
  const { shards, shardsPerUpdate = shards, parts = 1, step } = options;
  const wrong = shardsPerUpdate !== shards
    ? `an update of ${shardsPerUpdate} of ${shards} shards`
    : parts !== 1
    ? `${parts} parts`
    : (["pseudocount", "leafBase", "frozen"] as const).find((name) => options[name] !== undefined);
  if (wrong === undefined) return step && requireEm(step);
  throw new CallError("stage/declaration", `\`levels\` of a training in shards do not go with ${wrong}`, {
    hint: "Their step is EM, of all shards, in one part, with no other smoothing: leave the other one out.",
  });
}

/**
 * EM in shards, for any circuit: an E-step of each shard of the samples and an M-step of each part of the parameters are nodes of
 * their own, so that whatever executes nodes trains one model on many machines. The bytes are the same whoever does what, and the
 * parameters are those of EM in one place but for the order in which counts are added. Counts are temporary outputs. All epochs are
 * made; {@link fitInShards} lets samples end the training.
 *
 * Called while a pipeline is built.
 *
 * @throws CallError for numbers that make no training, CircuitError for a step that is none
 */
export function trainInShards(
  start: Ref<typeof circuit>,
  data: ShardedData,
  options: ShardedTraining,
): TrainedInShards {
  const training = new ShardedEpochs(start, data, options);
  for (let epoch = 1; epoch <= options.epochs; epoch++) training.epoch(0);
  return training.result(options.epochs, []);
}

/**
 * {@link trainInShards} until validation samples say that more epochs do not help: scores after each epoch decide, as in `fit`, when
 * a falling step is reduced, when the training is over, and which epoch is kept. The graph grows with the scores.
 *
 * @throws CallError for numbers that make no training, CircuitError for a step that is none
 */
export async function fitInShards(
  start: Ref<typeof circuit>,
  data: ShardedData,
  options: ShardedFit,
): Promise<TrainedInShards> {
  const training = new ShardedEpochs(start, data, options);
  const { patience, tolerance, epochs } = training.full;
  const rules = { patience, tolerance, mostFalls: mostFalls(training.full), round: 1 };
  const valid = [training.score(options.valid)], reports: EpochReport[] = [];
  while (true) {
    const { falls, calm, over } = courseOf(reports, rules), done = valid.length - 1;
    if (over || done === epochs) break;
    // So many epochs come whatever their scores are: none of them waits for the score of another.
    const sure = falls < rules.mostFalls ? 1 : patience - calm;
    for (let epoch = 0; epoch < Math.min(sure, epochs - done); epoch++) {
      training.epoch(falls);
      valid.push(training.score(options.valid));
    }
    const sums: ShardScore[] = await Promise.all(valid.slice(reports.length).map((ref) => options.read(ref)));
    for (const sum of sums) {
      // Only log-likelihoods decide: bits a variable do not matter here.
      reports.push({ epoch: reports.length, valid: scoreOfShards([sum], 1), best: false });
    }
  }
  return training.result(courseOf(reports, rules).best?.epoch ?? 0, valid);
}
