import {
  type Accumulated,
  type Activations,
  checkRule,
  checkSamples,
  checkSampleWeights,
  type Circuit,
  type Flows,
  mapSoft,
  type NodeId,
  nodeOf,
  type ParameterArray,
  replaceValues,
  requireSingleRoot,
  type Samples,
  type Semiring,
  type Tensor,
  type UpdateRule,
  withParameters,
} from "../../circuits/mod.ts";
import { RetortError } from "../../foundation/errors.ts";
import type { Engine } from "../engine.ts";
import { DEFAULT_MEMORY } from "../memory.ts";
import { FarSamples } from "./far.ts";
import { countExactly, exactActivations, exactFlows, exactLikelihoods, weightsWithout } from "./far_exact.ts";
import { DeviceState } from "./device_state.ts";
import type { DeviceHost } from "./host.ts";
import { secondsAfter, SUBMISSION_SECONDS } from "./pace.ts";
import { ready, type Result, Sequence } from "./sequence.ts";
import { DeviceSession, type DeviceSessionOptions } from "./session.ts";
import { type Snapshot, stateOf, takeState } from "./state.ts";
import type { Tuning } from "./tuning.ts";

/** Options of {@link WebGpuEngine.open}. */
export interface WebGpuOptions extends Partial<DeviceSessionOptions> {
  /** Called when the device was lost and work continues on a new one. */
  readonly onLoss?: (reason: string) => void;
  /** Whether samples may be retained without copying until their work is final, because nobody else changes them. */
  readonly ownsSamples?: boolean;
}

/** Sample values, and operations, that may have to be repeated after a loss before a snapshot is taken instead. */
const REPEATED_VALUES = 2 ** 26, REPEATED_OPERATIONS = 1024;

/** Maximum batches whose results may be pending, to be fetched together. */
const WAITING = 8;

/**
 * The WebGPU engine, in the thread that owns the device.
 *
 * When the device is lost, another one is opened, and everything since the last snapshot of parameters and counts is
 * repeated (see sequence.ts): the caller notices only the delay.
 */
export class WebGpuEngine implements Engine {
  /** Which engine it is. */
  readonly name = "webgpu";
  /** See {@link Learner.circuit}. */
  circuit: Circuit;
  /** Number of device losses recovered from. */
  deviceLosses = 0;
  readonly #sequence: Sequence<DeviceSession>;
  readonly #ownsSamples: boolean;
  /** The host's view of the parameters and counts on the device. */
  readonly #known: DeviceState;
  readonly #far: FarSamples;
  /** The snapshot from which the sequence recovers after a loss. */
  #start: Snapshot;
  #repeatedValues = 0;

  private constructor(
    circuit: Circuit,
    session: DeviceSession,
    reopen: (losses: number) => Promise<DeviceSession>,
    { onLoss, ownsSamples = false }: WebGpuOptions,
  ) {
    this.circuit = circuit;
    this.#far = new FarSamples(circuit);
    this.#ownsSamples = ownsSamples;
    this.#known = new DeviceState(circuit);
    this.#start = this.#known.emptySnapshot();
    this.#sequence = new Sequence(session, {
      mostWaiting: WAITING,
      reopen: async (reason) => {
        if (reason !== undefined) {
          onLoss?.(reason);
          this.deviceLosses++;
        }
        const opened = await reopen(this.deviceLosses);
        await this.#known.load(opened, this.#start);
        return opened;
      },
    });
  }

  /**
   * Uploads a circuit to the device of `host`, which must outlive the engine.
   * @throws {RetortError} when there is no adapter, or no memory for the parameters
   */
  static async open(
    host: DeviceHost,
    circuit: Circuit,
    options: WebGpuOptions = {},
  ): Promise<WebGpuEngine> {
    const given: DeviceSessionOptions = { memory: DEFAULT_MEMORY, ...options };
    const session = await DeviceSession.open(host, circuit, given);
    // A new device uses the previous one's tiles, with shorter submissions.
    const tuning = given.tuning && { ...given.tuning, [session.open.adapter.name]: session.tuning };
    const { seconds = SUBMISSION_SECONDS } = given;
    const reopen = (losses: number) =>
      DeviceSession.open(host, circuit, { ...given, tuning, seconds: secondsAfter(losses, seconds) });
    return new WebGpuEngine(circuit, session, reopen, options);
  }

  /** Name of the adapter. */
  get adapter(): string {
    return this.#sequence.session.open.adapter.name;
  }

  /** Measurements of the adapter; see tuning.ts. */
  get tuning(): Tuning {
    return this.#sequence.session.tuning;
  }

  /** The current session, for tests and measurements; replaced after a loss. */
  get session(): DeviceSession {
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
        await this.#known.refresh(session);
        session.resident.setModes(this.#known.values);
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

  /** See {@link Evaluator.flows}; the accumulated counts are not changed. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return this.#sequence.add(async (session) => {
      this.#checkCounted(samples, sampleWeights);
      return ready(
        await session.resident.withOwnCounts(async () => {
          const { value } = await this.#run(session, samples, { sampleWeights });
          const counts = await session.resident.counts();
          const logLikelihoods = await value;
          return {
            logLikelihoods,
            weights: session.resident.store.weightCounts(
              counts.weights,
              (length) => new Float64Array(length),
            ),
            statistics: session.resident.store.plainStatistics(counts.statistics, this.#known.values),
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
      const { samples: counted, sampleWeights: weights } = kept, total = this.#known.counted;
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
      await this.#known.update(session, rule);
      return ready(undefined);
    }, true);
  }

  /** See {@link Learner.parameters}. */
  parameters(): Promise<ReadonlyMap<string, ParameterArray>> {
    return this.#sequence.add(async (session) => {
      await this.#known.refresh(session);
      this.circuit = replaceValues(this.circuit, new Map(this.#known.values));
      // Between an update and the next batch, the values just read are the entire state.
      if (this.#known.counted.samples === 0) {
        await this.#restart(this.#known.emptySnapshot());
      }
      return ready(new Map([...this.#known.values].map(([id, values]) => [id, values.slice()])));
    }, false);
  }

  /** See {@link Learner.setParameters}. */
  setParameters(values: ReadonlyMap<string, ParameterArray>): Promise<void> {
    const given = new Map([...values].map(([id, array]) => [id, array.slice()]));
    return this.#sequence.add(async (session) => {
      withParameters(this.circuit, given);
      await this.#known.refresh(session);
      await this.#known.setParameters(session, given);
      this.circuit = replaceValues(this.circuit, new Map(this.#known.values));
      return ready(undefined);
    }, true);
  }

  /** See {@link Learner.state}. */
  state(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#sequence.add(async (session) => {
      const snapshot = await this.#known.snapshot(session);
      await this.#restart(snapshot);
      return ready(stateOf(this.circuit, snapshot));
    }, false);
  }

  /** See {@link Learner.restore}. */
  restore(state: ReadonlyMap<string, Tensor>): Promise<void> {
    return this.#sequence.add(async (session) => {
      requireSingleRoot(this.circuit);
      const snapshot = takeState(this.circuit, state);
      await this.#known.load(session, snapshot);
      await this.#restart(snapshot);
      this.circuit = replaceValues(this.circuit, new Map(this.#known.values));
      return ready(undefined);
    }, true);
  }

  /** See {@link Learner.close}. */
  close(): Promise<void> {
    return this.#sequence.close(new RetortError("engine/closed", "the engine is closed"));
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Likelihoods and counts from the session, and from the host where real values are too far for the device. */
  async #run(
    session: DeviceSession,
    samples: Samples,
    counting?: { readonly sampleWeights: ArrayLike<number> | undefined },
  ): Promise<Result<Float64Array>> {
    const { far, circuit } = await this.#farSamples(session, samples);
    const { value } = await session.run(
      samples,
      counting && { sampleWeights: weightsWithout(samples, counting.sampleWeights, far) },
    );
    const exact = value.then((logs) => exactLikelihoods(circuit, samples, far, logs));
    // The rejection is handled where the promise is awaited; refused or lost results are not awaited.
    exact.catch(() => {});
    if (counting !== undefined) await countExactly(session, circuit, samples, counting.sampleWeights, far);
    return { value: exact };
  }

  /** Samples too far for the device, and the circuit to compute them with on the host. */
  async #farSamples(session: DeviceSession, samples: Samples): Promise<{ far: number[]; circuit: Circuit }> {
    const real = this.#far.find(samples, this.#known.values), soft = session.softForHost(samples);
    const far = soft.length === 0 ? real : [...new Set([...real, ...soft])].sort((a, b) => a - b);
    if (far.length === 0) return { far, circuit: this.circuit };
    await this.#known.refresh(session);
    return { far, circuit: withParameters(this.circuit, new Map(this.#known.values)) };
  }

  #checkCounted(samples: Samples, sampleWeights: ArrayLike<number> | undefined): void {
    requireSingleRoot(this.circuit);
    checkSamples(this.circuit, samples);
    checkSampleWeights(samples, sampleWeights);
  }

  async #restart(snapshot: Snapshot): Promise<void> {
    await this.#sequence.restart();
    this.#start = snapshot;
    this.#repeatedValues = 0;
  }

  /** Replaces operations that would take long to repeat by a snapshot of the device. */
  async #shortenJournal(session: DeviceSession, samples: Samples): Promise<void> {
    this.#repeatedValues += numbersOf(samples);
    if (this.#repeatedValues < REPEATED_VALUES && this.#sequence.length < REPEATED_OPERATIONS) return;
    await this.#restart(await this.#known.snapshot(session));
    this.#repeatedValues = numbersOf(samples);
  }
}

function copyOf(samples: Samples): Samples {
  const { values, observed, externals, soft } = samples;
  return {
    ...samples,
    values: values.slice(),
    ...(observed && { observed: observed.slice() }),
    ...(externals && { externals: new Map([...externals].map(([v, logs]) => [v, logs.slice()])) }),
    ...(soft && { soft: mapSoft(soft, samples.count, (array) => array.slice() as typeof array) }),
  };
}

/** Number of sample values that are retained. */
function numbersOf({ values, soft }: Samples): number {
  return [...soft?.values() ?? []].reduce((total, { weights }) => total + weights.length, values.length);
}

function impossibleOf(logs: Float64Array): number {
  return logs.reduce((count, log) => count + (log === -Infinity ? 1 : 0), 0);
}
