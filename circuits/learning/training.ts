import { type Circuit, type ParameterArray, parameterOf, replaceValues } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireEvaluator, requireObject, requireWhole } from "../guards.ts";
import { type Accumulated, checkRule, type Learner } from "../learner.ts";
import type { Tensor } from "../safetensors.ts";
import type { Samples } from "../samples.ts";
import { dropValues } from "./dropout.ts";
import { type Course, courseOf } from "./course.ts";
import { type FullOptions, fullOptions, mostFalls, ruleAt, type TrainingOptions } from "./options.ts";
import { isBetter, type Score, scoreOf, ScoreSum } from "./score.ts";
import { requireNumbers, requireScore } from "./numbers.ts";
import { shuffled } from "./shuffle.ts";
import { StateDropout } from "./state_dropout.ts";
import {
  ascending,
  type Batch,
  batchCount,
  batchOf,
  readBatch,
  type SampleSource,
  weightOf,
} from "./source.ts";
import type { EpochReport, Progress, TrainingState } from "./state.ts";
import { fallWarning, isMonotone, lostUnitsWarning } from "./warnings.ts";

/** Data for {@link EmTraining}. */
export interface TrainingData {
  /** The samples to learn from. */
  readonly train: SampleSource;
  /** The samples that select the best epoch; without them the last epoch is used. */
  readonly valid?: SampleSource;
}

/**
 * Training by expectation maximisation, one batch at a time: full-batch or mini-batch, see {@link TrainingOptions}.
 * Between calls of {@link EmTraining.step} its state can be saved and resumed in another process, with bit-identical
 * results.
 *
 * ```ts
 * import { EmTraining, hmm, ReferenceLearner, samplesFromRows, sourceOf } from "../mod.ts";
 *
 * const learner = new ReferenceLearner(hmm({ length: 3, states: 2, symbols: 2 }));
 * const train = sourceOf(samplesFromRows([[0, 0, 1], [0, 1, 1], [0, 0, 1]]));
 * const training = new EmTraining(learner, { train }, { epochs: 10, batchSize: 3 });
 * for await (const { epoch, train } of training) console.log(epoch, train?.logLikelihood);
 * const trained = await training.result();
 * ```
 *
 * A report warns if an update lowered the likelihood of all samples, which EM never does, and if the first update left
 * units without any weight.
 *
 * With validation samples every epoch is scored, including the start, and the best parameters are kept.
 */
export class EmTraining implements AsyncIterable<EpochReport> {
  readonly #learner: Learner;
  readonly #data: TrainingData;
  readonly #options: FullOptions;
  readonly #batches: number;
  /** Total weight of the training samples. */
  readonly #weight: number;
  /** The circuit that training starts from. */
  readonly #start: Circuit;
  /** Whether updates can never lower the likelihood of the training samples. */
  readonly #monotone: boolean;
  readonly #stateDropout: StateDropout | undefined;
  #progress: Progress;
  #best: ReadonlyMap<string, ParameterArray> | undefined;
  /** Parameters since the last update, where states are dropped of them. */
  #current: ReadonlyMap<string, ParameterArray> | undefined;
  #order: { epoch: number; indices: Uint32Array } | undefined;
  /** The batch that is being prefetched. */
  #ahead: { epoch: number; batch: number; read: Promise<Batch> } | undefined;

  /**
   * Starts from the learner's current parameters.
   * @throws {CircuitError} when the options make no sense, for the circuit or at all
   */
  constructor(learner: Learner, data: TrainingData, options: TrainingOptions) {
    requireEvaluator(learner);
    requireObject("the data of a training", data, ["train"]);
    this.#learner = learner;
    this.#data = data;
    const { train, valid } = data;
    this.#weight = weightOf(train, "training");
    if (valid !== undefined) weightOf(valid, "validation");
    this.#options = fullOptions(options, train.count);
    checkRule(learner.circuit, ruleAt(this.#options, 0, 1));
    const { stateDropout, seed } = this.#options;
    if (stateDropout > 0) this.#stateDropout = new StateDropout(learner.circuit, stateDropout, seed);
    this.#batches = batchCount(train.count, this.#options.batchSize);
    this.#start = learner.circuit;
    this.#monotone = learner.smooths !== true && isMonotone(learner.circuit, this.#options, this.#batches);
    this.#progress = {
      epoch: valid === undefined ? 1 : 0,
      batch: 0,
      scoring: valid !== undefined,
      updates: 0,
      accumulated: 0,
      sums: { total: 0, weight: 0, impossible: 0, samples: 0 },
      best: undefined,
      reports: [],
    };
  }

  /** The current position in the training. */
  get progress(): Readonly<Progress> {
    return this.#progress;
  }

  /** Steps of the whole training unless it stops early; for progress displays. */
  get steps(): { done: number; total: number } {
    const { epoch, batch } = this.#progress;
    return {
      done: Math.max(0, epoch - 1) * this.#batches + batch,
      total: this.#options.epochs * this.#batches,
    };
  }

  /** Whether all epochs are over, or patience has run out. */
  get done(): boolean {
    const { epoch, scoring } = this.#progress;
    return !scoring && (epoch > this.#options.epochs || this.#course().over);
  }

  /**
   * Whether the validation samples showed that more EM does not help: patience ended the training or, without patience,
   * an earlier epoch is better than the last one. Undefined without validation samples.
   */
  get converged(): boolean | undefined {
    return this.#data.valid === undefined ? undefined : this.#course().converged;
  }

  /** Trains on one batch or, at the end of an epoch, scores it and returns its report. */
  async step(): Promise<EpochReport | undefined> {
    if (this.done) {
      throw new CircuitError("learning/finished", "the training is over: there is no further step");
    }
    if (!this.#progress.scoring) {
      await this.#trainOnBatch();
      // Without validation there is nothing to score.
      if (!this.#progress.scoring || this.#data.valid !== undefined) return undefined;
    }
    return await this.#endEpoch();
  }

  /** Runs to the end, epoch by epoch. */
  async *[Symbol.asyncIterator](): AsyncGenerator<EpochReport> {
    while (!this.done) {
      const report = await this.step();
      if (report !== undefined) yield report;
    }
  }

  /** Sets the learner to the best parameters (without validation: leaves it at the last) and returns the circuit. */
  async result(): Promise<Circuit> {
    if (this.#best !== undefined) await this.#learner.setParameters(this.#best);
    const parameters = await this.#learner.parameters();
    requireNumbers(this.#learner.circuit, parameters, "At the end of the training");
    return replaceValues(this.#learner.circuit, parameters);
  }

  /** The complete state from which the training can be resumed. */
  async state(): Promise<TrainingState> {
    const tensors = new Map<string, Tensor>();
    for (const [name, tensor] of await this.#learner.state()) tensors.set(`learner/${name}`, tensor);
    for (const [id, values] of this.#best ?? []) {
      tensors.set(`best/${id}`, { shape: parameterOf(this.#learner.circuit, id).shape, values });
    }
    return { progress: structuredClone(this.#progress), tensors };
  }

  /** Restores a state of a training with the same circuit, data and options. */
  async restore(state: TrainingState): Promise<void> {
    const learner = new Map<string, Tensor>(), best = new Map<string, ParameterArray>();
    for (const [name, tensor] of state.tensors) {
      if (name.startsWith("learner/")) learner.set(name.slice("learner/".length), tensor);
      else best.set(name.slice("best/".length), tensor.values as ParameterArray);
    }
    const { batch, epoch, updates } = state.progress;
    requireWhole("the batch of the state", batch, 0);
    requireWhole("the epoch of the state", epoch, 0);
    requireWhole("the updates of the state", updates, 0);
    if (batch > this.#batches || epoch > this.#options.epochs + 1) {
      throw new CircuitError("learning/state", "the state is of a training with other data or options");
    }
    await this.#learner.restore(learner);
    this.#best = best.size > 0 ? best : undefined;
    this.#progress = structuredClone(state.progress);
    this.#ahead = undefined;
    this.#current = undefined;
  }

  async #trainOnBatch(): Promise<void> {
    const progress = this.#progress, options = this.#options;
    const { samples, weights } = await this.#read(progress.epoch, progress.batch);
    const accumulated = this.#accumulate(samples, weights, await this.#fewerStates());
    // Prefetch the next batch while the engine works on this one.
    if (progress.batch + 1 < this.#batches) this.#readAhead(progress.epoch, progress.batch + 1);
    const weight = progress.accumulated + (weights === undefined ? samples.count : sumOf(weights));
    const last = progress.batch + 1 === this.#batches;
    const updates = last || (progress.batch + 1) % options.batchesPerUpdate === 0;
    const updated = updates ? this.#learner.update(this.#rule(weight)) : undefined;
    const [{ logLikelihoods }] = await Promise.all([accumulated, updated]);
    if (updates) this.#current = undefined;
    const sum = Object.assign(new ScoreSum(), progress.sums);
    sum.add(logLikelihoods, weights);
    progress.sums = { ...sum };
    progress.accumulated = updates ? 0 : weight;
    if (updates && progress.updates++ === 0 && this.#learner.smooths !== true) {
      const lost = lostUnitsWarning(this.#start, await this.#learner.parameters(), weight);
      if (lost !== undefined) progress.warnings = [lost];
    }
    progress.batch++;
    progress.scoring = last;
  }

  /** Parameters without the states that are dropped for the present batch; undefined where none are. */
  async #fewerStates(): Promise<ReadonlyMap<string, ParameterArray> | undefined> {
    if (this.#stateDropout === undefined) return undefined;
    const { epoch, batch } = this.#progress;
    this.#current ??= await this.#learner.parameters();
    return this.#stateDropout.without(this.#current, this.#stateDropout.kept(epoch, batch));
  }

  /** The E-step of a batch, with other parameters where there are any; calls of the learner are made before this returns. */
  async #accumulate(
    samples: Samples,
    weights: ArrayLike<number> | undefined,
    other: ReadonlyMap<string, ParameterArray> | undefined,
  ): Promise<Accumulated> {
    if (other === undefined) return await this.#learner.accumulate(samples, weights);
    const own = new Map(this.#current!.entries().filter(([id]) => other.has(id)));
    const [, accumulated] = await Promise.all([
      this.#learner.setParameters(other),
      this.#learner.accumulate(samples, weights),
      this.#learner.setParameters(own),
    ]);
    return accumulated;
  }

  async #endEpoch(): Promise<EpochReport> {
    const progress = this.#progress, { valid } = this.#data;
    const { circuit } = this.#learner;
    const trained = progress.epoch === 0
      ? undefined
      : Object.assign(new ScoreSum(), progress.sums).score(circuit.variables.length);
    const scored = valid && await scoreOf(this.#learner, valid, this.#options.scoredTogether);
    const score = scored ?? trained as Score;
    const when = `After epoch ${progress.epoch}`;
    for (const one of [trained, scored]) {
      if (one === undefined || !Number.isNaN(one.logLikelihood)) continue;
      requireNumbers(circuit, await this.#learner.parameters(), when);
      requireScore(one.logLikelihood, when);
    }
    const fall = this.#monotone ? fallWarning(progress.reports.at(-1)?.train, trained) : undefined;
    const warnings = [...progress.warnings ?? [], ...(fall === undefined ? [] : [fall])];
    const best = progress.best === undefined || isBetter(score, progress.best.score, this.#options.tolerance);
    // Read before anything changes, so that the step can be retried if this throws.
    if (best && valid !== undefined) {
      const parameters = await this.#learner.parameters();
      requireNumbers(circuit, parameters, when);
      this.#best = parameters;
    }
    if (best) progress.best = { epoch: progress.epoch, score };
    const report: EpochReport = {
      epoch: progress.epoch,
      ...(trained && { train: trained }),
      ...(scored && { valid: scored }),
      best,
      ...(warnings.length > 0 && { warnings }),
    };
    progress.reports.push(report);
    delete progress.warnings;
    progress.epoch++;
    progress.batch = 0;
    progress.scoring = false;
    progress.sums = { total: 0, weight: 0, impossible: 0, samples: 0 };
    return report;
  }

  #course(): Course {
    const { patience, tolerance, round } = this.#options;
    return courseOf(this.#progress.reports, {
      patience,
      tolerance,
      round,
      mostFalls: mostFalls(this.#options),
    });
  }

  #rule(weight: number) {
    const { batchesPerUpdate, epochs } = this.#options;
    const total = epochs * Math.ceil(this.#batches / Math.min(batchesPerUpdate, this.#batches));
    const progress = Math.min(1, this.#progress.updates / Math.max(1, total - 1));
    const part = this.#weight > 0 ? weight / this.#weight : 0;
    return ruleAt(this.#options, progress, part, this.#course().falls);
  }

  #read(epoch: number, batch: number): Promise<Batch> {
    if (this.#ahead?.epoch !== epoch || this.#ahead.batch !== batch) this.#readAhead(epoch, batch);
    const { read } = this.#ahead as { read: Promise<Batch> };
    this.#ahead = undefined;
    return read;
  }

  #readAhead(epoch: number, batch: number): void {
    const { dropout, seed, batchSize } = this.#options;
    const indices = batchOf(this.#orderOf(epoch), batch, batchSize);
    const read = readBatch(this.#data.train, indices).then((b) => dropValues(b, dropout, seed, epoch));
    read.catch(() => {}); // reported when the batch is awaited
    this.#ahead = { epoch, batch, read };
  }

  #orderOf(epoch: number): Uint32Array {
    const { shuffle, shuffleBlock, seed } = this.#options, { count } = this.#data.train;
    if (this.#order?.epoch !== epoch) {
      this.#order = {
        epoch,
        indices: shuffle ? shuffled(count, seed, epoch, shuffleBlock) : ascending(count),
      };
    }
    return this.#order.indices;
  }
}

function sumOf(weights: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i] as number;
  return total;
}
