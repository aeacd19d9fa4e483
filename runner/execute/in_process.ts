import { InterruptedError } from "../errors.ts";
import { declaredStage } from "../stage.ts";
import { captureConsole } from "./console.ts";
import { executeJob } from "./execute.ts";
import type { Executor, Job, JobMessage, Outcome } from "./job.ts";

/** Executes jobs in this process, one at a time: for debugging, tests and tiny stages. */
export class InProcessExecutor implements Executor {
  readonly lanes = 1;
  readonly engineLane = false;
  readonly #stop = new AbortController();
  readonly #capture: boolean;

  /** @param options.console false leaves the console alone, as `repro` wants it. */
  constructor(options: { console?: boolean } = {}) {
    this.#capture = options.console ?? true;
  }

  async execute(job: Job, _usesEngine: boolean, tell: (message: JobMessage) => void): Promise<Outcome> {
    const stage = declaredStage(job.module, job.stage);
    if (stage === undefined) return { kind: "failed", error: `no stage \`${job.stage}\` in ${job.module}` };
    const restore = this.#capture ? captureConsole((text) => tell({ type: "log", text })) : () => {};
    try {
      return await executeJob(stage, job, tell, this.#stop.signal);
    } finally {
      restore();
    }
  }

  stop(): void {
    this.#stop.abort(new InterruptedError());
  }

  kill(): void {
    this.stop();
  }

  async close(): Promise<void> {}
}
