import { hostname } from "node:os";
import { codeOf } from "../../foundation/errors.ts";
import { lock } from "../../foundation/locks.ts";
import { VERSION } from "../../foundation/own_package.ts";
import type { Store } from "../store/store.ts";
import { CodeCheck } from "./code_check.ts";
import type { Job, Outcome } from "./job.ts";
import { LocalCode } from "./local_code.ts";
import { failureOf } from "./outcome.ts";
import { BEAT, JobQueue } from "./queue.ts";
import { WorkerPool } from "./worker_pool.ts";

/** Milliseconds between looks for a job: shortly after the last one, and while there is none. */
const LOOKS = { shortest: 5, longest: 200 };
/** Milliseconds between looks whether a job is to stop. */
const STOPS = 500;

/** What a worker has for a job, where not all there is. */
export interface WorkerSize {
  readonly cores: number;
  /** Bytes, or null for no limit. */
  readonly memory: number | null;
  readonly gpus: number;
}

/** How a worker works. */
export interface WorkOptions {
  /** Ends when no job has waited for so many seconds; never without it. */
  readonly idle?: number;
  /** Takes only jobs that take no more. */
  readonly size?: WorkerSize;
  /** The job of a cluster's scheduler that this worker is. */
  readonly element?: string;
  /** What messages call its machine; the host's name without it. */
  readonly host?: string;
  /** Aborted to end: the job at work saves its checkpoint and goes back to the queue. */
  readonly stop: AbortSignal;
  /** Told of every job. */
  readonly onJob?: (node: string, outcome: Outcome, seconds: number) => void;
}

/**
 * Executes the jobs that lie in a store's folder, one at a time, each by a worker process as `run` does.
 *
 * @returns how many it executed.
 */
export async function work(store: Store, options: WorkOptions): Promise<number> {
  const { idle = Infinity, size, element, host = hostname(), stop, onJob } = options;
  const queue = new JobQueue(store);
  const fits = size && ((job: Job) => isWithin(job, size));
  const worker = `${host}-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`.replaceAll(/[^\w.-]/g, "-");
  let beat = 0;
  const tellBeat = () =>
    queue.beat({
      worker,
      ...(element === undefined ? {} : { element }),
      host,
      pid: Deno.pid,
      deno: Deno.version.deno,
      retort: VERSION,
      beat: beat++,
    });
  tellBeat();
  const beats = setInterval(tellBeat, BEAT);
  await using check = new CodeCheck();
  using local = new LocalCode(store, (config) => check.forget(config));
  let jobs = 0;
  let pool = new WorkerPool(1, true);
  try {
    for (let wait = LOOKS.shortest, last = performance.now(); !stop.aborted;) {
      const taken = queue.take(worker, fits);
      if (taken === undefined) {
        if (performance.now() - last >= idle * 1000) break;
        await pause(wait, stop);
        wait = Math.min(LOOKS.longest, wait * 1.2);
        continue;
      }
      wait = LOOKS.shortest;
      const { name, queued } = taken;
      const tell = (message: Parameters<JobQueue["tell"]>[1]) => queue.tell(name, message);
      tell({ type: "taken", worker, host });
      const log = (text: string) => tell({ type: "log", text: `worker ${worker}: ${text}` });
      log(`Deno ${Deno.version.deno}, Retort ${VERSION}`);
      const began = performance.now();
      const stops = setInterval(() => {
        if (queue.isToStop(name)) pool.stop();
      }, STOPS);
      const onStop = () => pool.stop();
      stop.addEventListener("abort", onStop, { once: true });
      let outcome: Outcome;
      try {
        // Whoever gave the job may be gone: nothing is collected while it is at work.
        using _shared = await lock(`${store.root}/store.lock`, { mode: "shared" });
        // The store may lie elsewhere here.
        const job = await local.placed({ ...queued.job, store: store.root }, log);
        outcome = await check.fault(job) ?? await pool.execute(job, queued.usesEngine, tell);
      } catch (error) {
        outcome = { ...failureOf(error), code: codeOf(error) ?? "run/worker" };
      } finally {
        clearInterval(stops);
        stop.removeEventListener("abort", onStop);
      }
      // Where this worker alone is to end, another one gets the job.
      if (stop.aborted && outcome.kind === "interrupted") queue.drop(name, worker);
      else queue.end(name, worker, outcome);
      jobs++;
      last = performance.now();
      onJob?.(queued.job.node, outcome, (performance.now() - began) / 1000);
      if (outcome.kind !== "interrupted") continue;
      // A pool that was stopped takes no more.
      await pool[Symbol.asyncDispose]();
      pool = new WorkerPool(1, true);
    }
  } finally {
    await pool[Symbol.asyncDispose]();
    clearInterval(beats);
    queue.leave(worker);
  }
  return jobs;
}

/** Whether a worker of a size may take a job. A job without a limit of memory takes what there is. */
function isWithin({ cores = 1, memory, gpus = 0 }: Job, size: WorkerSize): boolean {
  return cores <= size.cores && gpus <= size.gpus && (memory ?? 0) <= (size.memory ?? Infinity);
}

function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      stop.removeEventListener("abort", done);
      resolve();
    }
    stop.addEventListener("abort", done, { once: true });
  });
}
