import { uniqueName } from "../../foundation/atomic.ts";
import { guardedSync } from "../../foundation/faults.ts";
import { listFolder } from "../store/blobs.ts";
import type { Store } from "../store/store.ts";
import type { Job, JobMessage, Outcome } from "./job.ts";

/** A job that waits for a worker. */
export interface QueuedJob {
  readonly job: Job;
  readonly usesEngine: boolean;
}

/** What a worker tells of itself, anew every few seconds. */
export interface Beat {
  readonly worker: string;
  /** The job of a cluster's scheduler that it is, where it is one. */
  readonly element?: string;
  readonly host: string;
  readonly pid: number;
  readonly deno: string;
  readonly retort: string;
  /** Grows as long as it lives. */
  readonly beat: number;
}

/** Milliseconds between beats. */
export const BEAT = 2000;

const FOLDERS = ["waiting", "taken", "told", "ended", "stop", "workers"] as const;

/** The jobs that wait or are at work in a store; none where no queue was ever made. */
export function queuedJobs(store: Store): Job[] {
  return (["waiting", "taken"] as const).flatMap((folder) =>
    listFolder(`${store.root}/queue/${folder}`).flatMap((name): Job[] => {
      try {
        return [
          (JSON.parse(Deno.readTextFileSync(`${store.root}/queue/${folder}/${name}`)) as QueuedJob).job,
        ];
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return []; // It has gone on.
        throw error;
      }
    })
  );
}

/**
 * Jobs that lie in a store's folder until a worker takes them: what the file system does at once, renaming a file, decides who has
 * one. A job has one name however often it is asked for, so that whoever asks anew finds the one that is there.
 */
export class JobQueue {
  readonly #root: string;
  readonly #tmp: string;

  constructor(store: Store) {
    this.#root = `${store.root}/queue`;
    this.#tmp = store.tmp;
    for (const folder of FOLDERS) {
      const path = `${this.#root}/${folder}`;
      guardedSync("making", path, () => Deno.mkdirSync(path, { recursive: true }));
    }
  }

  /** Adds a job, unless one of that name waits or is at work. */
  add(name: string, queued: QueuedJob): void {
    if (this.#has("waiting", name) || this.holder(name) !== undefined) return;
    this.forget(name); // What is told of an earlier one is not about this.
    this.#write("waiting", name, queued);
  }

  /**
   * Takes a job that waits, the oldest name first; undefined where there is none.
   *
   * @param fits whether the worker may take a job; all without it.
   */
  take(
    worker: string,
    fits?: (job: Job) => boolean,
  ): { readonly name: string; readonly queued: QueuedJob } | undefined {
    for (const file of listFolder(`${this.#root}/waiting`)) {
      const name = file.slice(0, -".json".length);
      const taken = this.#takenPath(name, worker);
      try {
        const path = `${this.#root}/waiting/${file}`;
        if (fits !== undefined && !fits((JSON.parse(Deno.readTextFileSync(path)) as QueuedJob).job)) continue;
        Deno.renameSync(path, taken);
        return { name, queued: JSON.parse(Deno.readTextFileSync(taken)) };
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error; // Another worker was first.
      }
    }
    return undefined;
  }

  /** The worker that has a job. */
  holder(name: string): string | undefined {
    return this.#holders().get(name);
  }

  /** Which worker has which job. */
  #holders(): Map<string, string> {
    return new Map(
      listFolder(`${this.#root}/taken`).map((file) =>
        file.slice(0, -".json".length).split("@") as [string, string]
      ),
    );
  }

  /** What there is of all jobs now. */
  look(): {
    readonly waiting: ReadonlySet<string>;
    readonly taken: ReadonlyMap<string, string>;
    readonly ended: ReadonlySet<string>;
  } {
    // In this order a job that goes on meanwhile is seen twice rather than not at all.
    return { waiting: this.#names("waiting"), taken: this.#holders(), ended: this.ended() };
  }

  /** Says something of a job that is at work. */
  tell(name: string, message: JobMessage): void {
    Deno.writeTextFileSync(`${this.#root}/told/${name}.jsonl`, `${JSON.stringify(message)}\n`, {
      append: true,
    });
  }

  /** What was told of a job from a position on, whole lines only, with the position behind it. */
  told(name: string, from: number): { readonly messages: readonly JobMessage[]; readonly next: number } {
    let bytes: Uint8Array;
    try {
      bytes = Deno.readFileSync(`${this.#root}/told/${name}.jsonl`).subarray(from);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return { messages: [], next: from };
    }
    const end = bytes.lastIndexOf(10) + 1;
    const lines = new TextDecoder().decode(bytes.subarray(0, end)).split("\n").slice(0, -1);
    return { messages: lines.map((line) => JSON.parse(line)), next: from + end };
  }

  /** Says how a job ended, and gives it back. */
  end(name: string, worker: string, outcome: Outcome): void {
    this.#write("ended", name, outcome);
    this.drop(name, worker);
  }

  /** Jobs that have ended. */
  ended(): ReadonlySet<string> {
    return this.#names("ended");
  }

  /** How a job ended, where it has. */
  outcome(name: string): Outcome | undefined {
    try {
      return JSON.parse(Deno.readTextFileSync(`${this.#root}/ended/${name}.json`));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Removes what was told of a job that has ended. */
  forget(name: string): void {
    for (const path of [`ended/${name}.json`, `told/${name}.jsonl`, `stop/${name}`]) this.#remove(path);
  }

  /** Takes a job back that still waits. @returns whether it did. */
  withdraw(name: string): boolean {
    return this.#remove(`waiting/${name}.json`);
  }

  /** Takes a job away from a worker. */
  drop(name: string, worker: string): void {
    this.#remove(`taken/${name}@${worker}.json`);
  }

  /** Asks for the end of a job that is at work. */
  askToStop(name: string): void {
    Deno.writeTextFileSync(`${this.#root}/stop/${name}`, "");
  }

  /** Whether somebody asks for the end of a job. */
  isToStop(name: string): boolean {
    try {
      Deno.statSync(`${this.#root}/stop/${name}`);
      return true;
    } catch {
      return false;
    }
  }

  /** Says that a worker lives. */
  beat(beat: Beat): void {
    this.#write("workers", beat.worker, beat);
  }

  /** A worker is no more. */
  leave(worker: string): void {
    this.#remove(`workers/${worker}.json`);
  }

  /** What the workers told of themselves last. */
  beats(): Map<string, Beat> {
    const beats = new Map<string, Beat>();
    for (const file of listFolder(`${this.#root}/workers`)) {
      try {
        const beat: Beat = JSON.parse(Deno.readTextFileSync(`${this.#root}/workers/${file}`));
        beats.set(beat.worker, beat);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    return beats;
  }

  #names(folder: (typeof FOLDERS)[number]): Set<string> {
    return new Set(listFolder(`${this.#root}/${folder}`).map((file) => file.slice(0, -".json".length)));
  }

  #takenPath(name: string, worker: string): string {
    return `${this.#root}/taken/${name}@${worker}.json`;
  }

  #has(folder: (typeof FOLDERS)[number], name: string): boolean {
    try {
      return Deno.statSync(`${this.#root}/${folder}/${name}.json`).isFile;
    } catch {
      return false;
    }
  }

  /** Appears at once. Not synced: what a crash of the machine takes is asked for anew. */
  #write(folder: (typeof FOLDERS)[number], name: string, value: unknown): void {
    const temp = `${this.#tmp}/${uniqueName()}`;
    guardedSync("writing", temp, () => {
      Deno.writeTextFileSync(temp, JSON.stringify(value));
      Deno.renameSync(temp, `${this.#root}/${folder}/${name}.json`);
    });
  }

  #remove(path: string): boolean {
    try {
      Deno.removeSync(`${this.#root}/${path}`);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }
}
