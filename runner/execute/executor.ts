import type { Job, JobMessage, Outcome } from "./job.ts";
import type { SlurmSite } from "./slurm_site.ts";

/**
 * Executes the jobs of one run, here or elsewhere. The runner decides what is executed and when; an executor only has
 * to get `hostJob` (`host.ts`) called with the job, in a process or thread that has imported no pipeline and no other
 * module of stages, and to pass on what it tells. `hostJob` takes the lock of the key, reads the inputs from the
 * store, runs the stage, writes its outputs and, unless `job.mode` is `check`, records the result in the store: an
 * executor on another machine needs the store's folder there.
 */
export interface Executor extends AsyncDisposable {
  /** How many jobs it takes at once, besides the one that owns the engine. The runner never gives it more. */
  readonly lanes: number;
  /** True when jobs that use the engine have a lane of their own: the runner gives it one of them at a time. */
  readonly engineLane: boolean;
  /**
   * Executes one job.
   *
   * @param job plain JSON, all that another process needs.
   * @param usesEngine whether the stage uses the engine: such a job must not run beside another one of them.
   * @param tell to be called with what the job logs and measures while it goes on, in its order.
   * @returns how it ended. Never rejects: what goes wrong with the executor itself is a `failed` outcome.
   */
  execute(job: Job, usesEngine: boolean, tell: (message: JobMessage) => void): Promise<Outcome>;
  /** Asks the running jobs to save what they have and stop: they, and jobs that come later, end as `interrupted`. */
  stop(): void;
  /** Ends running jobs at once, without waiting: the process is about to end. */
  kill(): void;
  /** Frees what it holds. Called once, after the last job has ended. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A way of executing jobs, as a session is given it. */
export interface ExecutorKind {
  /** What messages and `--executor` call it. */
  readonly name: string;
  /** True where nodes run on other machines: what this one has does not limit them. */
  readonly elsewhere?: boolean;
  /**
   * Opens an executor for one run.
   *
   * @param jobs how many jobs the user wants to run at once, besides the one that owns the engine; 0: none beside it.
   * @param site what the profile says of the cluster's scheduler.
   */
  open(jobs: number, site?: SlurmSite): Executor;
}
