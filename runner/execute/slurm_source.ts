import { digestBytes } from "../../foundation/canonical.ts";
import { guardedSync } from "../../foundation/faults.ts";
import { messageOf } from "../../foundation/errors.ts";
import { programArguments } from "../program.ts";
import { listFolder } from "../store/blobs.ts";
import type { Store } from "../store/store.ts";
import type { Job, Outcome } from "./job.ts";
import type { Beat } from "./queue.ts";
import type { SlurmSite } from "./slurm_site.ts";
import type { Supply, WorkerSource } from "./queue_executor.ts";
import {
  slurm,
  slurmArraySize,
  type SlurmElement,
  SlurmError,
  slurmQueue,
  slurmState,
} from "./slurm_commands.ts";
import { STAGE_RIGHTS } from "./rights.ts";

const WORKER = new URL("./slurm_worker.ts", import.meta.url);

/** Milliseconds between questions to Slurm. */
const EVERY = 2000;
/** How often in a row an array may end without a worker that began. */
const STILLBORN = 3;
/** Seconds before a worker's end at which it is told, so that the job at work can save its checkpoint. */
const NOTICE = 120;
/** Memory that a worker takes itself beside its job, in MiB. */
const OWN_MEMORY = 512;
/** Reasons to wait that are none of the cluster's being busy: others begin sooner. */
const LATE = /^(?:BeginTime|JobHeld\w*)$|requeued|held/;
/** Days for which the output of workers is kept. */
const LOG_DAYS = 7;

/** An array that was submitted. */
interface Submitted {
  /** Elements of it that have begun. */
  begun: number;
  readonly at: number;
}

/** Starts workers as jobs of Slurm: arrays for jobs of like demands, so many as have jobs. */
export class SlurmSource implements WorkerSource {
  readonly #site: SlurmSite;
  readonly #limit: number;
  readonly #submitted = new Map<string, Submitted>();
  /** Elements whose workers have told of themselves, and those whose workers live. */
  readonly #begun = new Set<string>();
  readonly #living = new Set<string>();
  /** States of elements that have begun and left the queue. */
  readonly #ended = new Map<string, string>();
  #stillborn = 0;
  /** The most elements of an array, once it was asked. */
  #largest: number | undefined;
  #failure: (Outcome & { kind: "failed" }) | undefined;
  #waitsFor: string | undefined;
  #asked = -Infinity;
  #asking: Promise<void> | undefined;
  #store: Store | undefined;

  /** @param limit how many workers wait or run at once. */
  constructor(limit: number, site: SlurmSite) {
    this.#limit = limit;
    this.#site = site;
  }

  provide(store: Store, jobs: readonly Job[], beats: Iterable<Beat>): Supply {
    this.#store = store;
    this.#living.clear();
    for (const { element } of beats) {
      if (element === undefined) continue;
      this.#living.add(element);
      if (this.#begun.has(element)) continue;
      this.#begun.add(element);
      const array = this.#submitted.get(arrayOf(element));
      if (array !== undefined) array.begun++;
      this.#stillborn = 0;
    }
    if (this.#asking === undefined && performance.now() - this.#asked > EVERY) {
      this.#asked = performance.now();
      this.#asking = this.#ask(store, jobs).catch((error) => this.#fail(error))
        .finally(() => this.#asking = undefined);
    }
    const failure = this.#failure;
    this.#failure = undefined;
    return { failure, waitsFor: this.#waitsFor };
  }

  whyGone({ element }: Beat): (Outcome & { kind: "failed" }) | undefined {
    if (element === undefined || this.#ended.get(element) !== "OUT_OF_MEMORY") return undefined;
    return {
      kind: "failed",
      code: "run/memory",
      error: `its worker, job ${element} of Slurm, was ended for taking more memory than it had asked for`,
      hint: "Say what the stage takes (`resources: { memory }` of the stage, the node or the profile).",
    };
  }

  #fail(error: unknown): void {
    if (error instanceof SlurmError && error.passes) {
      // The store is the truth, and workers go on without it.
      this.#waitsFor = `Slurm: ${error.message}`;
      return;
    }
    const hint = error instanceof SlurmError ? error.hint : undefined;
    this.#failure = {
      kind: "failed",
      code: "run/slurm",
      error: messageOf(error),
      ...(hint === undefined ? {} : { hint }),
    };
  }

  async #ask(store: Store, jobs: readonly Job[]): Promise<void> {
    const elements = await slurmQueue();
    await this.#lookAtEnded(elements);
    if (this.#isStillborn(elements)) return;
    const prefix = `retort-${digestBytes(store.root).slice(0, 8)}-`;
    // Slurm may take a while to see that a machine is gone, and lets what it requeues wait for two minutes.
    const isLost = ({ id, state, reason }: SlurmElement) =>
      state === "COMPLETING" || state === "PENDING" && LATE.test(reason) ||
      state === "RUNNING" && this.#begun.has(id) && !this.#living.has(id);
    const own = Map.groupBy(
      elements.filter((one) => one.name.startsWith(prefix) && !isLost(one)),
      ({ name }) => name,
    );
    let free = this.#limit - [...own.values()].reduce((sum, { length }) => sum + length, 0);
    for (const [name, alike] of Map.groupBy(jobs, (job) => prefix + sizeName(job))) {
      let missing = Math.min(free, alike.length - (own.get(name)?.length ?? 0));
      if (missing <= 0) continue;
      free -= missing;
      this.#largest ??= await slurmArraySize();
      for (; missing > 0; missing -= this.#largest) {
        await this.#submit(store, name, alike[0]!, Math.min(missing, this.#largest));
      }
    }
    const waiting = [...own.values()].flat().find(({ state }) => state === "PENDING");
    this.#waitsFor = waiting === undefined ? "Slurm" : `Slurm, where jobs wait (${waiting.reason})`;
  }

  /** Learns how workers ended that are in the queue no more. */
  async #lookAtEnded(elements: readonly SlurmElement[]): Promise<void> {
    const there = new Set(elements.map(({ id }) => id));
    for (const id of this.#begun) {
      if (there.has(id) || this.#ended.has(id)) continue;
      this.#ended.set(id, await slurmState(id) ?? "");
    }
  }

  /** Whether arrays keep ending before a worker of theirs begins. */
  #isStillborn(elements: readonly SlurmElement[]): boolean {
    const there = new Set(elements.map(({ id }) => arrayOf(id)));
    for (const [id, { begun, at }] of this.#submitted) {
      // What was just submitted may not be shown yet, and what a worker just told not be seen.
      if (there.has(id) || performance.now() - at < 2 * EVERY) continue;
      this.#submitted.delete(id);
      if (begun > 0 || ++this.#stillborn < STILLBORN) continue;
      const { path, text } = this.#lastLog(id);
      this.#stillborn = 0;
      this.#failure = {
        kind: "failed",
        code: "run/slurm",
        error: `${STILLBORN} arrays of Slurm in a row ended before a worker began${
          text === "" ? "" : `; the last one printed: ${text}`
        }`,
        hint:
          `Its output is in ${path}. Do all machines of the cluster see the store, the project and Deno under the same paths?`,
      };
      return true;
    }
    return false;
  }

  #lastLog(array: string): { readonly path: string; readonly text: string } {
    const folder = logFolder(this.#store!);
    const name = listFolder(folder).find((name) => name.startsWith(`${array}_`));
    if (name === undefined) return { path: folder, text: "" };
    const text = Deno.readTextFileSync(`${folder}/${name}`).trim();
    return { path: `${folder}/${name}`, text: text.slice(-500) };
  }

  async #submit(store: Store, name: string, job: Job, count: number): Promise<void> {
    const folder = logFolder(store);
    guardedSync("making", folder, () => Deno.mkdirSync(folder, { recursive: true }));
    removeOld(folder);
    const { options = [], setup = [], idle = 30, time } = this.#site;
    const { cores = 1, memory, gpus = 0 } = job;
    const worker = [
      ...["run", "--quiet", "--no-prompt", ...STAGE_RIGHTS, ...programArguments(WORKER, job.config)],
      JSON.stringify({ store: store.root, idle, size: { cores, memory, gpus } }),
    ];
    const script = [
      "#!/bin/sh",
      ...setup,
      `exec ${[Deno.execPath(), ...worker].map(quoted).join(" ")}`,
    ];
    const answer = await slurm("sbatch", [
      ...["--parsable", "--requeue", "--open-mode=append", `--signal=B:USR1@${NOTICE}`],
      ...[
        `--job-name=${name}`,
        `--array=0-${count - 1}`,
        "--ntasks=1",
        `--cpus-per-task=${Math.ceil(cores)}`,
      ],
      ...(memory === null ? [] : [`--mem=${Math.ceil(memory / 2 ** 20) + OWN_MEMORY}M`]),
      ...(gpus === 0 ? [] : [`--gres=gpu:${gpus}`]),
      ...(time === undefined ? [] : [`--time=${Math.ceil(time / 60)}`]),
      ...[`--chdir=${store.root}`, `--output=${folder}/%A_%a.log`],
      // What the site says goes before all of this.
      ...options,
    ], `${script.join("\n")}\n`);
    this.#submitted.set(answer.split(";")[0]!, { begun: 0, at: performance.now() });
  }

  /** Takes back what waits; workers that have begun end by themselves. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asking;
    const arrays = [...this.#submitted.keys()];
    if (arrays.length === 0) return;
    try {
      await slurm("scancel", ["--state=PENDING", ...arrays]);
    } catch (error) {
      if (!(error instanceof SlurmError)) throw error; // They begin, find nothing to do, and end.
    }
  }
}

/** Workers of one name take jobs that demand as much. */
function sizeName({ cores = 1, memory, gpus = 0 }: Job): string {
  const mebibytes = memory === null ? "" : `-${Math.ceil(memory / 2 ** 20)}m`;
  return `${cores}c${mebibytes}${gpus === 0 ? "" : `-${gpus}g`}`;
}

/** The array of an element. */
function arrayOf(element: string): string {
  return element.split("_")[0]!;
}

function logFolder(store: Store): string {
  return `${store.root}/queue/slurm`;
}

function removeOld(folder: string): void {
  const before = Date.now() - LOG_DAYS * 86_400_000;
  for (const name of listFolder(folder)) {
    const path = `${folder}/${name}`;
    try {
      if ((Deno.statSync(path).mtime?.getTime() ?? Infinity) < before) Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // Another run was first.
    }
  }
}

/** A word of the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
