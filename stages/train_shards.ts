import { z } from "zod";
import type { Circuit } from "../circuits/circuit.ts";
import { parameterOwners, type UpdateRule } from "../circuits/learner.ts";
import { countShard, joinParts, stepPart } from "../circuits/learning/shards.ts";
import type { SampleSource } from "../circuits/learning/source.ts";
import { ScoreSum } from "../circuits/learning/score.ts";
import { CallError } from "../foundation/errors.ts";
import type { Codec } from "../runner/codec.ts";
import { json } from "../runner/codecs/json.ts";
import { defineStage, type Many, many, type Ref, type Stage, type StageContext } from "../runner/stage.ts";
import { type Temporary, temporary } from "../runner/temporary.ts";
import { circuit } from "./codecs/circuit.ts";
import { samples } from "./codecs/samples.ts";
import { plainScore, trainingLog } from "./codecs/score.ts";
import { parameterPart, shardCounts } from "./codecs/table_parts.ts";
import { openLearner } from "./open_learner.ts";
import { tokens, windows } from "./text/codecs.ts";
import { WindowSource } from "./text/window_source.ts";

/** Sums of the log-likelihoods of a shard. */
export interface ShardScore {
  /** Weighted sum over the possible samples, in nats. */
  total: number;
  /** Weight of the possible samples. */
  weight: number;
  /** Samples of likelihood zero. */
  impossible: number;
  /** All samples. */
  samples: number;
}

/** Sums of the log-likelihoods of a shard. */
export const shardScore: Codec<ShardScore, ShardScore, "shard-score"> = json(
  "shard-score",
  z.object({ total: z.number(), weight: z.number(), impossible: z.int(), samples: z.int() }),
);

/** Parameters of the E-step of a shard. */
export const shardParams: z.ZodObject<{
  shard: z.ZodInt;
  shards: z.ZodInt;
  parts: z.ZodInt;
  batchSize: z.ZodDefault<z.ZodInt>;
}, z.core.$strip> = z.object({
  shard: z.int().min(0),
  shards: z.int().min(1),
  parts: z.int().min(1),
  batchSize: z.int().min(1).default(256),
});

/** What the E-step of a shard gives. */
export const shardOutputs: { counts: Temporary<typeof shardCounts>; score: typeof shardScore } = {
  counts: temporary(shardCounts),
  score: shardScore,
};

/** The E-step of a shard of samples, with the parameters of `updated` where there are any. */
export const countSamplesShard: Stage<
  typeof shardParams,
  { circuit: typeof circuit; updated: Many<typeof parameterPart>; train: typeof samples },
  typeof shardOutputs
> = defineStage({
  name: "train.count-shard",
  params: shardParams,
  inputs: { circuit, updated: many(parameterPart), train: samples },
  outputs: shardOutputs,
  engine: "use",
  run: ({ inputs, params, context }) =>
    count(joined(inputs.circuit, inputs.updated), inputs.train, params, context),
});

/** The E-step of a shard of the windows of a text. */
export const countTextShard: Stage<
  typeof shardParams,
  {
    circuit: typeof circuit;
    updated: Many<typeof parameterPart>;
    train: typeof tokens;
    windows: typeof windows;
  },
  typeof shardOutputs
> = defineStage({
  name: "train.count-text-shard",
  params: shardParams,
  inputs: { circuit, updated: many(parameterPart), train: tokens, windows },
  outputs: shardOutputs,
  engine: "use",
  run: async ({ inputs, params, context }) =>
    await count(
      joined(inputs.circuit, inputs.updated),
      await WindowSource.open(inputs.windows, inputs.train.ids),
      params,
      context,
    ),
});

async function count(
  model: Circuit,
  source: SampleSource,
  params: z.output<typeof shardParams>,
  context: Pick<StageContext, "engine" | "log">,
) {
  await using learner = await openLearner(model, context);
  const { parts, score } = await countShard(learner, source, params);
  return { counts: parts, score };
}

function joined(start: Circuit, updated: Parameters<typeof joinParts>[1]): Circuit {
  return updated.length === 0 ? start : joinParts(start, updated);
}

/** Parameters of the M-step of a part. */
export const stepPartParams: z.ZodObject<{
  part: z.ZodInt;
  parts: z.ZodInt;
  inertia: z.ZodNumber;
  pseudocount: z.ZodObject<{ sums: z.ZodNumber; leaves: z.ZodNumber }, z.core.$strip>;
  frozen: z.ZodArray<z.ZodString>;
}, z.core.$strip> = z.object({
  part: z.int().min(0),
  parts: z.int().min(1),
  inertia: z.number().min(0).max(1),
  pseudocount: z.object({ sums: z.number().min(0), leaves: z.number().min(0) }),
  frozen: z.array(z.string()),
});

/** The M-step of a part of the parameters. */
export const stepParameters: Stage<
  typeof stepPartParams,
  { circuit: typeof circuit; updated: Many<typeof parameterPart>; counts: Many<typeof shardCounts> },
  { part: typeof parameterPart }
> = defineStage({
  name: "train.step-part",
  params: stepPartParams,
  inputs: { circuit, updated: many(parameterPart), counts: many(shardCounts) },
  outputs: { part: parameterPart },
  async run({ inputs, params: { part, parts, inertia, pseudocount, frozen } }) {
    const model = joined(inputs.circuit, inputs.updated);
    const known = new Set(parameterOwners(model).keys());
    const unknown = frozen.find((id) => !known.has(id));
    if (unknown !== undefined) {
      throw new CallError("circuit/argument", `the circuit has no parameter \`${unknown}\`, which is frozen`);
    }
    const rule: UpdateRule = {
      step: inertia === 0 ? { kind: "em" } : { kind: "inertia", inertia },
      sums: { pseudocount: pseudocount.sums },
      leaves: { pseudocount: pseudocount.leaves },
      parameters: Object.fromEntries(frozen.map((id) => [id, { frozen: true }])),
    };
    const own = [];
    for (const shard of inputs.counts) own.push(await shard.part(part));
    return { part: stepPart(model, own, rule, { part, parts }) };
  },
});

/** Parameters of the end of a training in shards. */
export const joinPartsParams: z.ZodObject<{ shards: z.ZodInt }, z.core.$strip> = z.object({
  shards: z.int().min(1),
});

/** The circuit of the last step's parts, and the course of the training. */
export const joinTraining: Stage<
  typeof joinPartsParams,
  { circuit: typeof circuit; updated: Many<typeof parameterPart>; scores: Many<typeof shardScore> },
  { circuit: typeof circuit; log: typeof trainingLog }
> = defineStage({
  name: "train.join-parts",
  params: joinPartsParams,
  inputs: { circuit, updated: many(parameterPart), scores: many(shardScore) },
  outputs: { circuit, log: trainingLog },
  run({ inputs, params: { shards }, context }) {
    const model = joined(inputs.circuit, inputs.updated);
    const epochs = [];
    for (let at = 0; at < inputs.scores.length; at += shards) {
      const sum = new ScoreSum();
      for (const { total, weight, impossible, samples } of inputs.scores.slice(at, at + shards)) {
        sum.total += total;
        sum.weight += weight;
        sum.impossible += impossible;
        sum.samples += samples;
      }
      const train = plainScore(sum.score(model.variables.length));
      // What an epoch counts with is what the one before it has learned.
      const epoch = at / shards;
      epochs.push({ epoch, best: false, train });
      if (train.logLikelihood !== null) context.metric("train log-likelihood", train.logLikelihood, epoch);
    }
    return { circuit: model, log: { epochs, bestEpoch: epochs.length, converged: null } };
  },
});

/** How a training in shards goes on. */
export interface ShardedTraining {
  /** Parts of the samples, each a node: the number is part of the keys, that of the workers is not. */
  readonly shards: number;
  /** Parts of the parameters, each a node of an M-step; 1 if omitted. */
  readonly parts?: number;
  /** Passes over the samples. */
  readonly epochs: number;
  /** Shards whose counts an update sums up; all if omitted, which is full-batch EM. */
  readonly shardsPerUpdate?: number;
  /** Share of the old parameters in the new ones, for updates from some of the shards; 0, plain EM, if omitted. */
  readonly inertia?: number;
  /** Virtual samples of every row of a sum and of every unit of a leaf, for the whole of the data. */
  readonly pseudocount?: { readonly sums?: number; readonly leaves?: number };
  /** Ids of parameters that keep their values. */
  readonly frozen?: readonly string[];
  /** Samples that a shard counts at once. */
  readonly batchSize?: number;
}

/** Samples, or a text with its windows. */
export type ShardedData =
  | { readonly train: Ref<typeof samples> }
  | { readonly text: Ref<typeof tokens>; readonly windows: Ref<typeof windows> };

/**
 * EM in shards, for any circuit: an E-step of each shard of the samples and an M-step of each part of the parameters are nodes of
 * their own, so that whatever executes nodes trains one model on many machines. The bytes are the same whoever does what, and the
 * parameters are those of EM in one place but for the order in which counts are added. Counts are temporary outputs.
 *
 * Called while a pipeline is built.
 *
 * @throws CallError for numbers that make no training
 */
export function trainInShards(
  start: Ref<typeof circuit>,
  data: ShardedData,
  options: ShardedTraining,
): { readonly circuit: Ref<typeof circuit>; readonly log: Ref<typeof trainingLog> } {
  const { shards, epochs, parts = 1, shardsPerUpdate = shards, inertia = 0, batchSize = 256 } = options;
  const { pseudocount: { sums = 0, leaves = 0 } = {}, frozen = [] } = options;
  for (const [name, value] of Object.entries({ shards, parts, epochs, shardsPerUpdate, batchSize })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new CallError(
      "stage/declaration",
      `\`${name}\` of a training in shards is ${value}, expected a whole number from 1`,
    );
  }
  if (shardsPerUpdate > shards) {
    throw new CallError(
      "stage/declaration",
      `an update of a training in shards sums up ${shardsPerUpdate} of ${shards} shards`,
      { hint: "Leave `shardsPerUpdate` out for all of them." },
    );
  }
  let updated: Ref<typeof parameterPart>[] = [];
  const scores: Ref<typeof shardScore>[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (let from = 0, update = 1; from < shards; from += shardsPerUpdate, update++) {
      const to = Math.min(shards, from + shardsPerUpdate);
      const step = to - from === shards ? `epoch-${epoch}` : `epoch-${epoch}.${update}`;
      const counts: Ref<typeof shardCounts>[] = [];
      for (let shard = from; shard < to; shard++) {
        const params = { shard, shards, parts, batchSize };
        const name = { name: `count.${step}.shard-${shard}` };
        const one = "train" in data
          ? countSamplesShard({ circuit: start, updated, train: data.train }, params, name)
          : countTextShard(
            { circuit: start, updated, train: data.text, windows: data.windows },
            params,
            name,
          );
        counts.push(one.counts);
        scores.push(one.score);
      }
      const share = (to - from) / shards;
      const pseudocount = { sums: sums * share, leaves: leaves * share };
      const before = updated;
      updated = Array.from({ length: parts }, (_, part) =>
        stepParameters(
          { circuit: start, updated: before, counts },
          { part, parts, inertia: to - from === shards ? 0 : inertia, pseudocount, frozen: [...frozen] },
          { name: `step.${step}.part-${part}` },
        ).part);
    }
  }
  return joinTraining({ circuit: start, updated, scores }, { shards });
}
