import { Worker } from "node:worker_threads";
import { RetortError } from "../../foundation/errors.ts";
import type { GateCall, GateReply, GateRequest } from "./serve.ts";
import type { GatePool } from "./pool.ts";
import type { GateThread, ThreadOptions } from "./thread.ts";

/** The threads of an engine. */
export class GateThreads implements GatePool {
  readonly #threads: readonly OneThread[];

  private constructor(threads: readonly OneThread[]) {
    this.#threads = threads;
  }

  /** Starts a thread for each of the options. */
  static async start(options: readonly ThreadOptions[]): Promise<GateThreads> {
    // Imported so that the code of the threads is part of this module's bundle.
    await import("./serve.ts");
    const threads = options.map(() => new OneThread());
    try {
      await Promise.all(threads.map((thread, i) => thread.send({ options: options[i] as ThreadOptions })));
    } catch (error) {
      for (const thread of threads) thread.end();
      throw error;
    }
    return new GateThreads(threads);
  }

  /** Number of threads. */
  get count(): number {
    return this.#threads.length;
  }

  /** Calls all threads at once, with the arguments for each. */
  async call<N extends GateCall>(
    name: N,
    args: (thread: number) => Parameters<GateThread[N]>,
  ): Promise<ReturnType<GateThread[N]>[]> {
    return await Promise.all(
      this.#threads.map((thread, i) => thread.send({ call: name, args: args(i) })),
    ) as ReturnType<GateThread[N]>[];
  }

  /** Ends the threads. */
  end(): void {
    for (const thread of this.#threads) thread.end();
  }
}

class OneThread {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { name: "gates" });
  readonly #waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = [];

  constructor() {
    this.#worker.on("message", (data: GateReply) => {
      const waiting = this.#waiting.shift();
      if ("failed" in data) waiting?.reject(new Error(data.failed));
      else waiting?.resolve(data.value);
    });
    this.#worker.on("error", (cause: Error) => {
      const error = new RetortError("engine/thread", `a thread of the engine cpu failed: ${cause.message}`, {
        cause,
      });
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  send(request: GateRequest): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ resolve, reject });
    this.#worker.postMessage(request);
    return promise;
  }

  end(): void {
    this.#worker.terminate();
  }
}
