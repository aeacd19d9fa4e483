import { CallError } from "../foundation/errors.ts";
import type { AnyCodec, ReadOf } from "./codec.ts";
import { collecting, type NodeDraft, type ReadArtifact, type Ref } from "./stage.ts";

/** Milliseconds for which a build may neither return nor ask: it reads parameters and artifacts, which takes no time. */
const PATIENCE = 60_000;

/** An artifact that a build waits for. */
interface Asked {
  readonly ref: Ref;
  readonly resolve: (value: unknown) => void;
}

/**
 * A build that may wait for artifacts. All that it asks for until nothing else is left to do are answered together, so that the
 * order in which artifacts come, and whether they came from the store, changes nothing: neither names nor keys.
 */
export class GrowingBuild<T> {
  readonly #drafts: NodeDraft[] = [];
  #asked: Asked[] = [];
  #ended: { readonly value: T } | { readonly error: unknown } | undefined;
  #moved = Promise.withResolvers<void>();
  #rounds = 0;

  /**
   * @param rounds how often it may wait.
   * @param patience milliseconds after which a build that neither returns nor asks is taken for stuck.
   */
  constructor(
    private readonly build: (read: ReadArtifact) => T | Promise<T>,
    private readonly rounds: number,
    private readonly patience: number = PATIENCE,
  ) {}

  /** Begins the build. It has returned, or waits for artifacts, when this is done. @throws what the build throws. */
  async begin(): Promise<void> {
    await this.#advance(async () => {
      try {
        this.#ended = { value: await this.build((ref) => this.#ask(ref)) };
      } catch (error) {
        this.#ended = { error };
      }
      this.#moved.resolve();
    });
  }

  /** What it waits for; empty once it has returned. */
  get awaited(): readonly Ref[] {
    return this.#ended === undefined ? this.#asked.map(({ ref }) => ref) : [];
  }

  /** What it has made so far. */
  get drafts(): readonly NodeDraft[] {
    return this.#drafts;
  }

  /** What it returned; undefined while it waits. */
  get returned(): T | undefined {
    return this.#ended !== undefined && "value" in this.#ended ? this.#ended.value : undefined;
  }

  /**
   * Hands over what it waits for and lets it go on.
   *
   * @param signal gives it up: a build that is stuck must not keep anybody from stopping a run.
   * @throws what the build throws, CallError when it never ends, the signal's reason.
   */
  async answer(values: readonly unknown[], signal?: AbortSignal): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    this.#moved = Promise.withResolvers();
    await this.#advance(() => asked.forEach(({ resolve }, i) => resolve(values[i])), signal);
  }

  #ask<C extends AnyCodec>(ref: Ref<C>): Promise<ReadOf<C>> {
    if (ref?.node === undefined || ref.codec === undefined) {
      const hint = "`read` takes what a stage returned by name: `await read(count({ text }).count)`.";
      return Promise.reject(
        new CallError("pipeline/read", "`read` was called with what is no output of a stage", { hint }),
      );
    }
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#asked.push({ ref, resolve });
    this.#moved.resolve();
    return promise as Promise<ReadOf<C>>;
  }

  async #advance(move: () => unknown, signal?: AbortSignal): Promise<void> {
    await collecting(this.#drafts, async () => {
      move();
      await this.#untilMoved(signal);
      // What runs beside the first to ask may ask as well.
      for (let asked = -1; this.#ended === undefined && asked < this.#asked.length;) {
        asked = this.#asked.length;
        await new Promise((resolve) => setTimeout(resolve));
      }
    });
    if (this.#ended !== undefined && "error" in this.#ended) throw this.#ended.error;
    if (this.#ended === undefined && ++this.#rounds > this.rounds) {
      throw new CallError(
        "pipeline/endless",
        `its build has waited for artifacts ${this.rounds} times and waits again: its limit is \`rounds\``,
        {
          hint:
            "Read what belongs together at once, with Promise.all; or say more `rounds` in `definePipeline`.",
        },
      );
    }
  }

  /** Waits until the build has returned or asks for artifacts. @throws CallError when it does neither for too long. */
  async #untilMoved(signal?: AbortSignal): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const hint = "Parts of a build that wait for one another wait for ever: let each read what it needs.";
      const what = `its build has neither returned nor read an artifact for ${this.patience / 1000} s`;
      reject(new CallError("pipeline/endless", what, { hint }));
    }, this.patience);
    // With nothing else left to do it is found out at once.
    Deno.unrefTimer(timer);
    const giveUp = () => reject(signal!.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      await Promise.race([this.#moved.promise, promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    }
  }
}
