import { getOrMake } from "../../foundation/newer.ts";
import { RetortError } from "../../foundation/errors.ts";
import type { DeviceOptions } from "./device.ts";
import type { Port, serveEngines } from "./serve.ts";
import {
  type CallName,
  type Calls,
  type End,
  errorOf,
  type Reply,
  type Request,
  type ThreadSettings,
} from "./protocol.ts";

/** Threads in use, by requested adapter. */
const threads = new Map<string, DeviceThread>();

/** Returns the thread of an adapter, either the one in use or a new one. Enter it immediately. */
export async function threadOf(adapter: string | undefined): Promise<DeviceThread> {
  // Imported even where workers exist, so that the thread's code is part of this module's bundle.
  const { serveEngines } = await import("./serve.ts");
  return getOrMake(
    threads,
    adapter ?? "",
    (name) =>
      new DeviceThread(adapter === undefined ? {} : { adapter }, serveEngines, (ended) => {
        // A failed thread may end after another has taken its place.
        if (threads.get(name) === ended) threads.delete(name);
      }),
  );
}

/**
 * Whether a worker has a GPU of its own, as in Deno and browsers. Otherwise everything runs in this thread: in a service worker,
 * which has no workers, and in Node and Bun, whose programs themselves bring the GPU of this thread.
 */
function workersHaveGpu(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return typeof Worker !== "undefined" && ("Deno" in globalThis || process?.versions?.node === undefined);
}

interface Waiting {
  readonly engine: number;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The thread of a device; it ends with its last engine or k-means kernel. */
export class DeviceThread {
  readonly #port: Worker | MessagePort;
  readonly #ended: (thread: DeviceThread) => void;
  readonly #engines = new Map<number, ((reason: string) => void) | undefined>();
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #entered = 0;
  #failure: Error | undefined;
  /** Resolves when the thread has released its device or failed. */
  readonly #over = Promise.withResolvers<void>();

  /** Starts the thread; see {@link threadOf}. */
  constructor(device: DeviceOptions, serve: typeof serveEngines, ended: (thread: DeviceThread) => void) {
    this.#ended = ended;
    if (!workersHaveGpu()) {
      const { port1, port2 } = new MessageChannel();
      serve(port2 as Port, () => navigator.gpu);
      this.#port = port1;
    } else {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "webgpu" });
      worker.onerror = (event) => {
        event.preventDefault();
        this.#fail(new RetortError("gpu/failed", `the thread of the GPU failed: ${event.message}`));
      };
      this.#port = worker;
    }
    this.#port.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data);
    const settings: ThreadSettings = { type: "settings", device };
    this.#port.postMessage(settings);
  }

  /** Registers a new engine or kernel and returns its number; the thread stays until it leaves. */
  enter(onLoss: ((reason: string) => void) | undefined): number {
    this.#engines.set(++this.#entered, onLoss);
    return this.#entered;
  }

  /**
   * Ends an engine and, with the last one, the thread, which first releases its device: terminating a thread inside a
   * driver call may crash the process.
   */
  async leave(engine: number): Promise<void> {
    this.#engines.delete(engine);
    if (this.#engines.size > 0) return;
    this.#ended(this);
    if (this.#failure === undefined) {
      const end: End = { type: "end" };
      this.#port.postMessage(end);
      await this.#over.promise;
    }
    if ("terminate" in this.#port) this.#port.terminate();
    else this.#port.close();
  }

  /** Calls are executed in order; arguments are cloned immediately. */
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
    if (reply.type === "ended") return this.#over.resolve();
    if (reply.type === "loss") return this.#engines.get(reply.engine)?.(reply.reason);
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.type === "result") waiting?.resolve(reply.value);
    else waiting?.reject(errorOf(reply.error));
  }

  #fail(failure: Error): void {
    this.#failure = failure;
    this.#over.resolve();
    this.#ended(this);
    for (const { reject } of this.#waiting.values()) reject(failure);
    this.#waiting.clear();
  }
}
