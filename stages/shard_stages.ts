/** Stages of EM in shards: E-steps of shards, M-steps of parts, scores between epochs, and what comes of it. */
import { z } from "zod";
import type { Circuit, ParameterArray } from "../circuits/circuit.ts";
import type { UpdateRule } from "../circuits/learner.ts";
import { courseOf } from "../circuits/learning/course.ts";
import { requireNumbers, requireScore } from "../circuits/learning/numbers.ts";
import { fullOptions, ruleAt } from "../circuits/learning/options.ts";
import { type Score, ScoreSum, scoreSumOf } from "../circuits/learning/score.ts";
import { countShard, joinParts, stepPart, stepPartByLevels } from "../circuits/learning/shards.ts";
import type { SampleSource } from "../circuits/learning/source.ts";
import type { EpochReport } from "../circuits/learning/state.ts";
import { fallWarning, isMonotone, lostUnitsWarning } from "../circuits/learning/warnings.ts";
import { KeptGraphs } from "../kernels/onnx/kept_graphs.ts";
import type { Codec } from "../runner/codec.ts";
import { json } from "../runner/codecs/json.ts";
import { defineStage, type Many, many, type Stage, type StageContext } from "../runner/stage.ts";
import { type Temporary, temporary } from "../runner/temporary.ts";
import { circuit } from "./codecs/circuit.ts";
import { samples } from "./codecs/samples.ts";
import { trainingLog } from "./codecs/score.ts";
import { parameterPart, shardCounts, stepSmoothing } from "./codecs/table_parts.ts";
import { partParams } from "./join_shards.ts";
import { openLearner } from "./open_learner.ts";
import { smoothingLevels } from "./text/blocks.ts";
import { tokens, windows } from "./text/codecs.ts";
import { withFrame } from "./text/frame_notes.ts";
import { WindowSource } from "./text/window_source.ts";
import { smoothingOf, tell, tellScore, toldLog } from "./train_em.ts";
import { trainingParams } from "./training_params.ts";

/** Sums of the log-likelihoods of samples. */
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

/** Sums of the log-likelihoods of samples. */
export const shardScore: Codec<ShardScore, ShardScore, "shard-score"> = json(
  "shard-score",
  z.object({ total: z.number(), weight: z.number(), impossible: z.int(), samples: z.int() }),
);

/** The score of several shards together. */
export function scoreOfShards(sums: readonly ShardScore[], variables: number): Score {
  const all = new ScoreSum();
  for (const { total, weight, impossible, samples } of sums) {
    all.total += total;
    all.weight += weight;
    all.impossible += impossible;
    all.samples += samples;
  }
  return all.score(variables);
}

/** Samples as an input. */
export type SamplesInput = { data: typeof samples };

/** The windows of a text as inputs. */
export type TextInput = { text: typeof tokens; windows: typeof windows };

/** A circuit, and the parts of its parameters that have replaced its own; none of them before the first update. */
export type ShardedModel = { circuit: typeof circuit; updated: Many<typeof parameterPart> };

const model: ShardedModel = { circuit, updated: many(parameterPart) };

function joined({ circuit, updated }: {
  readonly circuit: Circuit;
  readonly updated: Parameters<typeof joinParts>[1];
}): Circuit {
  return updated.length === 0 ? circuit : joinParts(circuit, updated);
}

function valuesOf({ parameters }: Circuit): ReadonlyMap<string, ParameterArray> {
  return new Map([...parameters].map(([id, { values }]) => [id, values]));
}

/** @throws CircuitError where the log-likelihood is NaN, which no later step would mend. */
function requireFinite(model: Circuit, { total }: Pick<ShardScore, "total">, when: string): void {
  if (!Number.isNaN(total)) return;
  requireNumbers(model, valuesOf(model), when);
  requireScore(total, when);
}

const batchSize = z.int().min(1).default(16_384);

/** Parameters of the E-step of a shard. */
export const shardParams: z.ZodObject<{
  shard: z.ZodInt;
  shards: z.ZodInt;
  parts: z.ZodInt;
  batchSize: z.ZodDefault<z.ZodInt>;
  order: z.ZodOptional<z.ZodObject<{ seed: z.ZodInt; epoch: z.ZodInt }, z.core.$strict>>;
}, z.core.$strip> = z.object({
  ...partParams,
  parts: z.int().min(1),
  /** Most samples that are counted at once. */
  batchSize,
  /** Shuffles the samples before they are cut into shards. */
  order: z.strictObject({ seed: z.int().min(0), epoch: z.int().min(0) }).optional(),
});

/** What the E-step of a shard gives. */
export const shardOutputs: { counts: Temporary<typeof shardCounts>; score: typeof shardScore } = {
  counts: temporary(shardCounts),
  score: shardScore,
};

/** The E-step of a shard of samples, with the parameters of `updated` where there are any. */
export const countSamplesShard: Stage<typeof shardParams, ShardedModel & SamplesInput, typeof shardOutputs> =
  defineStage({
    name: "train.count-shard",
    params: shardParams,
    inputs: { ...model, data: samples },
    outputs: shardOutputs,
    engine: "use",
    run: ({ inputs, params, context }) => count(joined(inputs), inputs.data, params, context),
  });

/** The E-step of a shard of the windows of a text. */
export const countTextShard: Stage<typeof shardParams, ShardedModel & TextInput, typeof shardOutputs> =
  defineStage({
    name: "train.count-text-shard",
    params: shardParams,
    inputs: { ...model, text: tokens, windows },
    outputs: shardOutputs,
    engine: "use",
    run: async ({ inputs, params, context }) =>
      await count(joined(inputs), await WindowSource.open(inputs.windows, inputs.text.ids), params, context),
  });

/** Whoever executes several of these nodes compiles the graphs of their circuit once. */
const graphs = new KeptGraphs();

async function count(
  model: Circuit,
  source: SampleSource,
  { order, ...params }: z.output<typeof shardParams>,
  context: Pick<StageContext, "engine" | "log">,
) {
  await using learner = await openLearner(model, context, graphs);
  const { score, ...counts } = await countShard(learner, source, { ...params, ...(order && { order }) });
  requireFinite(model, score, `In shard ${params.shard}`);
  return { counts, score };
}

/** Parameters of a score between two epochs. */
export const scoreParams: z.ZodObject<{ batchSize: z.ZodDefault<z.ZodInt> }, z.core.$strip> = z.object({
  batchSize,
});

/** The score of samples between two epochs. */
export const scoreSamples: Stage<
  typeof scoreParams,
  ShardedModel & SamplesInput,
  { score: typeof shardScore }
> = defineStage({
  name: "train.score",
  params: scoreParams,
  inputs: { ...model, data: samples },
  outputs: { score: shardScore },
  engine: "use",
  run: ({ inputs, params, context }) => scored(joined(inputs), inputs.data, params, context),
});

/** The score of the windows of a text between two epochs. */
export const scoreText: Stage<typeof scoreParams, ShardedModel & TextInput, { score: typeof shardScore }> =
  defineStage({
    name: "train.score-text",
    params: scoreParams,
    inputs: { ...model, text: tokens, windows },
    outputs: { score: shardScore },
    engine: "use",
    run: async ({ inputs, params, context }) =>
      await scored(joined(inputs), await WindowSource.open(inputs.windows, inputs.text.ids), params, context),
  });

async function scored(
  model: Circuit,
  source: SampleSource,
  { batchSize }: z.output<typeof scoreParams>,
  context: Pick<StageContext, "engine" | "log" | "metric">,
) {
  await using learner = await openLearner(model, context, graphs);
  const sum = await scoreSumOf(learner, source, batchSize);
  requireFinite(model, sum, "On the validation samples");
  tellScore("valid", sum.score(model.variables.length), context);
  return { score: { ...sum } };
}

/** How counts are smoothed, as stages that train take it. */
export const smoothingParams: z.ZodObject<
  Pick<(typeof trainingParams)["shape"], "pseudocount" | "leafBase" | "leafMix" | "frozen">,
  z.core.$strip
> = trainingParams.pick({ pseudocount: true, leafBase: true, leafMix: true, frozen: true });

/** How the counts of samples are smoothed. */
export const smoothSamples: Stage<
  typeof smoothingParams,
  { circuit: typeof circuit } & SamplesInput,
  { smoothing: typeof stepSmoothing }
> = defineStage({
  name: "train.smoothing",
  params: smoothingParams,
  inputs: { circuit, data: samples },
  outputs: { smoothing: stepSmoothing },
  run: async ({ inputs, params }) => ({
    smoothing: await smoothingOf(inputs.circuit, inputs.data, trainingParams.parse(params)),
  }),
});

/** How the counts of the windows of a text are smoothed. */
export const smoothTextCounts: Stage<
  typeof smoothingParams,
  { circuit: typeof circuit } & TextInput,
  { smoothing: typeof stepSmoothing }
> = defineStage({
  name: "train.smoothing-text",
  params: smoothingParams,
  inputs: { circuit, text: tokens, windows },
  outputs: { smoothing: stepSmoothing },
  run: async ({ inputs, params }) => ({
    smoothing: await smoothingOf(
      inputs.circuit,
      await WindowSource.open(inputs.windows, inputs.text.ids),
      trainingParams.parse(params),
    ),
  }),
});

const share = z.number().min(0).max(1);

/** Parameters of the M-step of a part. */
export const stepPartParams: z.ZodObject<{
  part: z.ZodInt;
  parts: z.ZodInt;
  share: z.ZodNumber;
  step: z.ZodDiscriminatedUnion<[
    z.ZodObject<{ kind: z.ZodLiteral<"em"> }, z.core.$strict>,
    z.ZodObject<{ kind: z.ZodLiteral<"inertia">; inertia: z.ZodNumber }, z.core.$strict>,
    z.ZodObject<{ kind: z.ZodLiteral<"anemone">; step: z.ZodNumber }, z.core.$strict>,
  ], "kind">;
}, z.core.$strip> = z.object({
  part: z.int().min(0),
  parts: z.int().min(1),
  /** Share of all samples that was counted: that of the virtual samples counts too. */
  share,
  /** How counts become parameters, see `UpdateStep`. */
  step: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("em") }),
    z.strictObject({ kind: z.literal("inertia"), inertia: share }),
    z.strictObject({ kind: z.literal("anemone"), step: share }),
  ]),
});

/** The M-step of a part of the parameters. */
export const stepParameters: Stage<
  typeof stepPartParams,
  ShardedModel & { counts: Many<typeof shardCounts>; smoothing: typeof stepSmoothing },
  { part: typeof parameterPart }
> = defineStage({
  name: "train.step-part",
  params: stepPartParams,
  inputs: { ...model, counts: many(shardCounts), smoothing: stepSmoothing },
  outputs: { part: parameterPart },
  async run({ inputs, params: { part, parts, share, step } }) {
    const options = { epochs: 1, batchSize: 1, step, smoothing: inputs.smoothing };
    const rule: UpdateRule = ruleAt(fullOptions(options, 1), 0, share);
    const own = [], weights = [];
    for (const shard of inputs.counts) {
      own.push(await shard.part(part));
      weights.push(await shard.weight());
    }
    return { part: stepPart(joined(inputs), own, rule, { part, parts, weights }) };
  },
});

/** The M-step of a blocked HMM that is smoothed by levels. */
export const stepLevels: Stage<
  z.ZodObject<typeof smoothingLevels, z.core.$strip>,
  ShardedModel & { counts: Many<typeof shardCounts> },
  { part: typeof parameterPart }
> = defineStage({
  name: "train.step-levels",
  params: z.object(smoothingLevels),
  inputs: { ...model, counts: many(shardCounts) },
  outputs: { part: parameterPart },
  async run({ inputs, params }) {
    const counts = [];
    for (const shard of inputs.counts) counts.push(await shard.part(0));
    return { part: stepPartByLevels(joined(inputs), counts, params) };
  },
});

/** Parameters of the end of a training in shards. */
export const joinPartsParams: z.ZodObject<{
  shards: z.ZodInt;
  patience: z.ZodOptional<z.ZodInt>;
  tolerance: z.ZodNumber;
  mostFalls: z.ZodInt;
  perUpdate: z.ZodInt;
  monotone: z.ZodBoolean;
}, z.core.$strip> = z.object({
  shards: z.int().min(1),
  patience: z.int().min(1).optional(),
  tolerance: z.number().min(0),
  /** How often the step could be reduced. */
  mostFalls: z.int().min(0),
  /** Shards whose counts an update sums up. */
  perUpdate: z.int().min(1),
  /** Whether every update is EM over all samples: unless it smooths, it never lowers their likelihood. */
  monotone: z.boolean(),
});

/**
 * The circuit of the parts that are kept, and the course of the training, with the warnings that `train.em` gives. `first` are the parts
 * after the first update; `smoothing` that of all updates, none where levels smooth; `scores` those of all shards, epoch by epoch; `valid`
 * those of the start and of each epoch, if there are any; `windows` those of the text that was learned from, if it was one.
 */
export const joinTraining: Stage<
  typeof joinPartsParams,
  ShardedModel & {
    first: Many<typeof parameterPart>;
    smoothing: Many<typeof stepSmoothing>;
    scores: Many<typeof shardScore>;
    valid: Many<typeof shardScore>;
    windows: Many<typeof windows>;
  },
  { circuit: typeof circuit; log: typeof trainingLog }
> = defineStage({
  name: "train.join-parts",
  params: joinPartsParams,
  inputs: {
    ...model,
    first: many(parameterPart),
    smoothing: many(stepSmoothing),
    scores: many(shardScore),
    valid: many(shardScore),
    windows: many(windows),
  },
  outputs: { circuit, log: trainingLog },
  run({ inputs, params, context }) {
    const { shards, patience = Infinity, tolerance, mostFalls, perUpdate } = params;
    const { circuit: start, first, scores, valid, smoothing: [smoothing], windows: [text] } = inputs;
    const monotone = params.monotone && smoothing !== undefined &&
      isMonotone(start, fullOptions({ epochs: 1, batchSize: 1, smoothing }, 1), 1);
    const counted = scores.slice(0, perUpdate).reduce((sum, { weight }) => sum + weight, 0);
    const lost = smoothing === undefined || first.length === 0
      ? undefined
      : lostUnitsWarning(start, valuesOf(joinParts(start, first)), counted);
    const whole = joined(inputs), variables = whole.variables.length;
    const rules = { patience, tolerance, mostFalls, round: 1 }, reports: EpochReport[] = [];
    for (let epoch = valid.length > 0 ? 0 : 1; epoch * shards <= scores.length; epoch++) {
      const own = scores.slice((epoch - 1) * shards, epoch * shards), held = valid[epoch];
      const report: EpochReport = {
        epoch,
        ...(epoch > 0 && { train: scoreOfShards(own, variables) }),
        ...(held && { valid: scoreOfShards([held], variables) }),
        best: true,
      };
      const warnings = [
        epoch === 1 ? lost : undefined,
        monotone ? fallWarning(reports.at(-1)?.train, report.train) : undefined,
      ].filter((warning) => warning !== undefined);
      reports.push({ ...report, best: courseOf([...reports, report], rules).best === report });
      tell({ ...report, warnings }, context);
    }
    const { best, converged } = courseOf(reports, rules);
    return {
      circuit: text === undefined ? whole : withFrame(whole, text.frame),
      log: toldLog({
        epochs: reports,
        bestEpoch: best?.epoch ?? 0,
        converged: valid.length === 0 ? null : converged,
      }, context),
    };
  },
});
