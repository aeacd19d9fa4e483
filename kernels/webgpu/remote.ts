import {
  type Accumulated,
  type Activations,
  type Circuit,
  type Flows,
  type NodeId,
  nodeOf,
  type Samples,
  type Semiring,
  type Tensor,
  type UpdateRule,
  withParameters,
} from "../../circuits/mod.ts";
import { RetortError } from "../../foundation/errors.ts";
import type { Engine } from "../engine.ts";
import type { DeviceOptions } from "./device.ts";
import type { Port, serveEngines } from "./serve.ts";
import { type CallName, type Calls, errorOf, type Reply, type Request, type Settings } from "./protocol.ts";

/** What {@link openRemote} may be told. */
export interface RemoteOptions {
  /** Part of the adapter's name; see `DeviceOptions`. */
  readonly adapter?: string;
  /** Bytes that activations may take. */
  readonly memory?: number;
  /** Called when the device was lost and the work goes on with a new one. */
  readonly onLoss?: (reason: string) => void;
}

/** Threads in use, by the adapter that was asked for. */
const threads = new Map<string, DeviceThread>();

/**
 * Opens a WebGPU engine in a thread of its own, so that this one goes on while the device computes: waiting for a
 * device blocks the waiting thread on some runtimes. Engines on the same adapter share thread, device and kernels.
 * @throws {RetortError} when there is no adapter, or no memory for the parameters
 */
export async function openRemote(circuit: Circuit, options: RemoteOptions = {}): Promise<RemoteEngine> {
  const { adapter, memory, onLoss } = options;
  // Also where there are workers: so the code of the thread is part of what bundles of this module hold.
  const { serveEngines } = await import("./serve.ts");
  const thread = threads.getOrInsertComputed(
    adapter ?? "",
    (name) =>
      new DeviceThread(adapter === undefined ? {} : { adapter }, serveEngines, () => threads.delete(name)),
  );
  const number = thread.enter(onLoss);
  try {
    const given = memory === undefined ? {} : { memory };
    const { adapter: name } = await thread.call(number, "open", circuit, given);
    return new RemoteEngine(circuit, name, thread, number);
  } catch (error) {
    thread.leave(number);
    throw error;
  }
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

  /** Engine `number` of a thread; see {@link openRemote}. */
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
  async parameters(): Promise<ReadonlyMap<string, Float32Array>> {
    const values = await this.#call("parameters");
    this.#keep(values);
    return values;
  }

  /** See {@link Learner.setParameters}. */
  async setParameters(values: ReadonlyMap<string, Float32Array>): Promise<void> {
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

  /** Destroys the device as a fault of the driver would: for tests. */
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
      this.#thread.leave(this.#number);
    }
  }

  #call<N extends CallName>(name: N, ...args: Parameters<Calls[N]>): Promise<ReturnType<Calls[N]>> {
    if (this.#closed) return Promise.reject(new RetortError("the engine is closed"));
    return this.#thread.call(this.#number, name, ...args);
  }

  #keep(values: ReadonlyMap<string, Float32Array>): void {
    this.circuit = withParameters(
      this.circuit,
      new Map([...values].map(([id, array]) => [id, array.slice()])),
    );
  }
}

interface Waiting {
  readonly engine: number;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The thread of a device; it ends with its last engine. */
class DeviceThread {
  readonly #port: Worker | MessagePort;
  readonly #ended: () => void;
  readonly #engines = new Map<number, ((reason: string) => void) | undefined>();
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #entered = 0;
  #failure: Error | undefined;

  constructor(device: DeviceOptions, serve: typeof serveEngines, ended: () => void) {
    this.#ended = ended;
    if (typeof Worker === "undefined") {
      // A service worker, say: everything in this thread.
      const { port1, port2 } = new MessageChannel();
      serve(port2 as Port, () => navigator.gpu);
      this.#port = port1;
    } else {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "webgpu" });
      worker.onerror = (event) => {
        event.preventDefault();
        this.#fail(new RetortError(`the thread of the GPU failed: ${event.message}`));
      };
      this.#port = worker;
    }
    this.#port.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data);
    const settings: Settings = { type: "settings", device };
    this.#port.postMessage(settings);
  }

  /** Number of a new engine. */
  enter(onLoss: ((reason: string) => void) | undefined): number {
    this.#engines.set(++this.#entered, onLoss);
    return this.#entered;
  }

  /** Ends an engine, and with the last one the thread. */
  leave(engine: number): void {
    this.#engines.delete(engine);
    if (this.#engines.size > 0) return;
    this.#ended();
    if ("terminate" in this.#port) this.#port.terminate();
    else this.#port.close();
  }

  /** Calls in the order in which they are made; arguments are cloned at once. */
  call<N extends CallName>(
    engine: number,
    name: N,
    ...args: Parameters<Calls[N]>
  ): Promise<ReturnType<Calls[N]>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = ++this.#calls;
    this.#waiting.set(id, { engine, resolve, reject });
    const request: Request = { type: "call", id, engine, name, args };
    this.#port.postMessage(request);
    return promise as Promise<ReturnType<Calls[N]>>;
  }

  #receive(reply: Reply): void {
    if (reply.type === "loss") return this.#engines.get(reply.engine)?.(reply.reason);
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.type === "result") waiting?.resolve(reply.value);
    else waiting?.reject(errorOf(reply.error));
  }

  #fail(failure: Error): void {
    this.#failure = failure;
    this.#ended();
    for (const { reject } of this.#waiting.values()) reject(failure);
    this.#waiting.clear();
  }
}
