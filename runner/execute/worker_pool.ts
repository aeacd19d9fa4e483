import { fileURLToPath } from "node:url";
import { messageOf } from "../../foundation/errors.ts";
import { STOP_GRACE } from "./execute.ts";
import type { Executor, Job, JobMessage, Outcome } from "./job.ts";
import { type FromWorker, linesOf, readMessages, type ToWorker } from "./protocol.ts";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** What stages may do: everything but the network, since data are fetched before a run, never in it. */
const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-run",
  "--allow-ffi",
];

/** Worker processes that are kept for further jobs besides one a lane. */
const KEPT = 3;

/**
 * Executes jobs in worker processes: several at once, and one more that alone may use the engine. A worker executes
 * jobs of one module: what other modules do when they are imported is not seen there.
 */
export class WorkerPool implements Executor {
  readonly engineLane = true;
  /** The last used at the end. */
  readonly #idle: Worker[] = [];
  readonly #busy = new Set<Worker>();
  readonly #closing = new Set<Promise<void>>();
  #engineWorker: Worker | undefined;
  #stopping = false;

  /** @param lanes how many workers besides the engine's may run at once. */
  constructor(readonly lanes: number) {}

  async execute(job: Job, usesEngine: boolean, tell: (message: JobMessage) => void): Promise<Outcome> {
    let worker;
    try {
      worker = usesEngine ? await this.#engineWorkerFor(job.module) : this.#workerFor(job.module);
    } catch (error) {
      return { kind: "failed", error: `cannot start a worker process: ${messageOf(error)}` };
    }
    if (this.#stopping) {
      worker.kill();
      return { kind: "interrupted" };
    }
    this.#busy.add(worker);
    const outcome = await worker.execute(job, tell);
    this.#busy.delete(worker);
    // A worker whose stage was stopped or timed out may still be at work on it: it is not used again.
    if (!worker.usable || outcome.kind === "interrupted") worker.kill();
    else if (usesEngine) this.#engineWorker = worker;
    else this.#idle.push(worker);
    return outcome;
  }

  #workerFor(module: string): Worker {
    const at = this.#idle.findIndex((worker) => worker.module === module && worker.usable);
    if (at >= 0) return this.#idle.splice(at, 1)[0]!;
    while (this.#idle.length >= this.lanes + KEPT) this.#end(this.#idle.shift()!);
    return new Worker(module);
  }

  /** The one worker that may use the engine; one of another module has left it before. */
  async #engineWorkerFor(module: string): Promise<Worker> {
    const last = this.#engineWorker;
    this.#engineWorker = undefined;
    if (last?.module === module && last.usable) return last;
    if (last !== undefined) await this.#end(last);
    return new Worker(module);
  }

  #end(worker: Worker): Promise<void> {
    const closing = worker.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }

  stop(): void {
    this.#stopping = true;
    for (const worker of this.#busy) worker.stop();
  }

  kill(): void {
    this.#stopping = true;
    for (const worker of this.#busy) worker.kill();
  }

  async close(): Promise<void> {
    const all = [
      ...this.#idle,
      ...this.#busy,
      ...(this.#engineWorker === undefined ? [] : [this.#engineWorker]),
    ];
    await Promise.all([...all.map((worker) => worker.close()), ...this.#closing]);
  }
}

/** One worker process. */
class Worker {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: Promise<unknown>;
  #tell: (message: JobMessage) => void = () => {};
  #settle: ((outcome: Outcome) => void) | undefined;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;
  #stopAsked = false;
  /** False once the process ended or must not be used again. */
  usable = true;

  /** @param module of all its jobs. */
  constructor(readonly module: string) {
    const token = crypto.randomUUID();
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--config", CONFIG, ...PERMISSIONS, WORKER, token],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    const log = (text: string) => this.#tell({ type: "log", text });
    const errors = async () => {
      for await (const line of linesOf(this.#child.stderr)) log(line);
    };
    this.#output = Promise.all([
      readMessages(this.#child.stdout, token, (message) => this.#receive(message), log),
      errors(),
    ]);
    this.#watch();
  }

  async #watch(): Promise<void> {
    const status = await this.#child.status;
    await this.#output.catch(() => {});
    this.usable = false;
    if (this.#stopAsked) this.#finish({ kind: "interrupted" });
    const how = status.signal === null ? `with exit code ${status.code}` : `by ${status.signal}`;
    this.#finish({
      kind: "failed",
      error: `the worker process ended ${how} in the middle of the stage`,
      ...(status.signal === "SIGKILL"
        ? { hint: "Somebody killed it, or the machine ran out of memory." }
        : {}),
    });
  }

  #receive(message: FromWorker): void {
    if (message.type === "message") this.#tell(message.message);
    else if (message.type === "outcome") this.#finish(message.outcome);
  }

  #finish(outcome: Outcome): void {
    clearTimeout(this.#stopTimer);
    this.#settle?.(outcome);
    this.#settle = undefined;
  }

  #send(message: ToWorker): void {
    // A broken pipe means that the process ended; `#watch` tells.
    this.#input.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`)).catch(() => {});
  }

  async execute(job: Job, tell: (message: JobMessage) => void): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#settle = resolve;
    this.#tell = tell;
    this.#send({ type: "job", job });
    // The worker itself keeps the time while its stage lets it; a stage that blocks it is killed.
    const timer = job.timeout === null ? undefined : setTimeout(() => {
      this.kill();
      this.#finish({
        kind: "failed",
        error: `it ran longer than its timeout of ${job.timeout} s and did not stop`,
        hint: "Raise `timeout` of the stage or of the node, or give the stage less to do.",
      });
    }, job.timeout * 1000 + 2000);
    const outcome = await promise;
    clearTimeout(timer);
    if (outcome.kind === "failed") this.usable = false; // Its stage may have left things behind.
    return outcome;
  }

  stop(): void {
    this.#stopAsked = true;
    this.#send({ type: "stop" });
    this.#stopTimer = setTimeout(() => this.kill(), STOP_GRACE + 1000);
  }

  kill(): void {
    this.usable = false;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  }

  async close(): Promise<void> {
    await this.#input.close().catch(() => {});
    const timer = setTimeout(() => this.kill(), STOP_GRACE);
    await this.#child.status;
    clearTimeout(timer);
  }
}
