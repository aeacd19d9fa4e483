import { messageOf } from "../../foundation/errors.ts";
import { STOP_GRACE } from "./execute.ts";
import type { Executor } from "./executor.ts";
import type { Job, JobMessage, Outcome } from "./job.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";

/** Number of idle threads kept for further jobs. */
const KEPT = 4;

/**
 * Executes jobs in this process, one at a time: for tests and tiny stages. Each module has a thread of its own that
 * imports nothing else: what the pipeline file or other stages did to its variables is not seen there, as it is not
 * seen in worker processes.
 */
export class InProcessExecutor implements Executor {
  readonly lanes = 1;
  readonly engineLane = false;
  /** By module, most recently used last. */
  readonly #threads = new Map<string, Thread>();
  #busy: Thread | undefined;
  #stopping = false;

  async execute(job: Job, _usesEngine: boolean, tell: (message: JobMessage) => void): Promise<Outcome> {
    if (this.#stopping) return { kind: "interrupted" };
    let thread = this.#threads.get(job.module);
    this.#threads.delete(job.module);
    const [oldest] = this.#threads.keys();
    if (thread === undefined && this.#threads.size >= KEPT) this.#end(oldest!);
    thread ??= new Thread();
    this.#busy = thread;
    this.#threads.set(job.module, thread);
    const outcome = await thread.execute(job, tell);
    this.#busy = undefined;
    // Its stage may have left state behind or may still be running.
    if (outcome.kind === "failed" || outcome.kind === "interrupted") this.#end(job.module);
    return outcome;
  }

  #end(module: string): void {
    this.#threads.get(module)?.end();
    this.#threads.delete(module);
  }

  stop(): void {
    this.#stopping = true;
    this.#busy?.stop();
  }

  kill(): void {
    this.#stopping = true;
    this.#busy?.end();
  }

  // deno-lint-ignore require-await -- other executors wait for processes
  async [Symbol.asyncDispose](): Promise<void> {
    for (const module of [...this.#threads.keys()]) this.#end(module);
  }
}

/** One thread. */
class Thread {
  readonly #worker = new Worker(new URL("./thread.ts", import.meta.url), { type: "module" });
  #tell: (message: JobMessage) => void = () => {};
  #settle: ((outcome: Outcome) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "message") this.#tell(data.message);
      else if (data.type === "outcome") this.#finish(data.outcome);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#finish({ kind: "failed", code: "run/worker", error: messageOf(event.error ?? event.message) });
    };
  }

  async execute(job: Job, tell: (message: JobMessage) => void): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#settle = resolve;
    this.#tell = tell;
    this.#send({ type: "job", job });
    // The thread enforces the timeout itself unless the stage blocks it; then the thread is terminated.
    if (job.timeout !== null) {
      this.#endAfter(job.timeout * 1000 + 2000, {
        kind: "failed",
        code: "stage/timeout",
        error: `it ran longer than its time limit of ${job.timeout} s and did not stop`,
        hint:
          "Raise `time` in the `resources` of the stage, the node or the profile, or give the stage less to do.",
      });
    }
    return await promise;
  }

  stop(): void {
    this.#send({ type: "stop" });
    this.#endAfter(STOP_GRACE + 1000, { kind: "interrupted" });
  }

  end(): void {
    this.#worker.terminate();
    this.#finish({ kind: "interrupted" });
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #endAfter(milliseconds: number, outcome: Outcome): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#worker.terminate();
      this.#finish(outcome);
    }, milliseconds);
  }

  #finish(outcome: Outcome): void {
    clearTimeout(this.#timer);
    this.#settle?.(outcome);
    this.#settle = undefined;
  }
}
