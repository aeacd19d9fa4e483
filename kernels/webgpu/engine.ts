import {
  type Accumulated,
  type Activations,
  applyUpdate,
  checkRule,
  checkSamples,
  checkSampleWeights,
  type Circuit,
  CountedWeight,
  type Flows,
  type InputNode,
  type NodeId,
  nodeOf,
  type ParameterArray,
  parameterOwners,
  recentreStatistics,
  replaceValues,
  requireSingleRoot,
  type Samples,
  type Semiring,
  settingsFor,
  type Tensor,
  type UpdateRule,
  withParameters,
} from "../../circuits/mod.ts";
import { RetortError } from "../../foundation/errors.ts";
import type { Engine } from "../engine.ts";
import { DEFAULT_MEMORY } from "../memory.ts";
import { deviceMoments, ROUNDING } from "./encode.ts";
import { FarSamples } from "./far.ts";
import { countExactly, exactActivations, exactFlows, exactLikelihoods, weightsWithout } from "./far_exact.ts";
import type { DeviceHost } from "./host.ts";
import { isDeviceFamily } from "./machine.ts";
import { secondsAfter, SUBMISSION_SECONDS } from "./pace.ts";
import { ready, type Result, Sequence } from "./sequence.ts";
import { Session, type SessionOptions } from "./session.ts";
import { type Snapshot, stateOf, takeState } from "./state.ts";
import type { Tuning } from "./tuning.ts";

/** What {@link WebGpuEngine.open} may be told. */
export interface WebGpuOptions extends Partial<SessionOptions> {
  /** Called when the device was lost and the work goes on with a new one. */
  readonly onLoss?: (reason: string) => void;
  /** Whether samples may be kept as they are until their work is done for good: nobody else changes them. */
  readonly ownsSamples?: boolean;
}

/** Values of samples, and operations, that may have to be repeated after a loss before a copy is made instead. */
const REPEATED_VALUES = 2 ** 26, REPEATED_OPERATIONS = 1024;

/** Batches whose results may wait to be fetched together. */
const WAITING = 8;

/**
 * The WebGPU engine in the thread that holds the device.
 *
 * When the device is lost, another one is opened, and what was done since the last copy of parameters and counts is
 * done again (see sequence.ts): the caller notices nothing but the time.
 */
export class WebGpuEngine implements Engine {
  /** Which engine it is. */
  readonly name = "webgpu";
  /** See {@link Learner.circuit}. */
  circuit: Circuit;
  /** Device losses that were survived. */
  losses = 0;
  readonly #sequence: Sequence<Session>;
  readonly #ownsSamples: boolean;
  /** Values of all parameters; of those that the device changes, as of the last read. Arrays are never changed. */
  #values: Map<string, ParameterArray>;
  /** Weight of the samples that were counted; another object after every update. */
  #counted: { readonly weight: CountedWeight; samples: number };
  readonly #far: FarSamples;
  /** What the sequence begins from after a loss. */
  #start: Snapshot;
  #repeatedValues = 0;

  private constructor(
    circuit: Circuit,
    session: Session,
    reopen: (losses: number) => Promise<Session>,
    { onLoss, ownsSamples = false }: WebGpuOptions,
  ) {
    this.circuit = circuit;
    this.#far = new FarSamples(circuit);
    this.#ownsSamples = ownsSamples;
    this.#counted = { weight: new CountedWeight(circuit), samples: 0 };
    this.#values = new Map([...circuit.parameters].map(([id, { values }]) => [id, values.slice()]));
    this.#start = this.#emptySnapshot();
    this.#sequence = new Sequence(session, {
      mostWaiting: WAITING,
      reopen: async (reason) => {
        if (reason !== undefined) {
          onLoss?.(reason);
          this.losses++;
        }
        const opened = await reopen(this.losses);
        await this.#load(opened, this.#start);
        return opened;
      },
    });
  }

  /**
   * Puts a circuit on the device of `host`, which must outlive the engine.
   * @throws {RetortError} when there is no adapter, or no memory for the parameters
   */
  static async open(
    host: DeviceHost,
    circuit: Circuit,
    options: WebGpuOptions = {},
  ): Promise<WebGpuEngine> {
    const given: SessionOptions = { memory: DEFAULT_MEMORY, ...options };
    const session = await Session.open(host, circuit, given);
    // A new device computes with the tiles of the one before, and is not given as much work at a time.
    const tuning = given.tuning && { ...given.tuning, [session.open.adapter.name]: session.tuning };
    const { seconds = SUBMISSION_SECONDS } = given;
    const reopen = (losses: number) =>
      Session.open(host, circuit, { ...given, tuning, seconds: secondsAfter(losses, seconds) });
    return new WebGpuEngine(circuit, session, reopen, options);
  }

  /** Name of the adapter. */
  get adapter(): string {
    return this.#sequence.session.open.adapter.name;
  }

  /** What is known of the tiles of the adapter; see tuning.ts. */
  get tuning(): Tuning {
    return this.#sequence.session.tuning;
  }

  /** The session, for tests and measurements; another one after a loss. */
  get session(): Session {
    return this.#sequence.session;
  }

  /** See {@link Evaluator.logLikelihoods}. */
  logLikelihoods(samples: Samples): Promise<Float64Array> {
    return this.#sequence.add((session) => {
      checkSamples(this.circuit, samples);
      return this.#run(session, samples);
    }, false);
  }

  /** See {@link Evaluator.activations}. */
  activations(samples: Samples, semiring: Semiring = "sum"): Promise<Activations> {
    return this.#sequence.add(async (session) => {
      checkSamples(this.circuit, samples);
      if (semiring === "max") {
        await this.#refresh(session);
        session.setModes(this.#values);
      }
      const values = await session.activations(samples, semiring);
      const { far, circuit } = await this.#farSamples(session, samples);
      exactActivations(circuit, samples, far, semiring, values);
      return ready({ of: (node: NodeId) => values[nodeOf(this.circuit, node).id] as Float64Array });
    }, false);
  }

  /** See {@link Evaluator.leafFlows}. */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>> {
    return this.#sequence.add(async (session) => {
      checkSamples(this.circuit, samples);
      requireSingleRoot(this.circuit);
      const flows = await session.leafFlows(samples, nodes);
      const { far, circuit } = await this.#farSamples(session, samples);
      exactFlows(circuit, samples, far, flows);
      return ready(flows);
    }, false);
  }

  /** See {@link Evaluator.flows}; the accumulated counts stay as they are. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return this.#sequence.add(async (session) => {
      this.#checkCounted(samples, sampleWeights);
      return ready(
        await session.withOwnCounts(async () => {
          const { value } = await this.#run(session, samples, { sampleWeights });
          const counts = await session.counts();
          const logLikelihoods = await value;
          return {
            logLikelihoods,
            weights: session.store.weightCounts(counts.weights, (length) => new Float64Array(length)),
            statistics: session.store.plainStatistics(counts.statistics, this.#values),
            impossible: impossibleOf(logLikelihoods),
          };
        }),
      );
    }, false);
  }

  /** See {@link Learner.accumulate}. */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Accumulated> {
    let kept: { samples: Samples; sampleWeights: ArrayLike<number> | undefined } | undefined;
    return this.#sequence.add(async (session): Promise<Result<Accumulated>> => {
      if (kept === undefined) {
        this.#checkCounted(samples, sampleWeights);
        await this.#shortenJournal(session, samples);
        kept = this.#ownsSamples ? { samples, sampleWeights } : {
          samples: copyOf(samples),
          sampleWeights: sampleWeights && Float64Array.from(sampleWeights),
        };
      }
      const { samples: counted, sampleWeights: weights } = kept, total = this.#counted;
      total.samples += counted.count;
      const { value } = await this.#run(session, counted, { sampleWeights: weights });
      return {
        value: value.then((logLikelihoods) => {
          total.weight.add(counted, logLikelihoods, weights);
          return { logLikelihoods, impossible: impossibleOf(logLikelihoods) };
        }),
      };
    }, true);
  }

  /** See {@link Learner.update}. */
  update(rule: UpdateRule): Promise<void> {
    return this.#sequence.add(async (session) => {
      requireSingleRoot(this.circuit);
      checkRule(this.circuit, rule);
      await this.#apply(session, rule);
      return ready(undefined);
    }, true);
  }

  /** See {@link Learner.parameters}. */
  parameters(): Promise<ReadonlyMap<string, ParameterArray>> {
    return this.#sequence.add(async (session) => {
      await this.#refresh(session);
      this.circuit = replaceValues(this.circuit, new Map(this.#values));
      // Between an update and the next batch, what was just read is all there is.
      if (this.#counted.samples === 0) {
        await this.#restart(this.#emptySnapshot());
      }
      return ready(new Map([...this.#values].map(([id, values]) => [id, values.slice()])));
    }, false);
  }

  /** See {@link Learner.setParameters}. */
  setParameters(values: ReadonlyMap<string, ParameterArray>): Promise<void> {
    const given = new Map([...values].map(([id, array]) => [id, array.slice()]));
    return this.#sequence.add(async (session) => {
      withParameters(this.circuit, given);
      await this.#refresh(session);
      await this.#moveMoments(session, given);
      session.setParameters(given);
      await session.consented();
      for (const [id, array] of given) this.#values.set(id, array);
      this.circuit = replaceValues(this.circuit, new Map(this.#values));
      return ready(undefined);
    }, true);
  }

  /** See {@link Learner.state}. */
  state(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#sequence.add(async (session) => {
      const snapshot = await this.#snapshot(session);
      await this.#restart(snapshot);
      return ready(stateOf(this.circuit, snapshot));
    }, false);
  }

  /** See {@link Learner.restore}. */
  restore(state: ReadonlyMap<string, Tensor>): Promise<void> {
    return this.#sequence.add(async (session) => {
      requireSingleRoot(this.circuit);
      const snapshot = takeState(this.circuit, state);
      await this.#load(session, snapshot);
      await this.#restart(snapshot);
      this.circuit = replaceValues(this.circuit, new Map(this.#values));
      return ready(undefined);
    }, true);
  }

  /** See {@link Learner.close}. */
  close(): Promise<void> {
    return this.#sequence.close(new RetortError("the engine is closed"));
  }

  /** The session's likelihoods and counts, the host's where real values are too far for the device. */
  async #run(
    session: Session,
    samples: Samples,
    counting?: { readonly sampleWeights: ArrayLike<number> | undefined },
  ): Promise<Result<Float64Array>> {
    const { far, circuit } = await this.#farSamples(session, samples);
    const { value } = await session.run(
      samples,
      counting && { sampleWeights: weightsWithout(samples, counting.sampleWeights, far) },
    );
    const exact = value.then((logs) => exactLikelihoods(circuit, samples, far, logs));
    // Whoever waits is told; what was refused or lost is waited for by nobody.
    exact.catch(() => {});
    if (counting !== undefined) await countExactly(session, circuit, samples, counting.sampleWeights, far);
    return { value: exact };
  }

  /** Samples that are too far for the device, and the circuit that says what it cannot. */
  async #farSamples(session: Session, samples: Samples): Promise<{ far: number[]; circuit: Circuit }> {
    const far = this.#far.find(samples, this.#values);
    if (far.length === 0) return { far, circuit: this.circuit };
    await this.#refresh(session);
    return { far, circuit: withParameters(this.circuit, new Map(this.#values)) };
  }

  #checkCounted(samples: Samples, sampleWeights: ArrayLike<number> | undefined): void {
    requireSingleRoot(this.circuit);
    checkSamples(this.circuit, samples);
    checkSampleWeights(samples, sampleWeights);
  }

  /** The M-step: on the device what can be, the rest from counts that are read back. */
  async #apply(session: Session, rule: UpdateRule): Promise<void> {
    const updater = await session.updater();
    const host = this.#hostParameters(rule);
    if (rule.step.kind === "anemone") {
      // The weight of the samples is known when their likelihoods are.
      await session.fetch();
      await updater.gatherPriors(await session.topDown(), this.#counted.weight);
    }
    const fresh = host.size > 0 ? await this.#applyOnHost(session, rule, host) : undefined;
    updater.update(rule, this.#counted.weight.total, host);
    if (fresh !== undefined) session.setParameters(fresh);
    for (const [id, values] of fresh ?? []) this.#values.set(id, values);
    this.#counted = { weight: new CountedWeight(this.circuit), samples: 0 };
  }

  /** Parameters that learn on the host: no closed form, or smoothed by a distribution of their own. */
  #hostParameters(rule: UpdateRule): Set<string> {
    const host = new Set<string>();
    for (const [id, node] of parameterOwners(this.circuit)) {
      const { frozen, base } = settingsFor(rule, id, node.kind);
      if (frozen) continue;
      if (base !== undefined || (node.kind === "input" && !isDeviceFamily(node.family))) host.add(id);
    }
    return host;
  }

  /** New values of the parameters that learn on the host. */
  async #applyOnHost(
    session: Session,
    rule: UpdateRule,
    host: ReadonlySet<string>,
  ): Promise<Map<string, ParameterArray>> {
    if ([...host].some((id) => session.store.isOnDevice(id))) await this.#refresh(session);
    const counts = await session.counts();
    const masses = rule.step.kind === "anemone" ? await session.masses() : undefined;
    const { weight } = this.#counted;
    const priors = masses &&
      new Map([...masses].map(([id, rows]) => [id, Float64Array.from(rows, (mass) => mass * weight.total)]));
    const values = new Map([...host].map((id) => [id, (this.#values.get(id) as ParameterArray).slice()]));
    applyUpdate(this.circuit, values, {
      weights: session.store.weightCounts(counts.weights, (length) => new Float32Array(length)),
      statistics: session.store.plainStatistics(counts.statistics, this.#values),
      weight,
      ...(priors !== undefined && { priors }),
      // Twice what is left where it is lost.
      rounding: 2 * ROUNDING,
    }, rule);
    return values;
  }

  /** Reads the parameters that the device changes. */
  async #refresh(session: Session): Promise<void> {
    for (const [id, values] of await session.parameters()) this.#values.set(id, values);
  }

  /** Statistics of Gaussian leaves are moments about the mean: a new mean from outside moves them. */
  async #moveMoments(session: Session, given: ReadonlyMap<string, ParameterArray>): Promise<void> {
    const owners = parameterOwners(this.circuit);
    const moved = [...given.keys()].filter((id) => (owners.get(id) as InputNode).family === "gaussian");
    if (moved.length === 0 || this.#counted.samples === 0) return;
    const counts = await session.counts();
    const plain = session.store.plainStatistics(
      counts.statistics,
      this.#values,
      (family) => family === "gaussian",
    );
    recentreStatistics(this.circuit, plain, this.#values, given);
    const about = new Map(moved.map((id) => [
      id,
      deviceMoments(plain.get(id) as Float64Array, given.get(id) as ParameterArray),
    ]));
    await session.setCounts(new Map(), about);
  }

  /** Parameters and counts as the device has them. */
  async #snapshot(session: Session): Promise<Snapshot> {
    await session.fetch();
    await this.#refresh(session);
    const counts = await session.counts();
    return {
      values: new Map(this.#values),
      weights: session.store.weightCounts(counts.weights, (length) => new Float32Array(length)),
      statistics: session.store.statistics(counts.statistics, (length) => new Float32Array(length)),
      weight: this.#counted.weight.save(),
    };
  }

  /** The values as they were read last, and no counts. */
  #emptySnapshot(): Snapshot {
    return {
      values: new Map(this.#values),
      weights: new Map(),
      statistics: new Map(),
      weight: new CountedWeight(this.circuit).save(),
    };
  }

  async #load(session: Session, snapshot: Snapshot): Promise<void> {
    this.#values = new Map(snapshot.values);
    session.setParameters(this.#values);
    await session.clearCounts();
    await session.setCounts(snapshot.weights, snapshot.statistics);
    const weight = new CountedWeight(this.circuit);
    weight.restore(snapshot.weight);
    this.#counted = { weight, samples: snapshot.weights.size };
  }

  async #restart(snapshot: Snapshot): Promise<void> {
    await this.#sequence.restart();
    this.#start = snapshot;
    this.#repeatedValues = 0;
  }

  /** Operations that would be long to repeat are replaced by a copy of what the device holds. */
  async #shortenJournal(session: Session, samples: Samples): Promise<void> {
    this.#repeatedValues += samples.values.length;
    if (this.#repeatedValues < REPEATED_VALUES && this.#sequence.length < REPEATED_OPERATIONS) return;
    await this.#restart(await this.#snapshot(session));
    this.#repeatedValues = samples.values.length;
  }
}

function copyOf(samples: Samples): Samples {
  const { values, observed, externals } = samples;
  return {
    ...samples,
    values: values.slice(),
    ...(observed && { observed: observed.slice() }),
    ...(externals && { externals: new Map([...externals].map(([v, logs]) => [v, logs.slice()])) }),
  };
}

function impossibleOf(logs: Float64Array): number {
  return logs.reduce((count, log) => count + (log === -Infinity ? 1 : 0), 0);
}
