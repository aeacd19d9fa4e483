import { messageOf } from "../../foundation/errors.ts";
import { bytesText } from "../../foundation/format.ts";
import { STOP_GRACE } from "./execute.ts";
import type { Executor } from "./executor.ts";
import type { Job, JobMessage, Outcome } from "./job.ts";
import { MemoryKills, MemoryWatch } from "./memory.ts";
import { programArguments } from "../program.ts";
import { STAGE_RIGHTS } from "./rights.ts";
import { byteLines, type FromWorker, readMessages, type ToWorker } from "./protocol.ts";

const WORKER = new URL("./worker.ts", import.meta.url);

/** Number of idle worker processes kept for further jobs besides one per lane. */
const KEPT = 3;

/** Number of workers in a row that may exit before accepting a job. */
const TRIES = 3;

/** Matches messages about memory in the last output of a failed worker. */
const OUT_OF_MEMORY = /Fatal JavaScript out of memory|heap limit|Last few GCs|out of memory/i;

/**
 * Executes jobs in worker processes: several at once, and one more that alone may use the engine. A worker executes
 * jobs of one module: what other modules do when they are imported is not seen there.
 */
export class WorkerPool implements Executor {
  readonly engineLane = true;
  /** Most recently used last. */
  readonly #idle: Worker[] = [];
  readonly #busy = new Set<Worker>();
  readonly #closing = new Set<Promise<void>>();
  #kills: MemoryKills | undefined;
  #engineWorker: Worker | undefined;
  #stopping = false;

  /**
   * @param lanes how many workers besides the engine's may run at once.
   * @param single whether jobs come one at a time: those of a module then share a process, whether they use the engine or not.
   */
  constructor(readonly lanes: number, private readonly single = false) {}

  async execute(job: Job, usesEngine: boolean, tell: (message: JobMessage) => void): Promise<Outcome> {
    for (let tries = 1;; tries++) {
      let worker;
      try {
        worker = usesEngine ? await this.#engineWorkerFor(job) : this.#workerFor(job);
      } catch (error) {
        return {
          kind: "failed",
          code: "run/worker",
          error: `cannot start a worker process: ${messageOf(error)}`,
        };
      }
      if (this.#stopping) {
        worker.kill();
        return { kind: "interrupted" };
      }
      this.#busy.add(worker);
      worker.ownsEngine ||= usesEngine;
      const outcome = await worker.execute(job, tell);
      this.#busy.delete(worker);
      // A worker whose stage was stopped or timed out may still be running it: it is not reused.
      if (!worker.usable || outcome.kind === "interrupted") worker.kill();
      else if (worker.ownsEngine) this.#engineWorker = worker;
      else this.#idle.push(worker);
      // A worker that exited before accepting the job, killed while idle, says nothing about the job.
      if (worker.took || outcome.kind === "interrupted" || tries >= TRIES) return outcome;
    }
  }

  #workerFor({ module, config }: Job): Worker {
    const engine = this.#engineWorker;
    if (this.single && engine?.usable && engine.isOf(module, config)) {
      this.#engineWorker = undefined;
      return engine;
    }
    const at = this.#idle.findIndex((worker) => worker.usable && worker.isOf(module, config));
    if (at >= 0) return this.#idle.splice(at, 1)[0]!;
    while (this.#idle.length >= this.lanes + KEPT) this.#end(this.#idle.shift()!);
    return this.#start(module, config);
  }

  #start(module: string, config: string | undefined): Worker {
    return new Worker(module, config, this.#kills ??= new MemoryKills());
  }

  /** The one worker that may use the engine; one of another module has left it before. */
  async #engineWorkerFor(job: Job): Promise<Worker> {
    const { module, config } = job, last = this.#engineWorker;
    this.#engineWorker = undefined;
    if (last?.usable && last.isOf(module, config)) return last;
    if (last !== undefined) await this.#end(last);
    return this.single ? this.#workerFor(job) : this.#start(module, config);
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

  async [Symbol.asyncDispose](): Promise<void> {
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
  /** The last lines on its standard error: why it ended. */
  #last: string[] = [];
  /** False once the process ended or must not be used again. */
  usable = true;
  /** Whether it has taken the job that it was given last. */
  took = false;
  /** Whether a job of it has used the engine, which it may still hold. */
  ownsEngine = false;

  /**
   * @param module of all its jobs.
   * @param config of their project.
   * @param kills tells what the kernel ended from what somebody else did.
   */
  constructor(
    private readonly module: string,
    private readonly config: string | undefined,
    private readonly kills: MemoryKills,
  ) {
    const token = crypto.randomUUID();
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...STAGE_RIGHTS, ...programArguments(WORKER, config), token],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    const log = (text: string) => this.#tell({ type: "log", text });
    const errors = async () => {
      for await (const line of byteLines(this.#child.stderr, 1_000_000)) {
        this.#last = [...this.#last.slice(-20), line.slice(0, 500)];
        log(line);
      }
    };
    this.#output = Promise.all([
      readMessages(this.#child.stdout, token, (message) => this.#receive(message), log),
      errors(),
    ]).catch((error) => {
      log(`what the worker process told could not be read: ${messageOf(error)}`);
      this.kill();
    });
    this.#watch();
  }

  /** Whether it may take jobs of a module in a project. */
  isOf(module: string, config: string | undefined): boolean {
    return this.module === module && this.config === config;
  }

  async #watch(): Promise<void> {
    const status = await this.#child.status;
    await this.#output;
    this.usable = false;
    if (this.#stopAsked) this.#finish({ kind: "interrupted" });
    const killed = this.#settle !== undefined && status.signal === "SIGKILL" && await this.kills.more();
    this.#finish(
      this.took ? endOf(status, this.#last.join("\n"), killed) : {
        kind: "failed",
        code: status.signal === null ? "run/worker" : "run/lost",
        error: `a worker process ended ${howEnded(status)} before it could begin`,
        hint: "The node's log holds what it printed.",
      },
    );
  }

  #receive(message: FromWorker): void {
    if (message.type === "message") this.#tell(message.message);
    else if (message.type === "outcome") this.#finish(message.outcome);
    else if (message.type === "began") this.took = true;
  }

  #finish(outcome: Outcome): void {
    clearTimeout(this.#stopTimer);
    this.#settle?.(outcome);
    this.#settle = undefined;
  }

  #send(message: ToWorker): void {
    // A broken pipe means that the process exited; `#watch` reports it.
    this.#input.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`)).catch(() => {});
  }

  async execute(job: Job, tell: (message: JobMessage) => void): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#settle = resolve;
    this.#tell = tell;
    this.took = false;
    if (!this.usable) {
      this.#finish({ kind: "failed", code: "run/worker", error: "the worker process has ended" });
    }
    this.#send({ type: "job", job });
    // The worker enforces the timeout itself unless the stage blocks it; then the worker is killed.
    const timer = job.timeout === null ? undefined : setTimeout(() => {
      this.kill();
      this.#finish({
        kind: "failed",
        code: "stage/timeout",
        error: `it ran longer than its time limit of ${job.timeout} s and did not stop`,
        hint:
          "Raise `time` in the `resources` of the stage, the node or the profile, or give the stage less to do.",
      });
    }, job.timeout * 1000 + 2000);
    using watch = job.memory === null ? undefined : this.#watchMemory(job.memory);
    const outcome = await promise;
    if (watch !== undefined && watch.most > 0) tell({ type: "used", memory: watch.most });
    clearTimeout(timer);
    if (outcome.kind === "failed") this.usable = false; // Its stage may have left state behind.
    return outcome;
  }

  #watchMemory(limit: number): MemoryWatch {
    const over = (bytes: number) => {
      this.kill();
      this.#finish({
        kind: "failed",
        code: "run/memory",
        error: `it took ${bytesText(bytes)} of memory; its limit is ${bytesText(limit)}`,
        hint:
          "Raise `memory` in the `resources` of the stage, the node or the profile, or hold less at a time.",
      });
    };
    const blind = () =>
      this.#tell({ type: "log", text: "warning: its memory is not watched: `ps` cannot be run" });
    return new MemoryWatch(this.#child.pid, limit, over, blind);
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

function howEnded(status: Deno.CommandStatus): string {
  return status.signal === null ? `with exit code ${status.code}` : `by ${status.signal}`;
}

/** Signals by which somebody else ends a process: the user, the system, a batch queue. */
const FROM_OUTSIDE: readonly (string | null)[] = ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"];

/**
 * Explains why a worker process exited during a stage.
 *
 * @param last its last lines on standard error.
 * @param forMemory whether the kernel ended it because memory was short.
 */
export function endOf(status: Deno.CommandStatus, last: string, forMemory = false): Outcome {
  const { signal } = status;
  if (forMemory) {
    return {
      kind: "failed",
      code: "run/memory",
      error: "the system ended the worker process in the middle of the stage: the machine ran out of memory",
      hint:
        "Say what the stage takes (`resources: { memory }`), so that less runs beside it, or use fewer --jobs.",
    };
  }
  if (signal !== "SIGKILL" && status.code !== 0 && OUT_OF_MEMORY.test(last)) {
    return {
      kind: "failed",
      code: "run/memory",
      error: "the worker process ran out of memory: the stage's JavaScript heap is full",
      hint:
        "Keep numbers in typed arrays, which do not count towards the heap, or hold less at a time; or allow a " +
        "larger heap, in MB, for all processes: DENO_V8_FLAGS=--max-old-space-size=16000 before the command.",
    };
  }
  const hints: Partial<Record<string, string>> = {
    SIGKILL: "Somebody killed it, or the machine ran out of memory.",
    SIGSEGV: "A native library that the stage uses is at fault, or was handed something that it cannot bear.",
    SIGBUS: "A native library that the stage uses is at fault, or a disk is full.",
  };
  const hint = signal === null
    ? "Something ended it from within: a stage must neither end its process nor abort it."
    : hints[signal];
  return {
    kind: "failed",
    code: FROM_OUTSIDE.includes(signal) ? "run/lost" : "run/worker",
    error: `the worker process ended ${howEnded(status)} in the middle of the stage`,
    ...(hint === undefined ? {} : { hint }),
  };
}
