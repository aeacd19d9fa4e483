import type { ExecutorKind } from "./executor.ts";
import { InProcessExecutor } from "./in_process.ts";
import { QueueExecutor } from "./queue_executor.ts";
import { SlurmSource } from "./slurm_source.ts";
import { WorkerPool } from "./worker_pool.ts";

/** Worker processes, one for the engine and `jobs` for the rest. */
const processes: ExecutorKind = { name: "processes", open: (jobs) => new WorkerPool(Math.max(1, jobs)) };

/** Threads of this process, one at a time. */
const threads: ExecutorKind = { name: "threads", open: () => new InProcessExecutor() };

/** Workers that `retort work` starts, on this machine or others that have the store's folder: at least 64 jobs lie ready for them. */
const workers: ExecutorKind = {
  name: "workers",
  elsewhere: true,
  open: (jobs) => new QueueExecutor(Math.max(64, jobs)),
};

/** Workers that Slurm starts, in arrays, as many as there are jobs: at most `jobs`, unless the profile says how many. */
const slurm: ExecutorKind = {
  name: "slurm",
  elsewhere: true,
  open: (jobs, site = {}) => {
    const limit = site.jobs ?? Math.max(1, jobs);
    return new QueueExecutor(Math.max(64, 4 * limit), undefined, new SlurmSource(limit, site));
  },
};

/** All kinds of executors that `--executor` chooses from. */
export const EXECUTORS: readonly ExecutorKind[] = [processes, threads, workers, slurm];

/** The executor where none is named: worker processes, or threads for who wants none. */
export function usualExecutor(jobs: number): ExecutorKind {
  return jobs === 0 ? threads : processes;
}
