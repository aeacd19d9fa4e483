import {
  type Accumulated,
  type Activations,
  type Circuit,
  CircuitError,
  describeNode,
  type Flows,
  type InputNode,
  isBuiltIn,
  type NodeId,
  nodeOf,
  type ParameterArray,
  replaceValues,
  type Samples,
  type Semiring,
  type Tensor,
  type UpdateRule,
} from "../../circuits/mod.ts";
import { RetortError } from "../../foundation/errors.ts";
import type { Engine } from "../engine.ts";
import type { CallName, Calls } from "./protocol.ts";
import { type DeviceThread, threadOf } from "./thread.ts";
import type { TuningStore } from "./tuning.ts";

/** Options of {@link openRemote}. */
export interface RemoteOptions {
  /** Part of the adapter's name; see `DeviceOptions`. */
  readonly adapter?: string;
  /** Bytes for activations. */
  readonly memory?: number;
  /** Store for measurements that choose tiles; without one, nothing is measured. */
  readonly tuning?: TuningStore | undefined;
  /** Called when the device was lost and work continues on a new one. */
  readonly onLoss?: (reason: string) => void;
}

/**
 * Opens a WebGPU engine in a thread of its own, so that this thread is not blocked while the device computes: on some
 * runtimes, waiting for a device blocks the waiting thread. Engines on the same adapter share thread, device and
 * kernels.
 * @throws {RetortError} when there is no adapter, or no memory for the parameters
 * @throws {CircuitError} when the circuit has leaves of a family that is not built in
 */
export async function openRemote(circuit: Circuit, options: RemoteOptions = {}): Promise<RemoteEngine> {
  const { adapter, memory, tuning: store, onLoss } = options;
  refuseRegistered(circuit);
  const thread = await threadOf(adapter);
  const number = thread.enter(onLoss);
  try {
    const known = await store?.load();
    const given = { ...(memory !== undefined && { memory }), ...(known !== undefined && { tuning: known }) };
    const { adapter: name, tuning } = await thread.call(number, "open", circuit, given);
    if (JSON.stringify(tuning) !== JSON.stringify(known?.[name])) await store?.save(name, tuning);
    return new RemoteEngine(circuit, name, thread, number);
  } catch (error) {
    await thread.leave(number);
    throw error;
  }
}

/** Refuses leaf families registered in this thread: the device's thread does not have them. */
function refuseRegistered(circuit: Circuit): void {
  const own = circuit.nodes.find((node): node is InputNode =>
    node.kind === "input" && !isBuiltIn(node.family)
  );
  if (own === undefined) return;
  throw new CircuitError(
    "engine/no-leaf",
    `${
      describeNode(own)
    } is a ${own.family} leaf, which the engine webgpu cannot compute: its thread knows the built-in families alone`,
    { hint: "The engine cpu computes leaves of every family." },
  );
}

/** A WebGPU engine whose device is in another thread. */
export class RemoteEngine implements Engine {
  /** Which engine it is. */
  readonly name = "webgpu";
  /** See {@link Learner.circuit}. */
  circuit: Circuit;
  readonly #thread: DeviceThread;
  readonly #number: number;
  #closed = false;

  /** Wraps engine `number` of a thread; see {@link openRemote}. */
  constructor(circuit: Circuit, readonly adapter: string, thread: DeviceThread, number: number) {
    this.circuit = circuit;
    this.#thread = thread;
    this.#number = number;
  }

  /** See {@link Evaluator.logLikelihoods}. */
  logLikelihoods(samples: Samples): Promise<Float64Array> {
    return this.#call("logLikelihoods", samples);
  }

  /** See {@link Evaluator.activations}. */
  async activations(samples: Samples, semiring: Semiring = "sum"): Promise<Activations> {
    const values = await this.#call("activations", samples, semiring);
    return { of: (node) => values[nodeOf(this.circuit, node).id] as Float64Array };
  }

  /** See {@link Evaluator.leafFlows}. */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>> {
    return this.#call("leafFlows", samples, nodes);
  }

  /** See {@link Evaluator.flows}. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return this.#call("flows", samples, sampleWeights);
  }

  /** See {@link Learner.accumulate}. */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Accumulated> {
    return this.#call("accumulate", samples, sampleWeights);
  }

  /** See {@link Learner.update}. */
  update(rule: UpdateRule): Promise<void> {
    return this.#call("update", rule);
  }

  /** See {@link Learner.parameters}. */
  async parameters(): Promise<ReadonlyMap<string, ParameterArray>> {
    const values = await this.#call("parameters");
    this.#keep(values);
    return values;
  }

  /** See {@link Learner.setParameters}. */
  async setParameters(values: ReadonlyMap<string, ParameterArray>): Promise<void> {
    const copies = new Map([...values].map(([id, array]) => [id, array.slice()]));
    await this.#call("setParameters", copies);
    this.#keep(copies);
  }

  /** See {@link Learner.state}. */
  state(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#call("state");
  }

  /** See {@link Learner.restore}. */
  async restore(state: ReadonlyMap<string, Tensor>): Promise<void> {
    await this.#call("restore", state);
    this.#keep(await this.#call("parameters"));
  }

  /** Destroys the device as a driver fault would, for tests. */
  loseDevice(): Promise<void> {
    return this.#call("loseDevice");
  }

  /** See {@link Learner.close}. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const closing = this.#call("close");
    this.#closed = true;
    try {
      await closing;
    } finally {
      await this.#thread.leave(this.#number);
    }
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call<N extends CallName>(name: N, ...args: Parameters<Calls[N]>): Promise<ReturnType<Calls[N]>> {
    if (this.#closed) return Promise.reject(new RetortError("engine/closed", "the engine is closed"));
    return this.#thread.call(this.#number, name, ...args);
  }

  #keep(values: ReadonlyMap<string, ParameterArray>): void {
    this.circuit = replaceValues(
      this.circuit,
      new Map([...values].map(([id, array]) => [id, array.slice()])),
    );
  }
}
