import { uniqueName } from "../../foundation/atomic.ts";
import { messageOf } from "../../foundation/errors.ts";
import { Store } from "../store/store.ts";
import type { Executor } from "./executor.ts";
import type { Job, JobMessage, Outcome } from "./job.ts";
import { BEAT, type Beat, JobQueue } from "./queue.ts";

/** Milliseconds between looks at the queue: shortly after something happened, and while nothing does. */
const LOOKS = { shortest: 5, longest: 100 };
/** Milliseconds between looks at what jobs tell, and at whether workers live. */
const SECOND = 500;
/** Milliseconds for which a job may be neither waiting nor at work nor ended, until it is asked for anew. */
const ABSENT = 2000;
/** So many beats may be missing. */
const GONE = 8 * BEAT;
/** How many workers may go with one job. */
const LOST = 3;

interface Asked {
  readonly job: Job;
  readonly usesEngine: boolean;
  readonly tell: (message: JobMessage) => void;
  readonly settle: (outcome: Outcome) => void;
  /** Position in what it told. */
  told: number;
  absentSince: number | undefined;
  lost: number;
}

/** Whether workers will come. */
export interface Supply {
  /** How the jobs fail that wait, where no worker will come. */
  readonly failure: (Outcome & { kind: "failed" }) | undefined;
  /** What the jobs wait for meanwhile. */
  readonly waitsFor: string | undefined;
}

/** What starts workers. */
export interface WorkerSource extends AsyncDisposable {
  /**
   * Sees to it that there are workers; called twice a second.
   *
   * @param jobs that wait or are at work.
   * @param beats of the workers that live.
   */
  provide(store: Store, jobs: readonly Job[], beats: Iterable<Beat>): Supply;
  /** Why a worker is gone, where its scheduler knows: the failure of its job. */
  whyGone(beat: Beat): (Outcome & { kind: "failed" }) | undefined;
}

/** Leaves jobs in the store's folder for workers that `retort work` starts, on whatever machines have that folder. */
export class QueueExecutor implements Executor {
  readonly engineLane = false;
  readonly #asked = new Map<string, Asked>();
  /** When the beat of a worker was last seen to change, by this machine's own clock: others' may go wrong. */
  readonly #seen = new Map<string, { beat: number; at: number }>();
  #queue: JobQueue | undefined;
  #store: Store | undefined;
  #stopping = false;
  #wait = LOOKS.shortest;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastSecond = 0;
  #waitsFor: string | undefined;

  /**
   * @param lanes how many jobs wait or are at work at once.
   * @param gone milliseconds without a beat after which a worker is no more.
   * @param source of workers; people start them without it.
   */
  constructor(
    readonly lanes: number,
    private readonly gone = GONE,
    private readonly source?: WorkerSource,
  ) {}

  // deno-lint-ignore require-await -- what goes wrong is an outcome
  async execute(job: Job, usesEngine: boolean, tell: (message: JobMessage) => void): Promise<Outcome> {
    if (this.#stopping) return { kind: "interrupted" };
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    try {
      this.#store ??= Store.open(job.store);
      this.#queue ??= new JobQueue(this.#store);
      // Who asks for a result finds the job of another run that asks for it; to make one again is everybody's own wish.
      const name = job.mode === "make" ? job.key : `${job.key}-${uniqueName()}`;
      const asked = { job, usesEngine, tell, settle: resolve, told: 0, absentSince: undefined, lost: 0 };
      this.#asked.set(name, asked);
      this.#queue.add(name, { job, usesEngine });
      this.#soon();
    } catch (error) {
      return {
        kind: "failed",
        code: "run/worker",
        error: `cannot leave the job in the queue: ${messageOf(error)}`,
      };
    }
    return promise;
  }

  #soon(): void {
    this.#wait = LOOKS.shortest;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), this.#wait);
  }

  #look(): void {
    let changed = false;
    try {
      changed = this.#settleEnded();
      const now = performance.now();
      if (now - this.#lastSecond > SECOND) {
        this.#lastSecond = now;
        this.#everySecond(now);
      }
    } catch (error) {
      for (const [name] of this.#asked) {
        this.#settle(name, {
          kind: "failed",
          code: "run/worker",
          error: `cannot read the queue: ${messageOf(error)}`,
        });
      }
    }
    if (this.#asked.size === 0) return;
    this.#wait = changed ? LOOKS.shortest : Math.min(LOOKS.longest, this.#wait * 1.3);
    this.#timer = setTimeout(() => this.#look(), this.#wait);
  }

  #settleEnded(): boolean {
    let some = false;
    for (const name of this.#queue!.ended()) {
      const asked = this.#asked.get(name);
      const outcome = asked && this.#queue!.outcome(name);
      if (outcome === undefined) continue;
      some = true;
      this.#hear(name, asked!);
      this.#queue!.forget(name);
      // Another run that had asked for the same was stopped.
      if (outcome.kind === "interrupted" && !this.#stopping) this.#again(name, asked!);
      else this.#settle(name, outcome);
    }
    return some;
  }

  #everySecond(now: number): void {
    const queue = this.#queue!;
    const beats = queue.beats();
    for (const [worker, { beat }] of beats) {
      if (this.#seen.get(worker)?.beat !== beat) this.#seen.set(worker, { beat, at: now });
    }
    const lives = (worker: string) => beats.has(worker) && now - this.#seen.get(worker)!.at < this.gone;
    const { waiting, taken, ended } = queue.look();
    const supply = this.source?.provide(
      this.#store!,
      [...this.#asked.values()].map(({ job }) => job),
      beats.values().filter(({ worker }) => lives(worker)),
    );
    const waitsFor = this.source === undefined
      ? `workers: start some with \`retort work --store ${this.#store!.root}\``
      : supply?.waitsFor;
    if (waitsFor !== undefined && waitsFor !== this.#waitsFor && ![...beats.keys()].some(lives)) {
      this.#waitsFor = waitsFor;
      const [first] = this.#asked.values();
      first?.tell({ type: "waiting", for: waitsFor });
    }
    if (supply?.failure !== undefined) {
      for (const name of waiting) {
        if (this.#asked.has(name) && queue.withdraw(name)) this.#settle(name, supply.failure);
      }
    }
    for (const [name, asked] of this.#asked) {
      this.#hear(name, asked);
      const worker = taken.get(name);
      if (worker !== undefined && !lives(worker)) this.#lose(name, asked, worker, beats.get(worker));
      const there = waiting.has(name) || worker !== undefined || ended.has(name);
      if (there) asked.absentSince = undefined;
      else if (now - (asked.absentSince ??= now) > ABSENT) this.#again(name, asked);
    }
  }

  /** A worker is gone with its job: another one gets it. */
  #lose(name: string, asked: Asked, worker: string, beat: Beat | undefined): void {
    this.#queue!.drop(name, worker);
    const known = beat && this.source?.whyGone(beat);
    if (known !== undefined) return this.#settle(name, known);
    const who = `worker ${worker}${beat === undefined ? "" : ` on ${beat.host}`}`;
    if (++asked.lost < LOST && !this.#stopping) {
      asked.tell({ type: "log", text: `${who} is gone; another one gets the job` });
      return this.#again(name, asked);
    }
    this.#settle(name, {
      kind: "failed",
      code: "run/lost",
      error: `${asked.lost} workers were lost with it, the last of them ${who}`,
      hint: "Did it take more memory than its machine has? The logs of the workers may tell.",
    });
  }

  /** Absence is no failure: another run may have read the end of it. */
  #again(name: string, asked: Asked): void {
    asked.absentSince = undefined;
    const found = asked.job.mode === "make" ? this.#store!.lookup(asked.job.key) : undefined;
    if (found?.state === "found") return this.#settle(name, { kind: "elsewhere", result: found.result });
    if (this.#stopping) return this.#settle(name, { kind: "interrupted" });
    asked.told = 0;
    this.#queue!.add(name, { job: asked.job, usesEngine: asked.usesEngine });
  }

  #hear(name: string, asked: Asked): void {
    const { messages, next } = this.#queue!.told(name, asked.told);
    asked.told = next;
    for (const message of messages) asked.tell(message);
  }

  #settle(name: string, outcome: Outcome): void {
    const asked = this.#asked.get(name);
    this.#asked.delete(name);
    asked?.settle(outcome);
  }

  stop(): void {
    this.#stopping = true;
    for (const name of this.#asked.keys()) {
      if (this.#queue!.withdraw(name)) this.#settle(name, { kind: "interrupted" });
      else this.#queue!.askToStop(name);
    }
  }

  kill(): void {
    this.stop();
    for (const name of this.#asked.keys()) this.#settle(name, { kind: "interrupted" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.source?.[Symbol.asyncDispose]();
  }
}
