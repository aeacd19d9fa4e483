import { CallError } from "../foundation/errors.ts";
import type { AnyCodec, ReadOf } from "./codec.ts";
import { collecting, type NodeDraft, type Ref } from "./stage.ts";

/** Reads a small artifact of the pipeline: the build goes on when it is there. */
export type ReadArtifact = <C extends AnyCodec>(ref: Ref<C>) => Promise<ReadOf<C>>;

/** Nodes that a pipeline may grow to. */
export const MOST_NODES = 200_000;

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

  /** @param rounds how often it may wait. */
  constructor(
    private readonly pipeline: string,
    private readonly build: (read: ReadArtifact) => T | Promise<T>,
    private readonly rounds: number,
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

  /** Hands over what it waits for and lets it go on. @throws what the build throws, CallError when it never ends. */
  async answer(values: readonly unknown[]): Promise<void> {
    if (++this.#rounds >= this.rounds) {
      throw new CallError(
        "pipeline/endless",
        `pipeline \`${this.pipeline}\`: its build waited for artifacts ${this.rounds} times and does not end: ` +
          "its limit is `rounds`",
        {
          hint:
            "Read what belongs together at once, with Promise.all; or say more `rounds` in `definePipeline`.",
        },
      );
    }
    const asked = this.#asked;
    this.#asked = [];
    this.#moved = Promise.withResolvers();
    await this.#advance(() => asked.forEach(({ resolve }, i) => resolve(values[i])));
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

  async #advance(move: () => unknown): Promise<void> {
    await collecting(this.#drafts, async () => {
      move();
      await this.#moved.promise;
      // What runs beside the first to ask may ask as well.
      for (let asked = -1; this.#ended === undefined && asked < this.#asked.length;) {
        asked = this.#asked.length;
        await new Promise((resolve) => setTimeout(resolve));
      }
    });
    if (this.#ended !== undefined && "error" in this.#ended) throw this.#ended.error;
    if (this.#drafts.length > MOST_NODES) {
      throw new CallError(
        "pipeline/endless",
        `pipeline \`${this.pipeline}\`: its build made ${this.#drafts.length} nodes; the limit is ${MOST_NODES}`,
      );
    }
  }
}
