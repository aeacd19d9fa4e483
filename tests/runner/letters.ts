/** Runs the letters fixture in this process: a store, a data file and a session each test may change. */
import { fileURLToPath } from "node:url";
import type { RunSummary } from "../../runner/run_summary.ts";
import { PipelineSession, type SessionOptions } from "../../runner/session.ts";

const PIPELINE = fileURLToPath(new URL("../fixtures/pipelines/letters.ts", import.meta.url));

/** A folder with a data file and a store, removed when it is disposed of. */
export class LettersFolder implements Disposable {
  readonly root: string = Deno.makeTempDirSync({ prefix: "retort-letters-" });
  readonly data: string = `${this.root}/data.txt`;
  readonly store: string = `${this.root}/store`;

  constructor(text = "a quick brown fox") {
    Deno.writeTextFileSync(this.data, text);
  }

  /** Opens a session over the store. */
  open(options: Partial<SessionOptions> = {}): Promise<PipelineSession> {
    const set = [`path=${this.data}`, ...(options.set ?? [])];
    return PipelineSession.open({ file: PIPELINE, store: this.store, ...options, set });
  }

  /** Runs the pipeline in this process. */
  async run(options: Partial<SessionOptions> = {}): Promise<RunSummary> {
    await using session = await this.open(options);
    return await session.run({ jobs: 0, command: "test", stop: new AbortController().signal });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}

/** Names of the nodes in a state. */
export function nodesIn(summary: RunSummary, state: string): string[] {
  return summary.nodes.filter((outcome) => outcome.state === state).map((outcome) => outcome.node.name);
}
