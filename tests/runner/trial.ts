/** Runs of fixtures on other machines, with what their nodes tell. */
import type { ExecutorKind } from "../../runner/execute/executor.ts";
import { JobQueue } from "../../runner/execute/queue.ts";
import { QueueExecutor } from "../../runner/execute/queue_executor.ts";
import type { SlurmSite } from "../../runner/execute/slurm_site.ts";
import { SlurmSource } from "../../runner/execute/slurm_source.ts";
import { cancelRun } from "../../runner/cancel.ts";
import { Records } from "../../runner/records/records.ts";
import type { RunSummary } from "../../runner/run_summary.ts";
import { PipelineSession } from "../../runner/session.ts";
import { listFolder } from "../../runner/store/blobs.ts";
import { Store } from "../../runner/store/store.ts";
import type { MemoryGroup } from "../memory_group.ts";
import { fixture, ROOT, taskArguments } from "../command.ts";

/** The executor `slurm` that takes a worker for gone sooner, so that tests need not wait. */
export function quickSlurm(limit: number, site: SlurmSite = {}): ExecutorKind {
  const open = () => new QueueExecutor(64, 6000, new SlurmSource(limit, { idle: 2, ...site }));
  return { name: "slurm", elsewhere: true, open };
}

/** Waits some milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until something is so. */
export async function waitUntil(
  what: string | (() => string),
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let tries = 0; !await isSo(); tries++) {
    if (tries > 6000) throw new Error(`not yet so that ${typeof what === "string" ? what : what()}`);
    await pause(50);
  }
}

/**
 * Starts a worker as people do.
 *
 * @param group in which it has its memory.
 */
export function startWorker(
  store: string,
  more: readonly string[] = [],
  group?: MemoryGroup,
): Deno.ChildProcess {
  const args = taskArguments("work", ["--store", store, ...more]);
  const [program, all] = group?.within(Deno.execPath(), args) ?? [Deno.execPath(), args];
  return new Deno.Command(program, { args: all, cwd: ROOT, stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
}

/** Ends a worker, and waits until it has ended. */
export async function endWorker(worker: Deno.ChildProcess): Promise<void> {
  try {
    worker.kill("SIGTERM");
  } catch {
    // It has ended.
  }
  await worker.status;
}

/** Digests of the outputs of a run, by node. */
export function outputsByNode(summary: RunSummary): Record<string, string[]> {
  return Object.fromEntries(
    summary.nodes.map(({ node, outputs }) => [
      node.name,
      Object.values(outputs ?? {}).map((artifact) => artifact.digest).sort(),
    ]),
  );
}

/** Path of a pipeline of the project, `pipelines/NAME`, or of one among the fixtures. */
export function pipelineFile(name: string): string {
  return name.includes("/") ? `${ROOT}/${name}.ts` : fixture(name);
}

/** A run of a pipeline, with what its nodes told. */
export class Trial {
  readonly logs: string[] = [];

  constructor(readonly store: string, readonly file: string, readonly set: readonly string[]) {}

  async run(executor?: ExecutorKind, profile?: string): Promise<RunSummary> {
    await using session = await PipelineSession.open({
      file: pipelineFile(this.file),
      store: this.store,
      set: this.set,
      ...(executor === undefined ? {} : { executor }),
      ...(profile === undefined ? {} : { profile }),
    });
    return await session.run({
      jobs: executor === undefined ? 0 : 4,
      command: "test",
      stop: new AbortController().signal,
      onEvent: (event) => void (event.type === "node-log" && this.logs.push(event.text)),
    });
  }

  /** Waits until a node tells something. */
  async told(pattern: RegExp, count = 1): Promise<string[]> {
    const found = () => this.logs.filter((text) => pattern.test(text));
    await waitUntil(() => `${pattern} is told:\n${this.logs.join("\n")}`, () => found().length >= count);
    return found();
  }

  /** Keys of nodes that have saved a checkpoint. */
  #saved(): string[] {
    const folder = `${this.store}/checkpoints`;
    return listFolder(folder).filter((key) => listFolder(`${folder}/${key}`).includes("current.json"));
  }

  /** Waits until so many nodes have saved a checkpoint. */
  async hasSaved(count = 1): Promise<void> {
    await waitUntil("checkpoints are saved", () => this.#saved().length >= count);
  }

  /** A worker that is at work on a node which has saved a checkpoint, once there is one. */
  async saving(): Promise<string> {
    let worker: string | undefined;
    await waitUntil("a node at work has saved a checkpoint", () => {
      const saved = this.#saved();
      const taken = saved.length === 0 ? undefined : new JobQueue(Store.open(this.store)).look().taken;
      worker = saved.map((key) => taken?.get(key)).find((one) => one !== undefined);
      return worker !== undefined;
    });
    return worker!;
  }

  /** Cancels the run, as the dashboard does. */
  cancel(): void {
    const store = Store.open(this.store);
    using records = new Records(store);
    cancelRun(store, records.runs()[0]!);
  }

  /** What the workers printed. */
  printed(): string[] {
    const folder = `${this.store}/queue/slurm`;
    return [...Deno.readDirSync(folder)].flatMap(({ name }) =>
      Deno.readTextFileSync(`${folder}/${name}`).trim().split("\n").filter((line) => line !== "")
    );
  }
}
