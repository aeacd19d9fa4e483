/// <reference lib="dom" />
import type { WorkerCall, WorkerCalls, WorkerReply } from "./protocol.ts";

/** What went wrong in the worker, in words for people. */
export class TabError extends Error {
  /** What to do next. */
  readonly hint: string | null;

  /** An error with its message and hint. */
  constructor({ message, hint }: { message: string; hint: string | null }) {
    super(message);
    this.hint = hint;
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  tell(event: never): void;
}

/** A worker of the page, which answers its calls. */
export class TabWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  /** Starts one. */
  constructor() {
    // The page's own address is its base, whatever host and path that is.
    this.#worker = new Worker(new URL("assets/worker.js", document.baseURI), { type: "module" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<WorkerReply>) => {
      const waiting = this.#waiting.get(data.id);
      if ("event" in data) return waiting?.tell(data.event as never);
      this.#waiting.delete(data.id);
      if ("failed" in data) waiting?.reject(new TabError(data.failed));
      else waiting?.resolve(data.value);
    });
    this.#worker.addEventListener("error", (event) => {
      for (const { reject } of this.#waiting.values()) {
        reject(
          new TabError({
            message: `what computes could not start: ${event.message}`,
            hint: "Load the page again.",
          }),
        );
      }
      this.#waiting.clear();
    });
  }

  /** Calls the worker. `tell` gets what it says on the way. */
  call<N extends WorkerCall>(
    call: N,
    args: WorkerCalls[N]["args"],
    tell: (event: never) => void = () => {},
  ): Promise<WorkerCalls[N]["value"]> {
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<WorkerCalls[N]["value"]>();
    this.#waiting.set(id, { resolve: resolve as Waiting["resolve"], reject, tell });
    this.#worker.postMessage({ id, call, args });
    return promise;
  }

  /** Ends it at once, with everything that it does. */
  end(): void {
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) {
      reject(new TabError({ message: "it was stopped", hint: null }));
    }
    this.#waiting.clear();
  }
}
