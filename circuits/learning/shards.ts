import { type Circuit, type ParameterArray, replaceValues } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import type { Evaluator } from "../evaluator.ts";
import { CountedWeight } from "../evidence.ts";
import { requireCircuit, requireEvaluator, requireList, requireObject, requireWhole } from "../guards.ts";
import { checkRule, type UpdateRule } from "../learner.ts";
import { inOneRow } from "../nested.ts";
import { stepRules } from "../steps/mod.ts";
import { blockedHmmOptions } from "../structures/blocked_options.ts";
import { topDownRows } from "../top_down.ts";
import { applyUpdate } from "../update.ts";
import type { BlockedSmoothing } from "./blocked_counts.ts";
import { stepByLevels } from "./blocked_learner.ts";
import { ScoreSum } from "./score.ts";
import { BatchSum, type CountPart, partSlices, type Slices, sumOfCounts } from "./shard_counts.ts";
import { shuffled } from "./shuffle.ts";
import { ascending, batchCount, batchOf, readBatch, type SampleSource } from "./source.ts";

/** A part of the parameters: of each, by id, values that lie together. */
export type TablePart = ReadonlyMap<string, ParameterArray>;

/** What the E-step of a shard gives. */
export interface ShardCounts {
  /** Expected counts: all parts of them, in order. */
  readonly parts: readonly CountPart[];
  /** Weight of the counted samples, in all and by scope, as {@link stepPart} takes it. */
  readonly weight: Float64Array;
  /** Log-likelihoods under the parameters before the update. */
  readonly score: Pick<ScoreSum, "total" | "weight" | "impossible" | "samples">;
}

/** Which samples {@link countShard} counts, and how. */
export interface ShardOptions {
  /** Which of the shards, from 0. */
  readonly shard: number;
  /** Shards that the samples are cut into, all of nearly the same size. */
  readonly shards: number;
  /** Parts that the counts are cut into. */
  readonly parts: number;
  /** Most samples that are counted at once. */
  readonly batchSize: number;
  /** Cuts the samples in the order of an epoch, see `shuffled`; in their own if omitted. */
  readonly order?: { readonly seed: number; readonly epoch: number; readonly block?: number };
}

/**
 * The E-step of a shard: expected counts of a run of the samples of a source, batch by batch as the engine counts them, added up in their
 * order in float64 and cut into parts, so that whoever adds up the counts of all shards need only read a part of each.
 *
 * @throws {CircuitError} when there are no such samples
 */
export async function countShard(
  evaluator: Evaluator,
  source: SampleSource,
  options: ShardOptions,
): Promise<ShardCounts> {
  requireEvaluator(evaluator);
  requireObject("the source of samples", source, ["count", "read"]);
  requireObject("the options of `countShard`", options);
  const { shard, shards, parts, batchSize, order: shuffle } = options;
  const { circuit } = evaluator;
  requireWhole("the number of shards", shards, 1);
  requireWhole("the number of a shard", shard, 0, shards - 1);
  requireWhole("the number of parts", parts, 1);
  requireWhole("the size of a batch", batchSize, 1);
  if (source.count < shards) {
    throw new CircuitError("learning/no-samples", `${source.count} samples make no ${shards} shards`);
  }
  const at = (s: number) => Math.floor(source.count * s / shards);
  const all = shuffle === undefined
    ? ascending(source.count)
    : shuffled(source.count, shuffle.seed, shuffle.epoch, shuffle.block);
  const order = all.subarray(at(shard), at(shard + 1));
  const counts = new BatchSum();
  const counted = new CountedWeight(circuit), score = new ScoreSum();
  for (let b = 0; b < batchCount(order.length, batchSize); b++) {
    const { samples, weights } = await readBatch(source, batchOf(order, b, batchSize));
    const flows = await (evaluator.stateFlows ?? evaluator.flows).call(evaluator, samples, weights);
    counts.add(flows);
    counted.add(samples, flows.logLikelihoods, weights);
    score.add(flows.logLikelihoods, weights);
  }
  return {
    parts: Array.from({ length: parts }, (_, part) => counts.cut(partSlices(circuit, part, parts))),
    weight: counted.save(),
    score: {
      total: score.total,
      weight: score.weight,
      impossible: score.impossible,
      samples: score.samples,
    },
  };
}

/**
 * The M-step of a part of the parameters: adds up that part of the counts of all shards, in their order in float64, and takes a
 * step. The bytes do not depend on who counted which shard, and all parts together are what one step of all parameters gives.
 *
 * @param circuit with all parameters as they are before the step.
 * @param counts that part of the counts of each shard.
 * @param which `weights`: of each shard what it says of the weight of its samples, for steps that ask how often they use a row
 *   (`anemone`)
 * @throws {CircuitError} for counts of another circuit, and for steps that ask for weights where there are none
 */
export function stepPart(
  circuit: Circuit,
  counts: readonly CountPart[],
  rule: UpdateRule,
  which: { readonly part: number; readonly parts: number; readonly weights?: readonly Float64Array[] },
): TablePart {
  requireCircuit(circuit);
  requireList("the counts of the shards", counts);
  requireObject("the rule of `stepPart`", rule, ["step"]);
  requireObject("which part `stepPart` takes", which);
  const { part, parts, weights: counted = [] } = which;
  checkRule(circuit, rule);
  const slices = partSlices(circuit, part, parts);
  const values = new Map<string, ParameterArray>();
  for (const [id, { values: own }] of slices) {
    values.set(id, circuit.parameters.get(id)!.values.slice(...own));
  }
  const { weights, statistics } = sumOfCounts(circuit, counts, slices);
  const sliced = { ...rule, parameters: slicedBases(circuit, rule, slices) };
  const weight = weightOfAll(circuit, counted), { kind } = rule.step;
  if (stepRules[kind].priors && counted.length !== counts.length) {
    throw new CircuitError(
      "circuit/argument",
      `the step ${kind} needs the weight of the samples of all ${counts.length} shards, and \`weights\` has ${counted.length}`,
      { hint: "`countShard` gives it with the counts." },
    );
  }
  const priors = stepRules[kind].priors && slicedPriors(circuit, weight, slices);
  applyUpdate(circuit, values, { weights, statistics, weight, ...(priors && { priors }) }, sliced);
  return values;
}

/**
 * The M-step of a blocked HMM that is smoothed by levels (`BlockedHmmLearner`): its levels are of the whole text, so that
 * all parameters are one part.
 *
 * @param counts of every shard, in one part
 * @throws {CircuitError} for counts of another circuit or of several parts, and for a circuit that is no such HMM
 */
export function stepPartByLevels(
  circuit: Circuit,
  counts: readonly CountPart[],
  smoothing: BlockedSmoothing,
): TablePart {
  requireCircuit(circuit);
  requireList("the counts of the shards", counts);
  const sums = sumOfCounts(circuit, counts, partSlices(circuit, 0, 1));
  return stepByLevels(blockedHmmOptions(circuit), sums, smoothing);
}

/** The weight of the samples of all shards. */
function weightOfAll(circuit: Circuit, weights: readonly Float64Array[]): CountedWeight {
  const all = new CountedWeight(circuit), sum = all.save();
  for (const one of weights) {
    if (one.length !== sum.length) {
      throw new CircuitError("learning/state", "the weights of the samples are of another circuit");
    }
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + one[i]!;
  }
  all.restore(sum);
  return all;
}

/** How often the samples would use each row of a part under the old parameters, `[rows]` by id. */
function slicedPriors(
  circuit: Circuit,
  weight: CountedWeight,
  slices: ReadonlyMap<string, Slices>,
): ReadonlyMap<string, Float64Array> {
  const rows = topDownRows(circuit, undefined, (node) => weight.of(node));
  return new Map(
    [...slices].map(([id, { values: [from, to] }]) => {
      const all = rows.get(id)!, width = circuit.parameters.get(id)!.values.length / all.length;
      return [id, all.subarray(from / width, to / width)];
    }),
  );
}

/** Settings of parameters whose smoothing distribution has a row for each of theirs: the rows of a part. */
function slicedBases(
  circuit: Circuit,
  { parameters = {} }: UpdateRule,
  slices: ReadonlyMap<string, Slices>,
): NonNullable<UpdateRule["parameters"]> {
  return Object.fromEntries(
    Object.entries(parameters).map(([id, settings]) => {
      const { base } = settings, slice = slices.get(id);
      if (base === undefined || slice === undefined) return [id, settings];
      const flat = inOneRow(base);
      const all = circuit.parameters.get(id)!.values.length;
      return [
        id,
        flat.length === all ? { ...settings, base: Array.from(flat).slice(...slice.values) } : settings,
      ];
    }),
  );
}

/** A circuit with the parameters of parts, all of them in order. @throws {CircuitError} for parts of another circuit */
export function joinParts(circuit: Circuit, parts: readonly TablePart[]): Circuit {
  requireCircuit(circuit);
  requireList("the parts", parts);
  const values = new Map<string, ParameterArray>();
  for (const [part, table] of parts.entries()) {
    for (const [id, { values: [from, to] }] of partSlices(circuit, part, parts.length)) {
      const some = table.get(id), all = circuit.parameters.get(id)!.values;
      if (some?.length !== to - from) {
        throw new CircuitError(
          "learning/state",
          `the parts are of another circuit: \`${id}\` has ${some?.length ?? 0} numbers, expected ${
            to - from
          }`,
        );
      }
      const known = values.get(id);
      if (known !== undefined) known.set(some, from);
      else if (some.length === all.length) values.set(id, some);
      else {
        const whole = all.slice();
        whole.set(some, from);
        values.set(id, whole);
      }
    }
  }
  return replaceValues(circuit, values);
}
