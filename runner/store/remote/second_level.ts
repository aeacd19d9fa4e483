import type { Digest } from "../../../foundation/canonical.ts";
import { RetortError } from "../../../foundation/errors.ts";
import type { Store } from "../store.ts";
import { ResultIndex } from "./index.ts";
import { type Remote, RemoteError } from "./remote.ts";
import { fetchResult, pushResult } from "./transfer.ts";

/** Results that are put at once. */
const PUSHES = 2;

/**
 * A remote as the second level of a store, for one run: results that the store lacks come from there, and those that the
 * run makes go there. Once the remote is away, that is said once, and the run goes on without it.
 */
export class SecondLevel {
  readonly #index: ResultIndex;
  #away: RemoteError | undefined;
  readonly #waiting: Digest[] = [];
  #pushing = 0;
  #idle = Promise.withResolvers<void>();

  /** @param tell gets what people should know, a line each. */
  constructor(readonly store: Store, readonly remote: Remote, public tell: (text: string) => void) {
    this.#index = new ResultIndex(remote);
  }

  /** Why the remote is no longer asked; undefined while it is. */
  get away(): RemoteError | undefined {
    return this.#away;
  }

  /** Gets the result of a key into the store. @returns whether it is there now. */
  async fetch(key: Digest): Promise<boolean> {
    return await this.#asked(async () => {
      if (!await this.#index.may(key)) return false;
      const fetched = await fetchResult(this.store, this.remote, key);
      if (fetched.state === "damaged") this.tell(`a result on ${this.remote.url} is damaged: ${fetched.why}`);
      return fetched.state === "fetched";
    }) ?? false;
  }

  /** Puts the result of a key there, in the background. */
  push(key: Digest): void {
    if (this.#away !== undefined || !this.remote.writable) return;
    if (this.#pushing === 0) this.#idle = Promise.withResolvers<void>();
    this.#waiting.push(key);
    if (this.#pushing < PUSHES) this.#work();
  }

  async #work(): Promise<void> {
    this.#pushing++;
    for (let key = this.#waiting.shift(); key !== undefined; key = this.#waiting.shift()) {
      const next = key;
      await this.finish(() => pushResult(this.store, this.remote, next));
    }
    if (--this.#pushing === 0) this.#idle.resolve();
  }

  /** Waits until everything is there that was to be put. */
  async settled(): Promise<void> {
    if (this.#pushing > 0) await this.#idle.promise;
  }

  /** Asks the remote; undefined where it is away. */
  async #asked<T>(action: () => Promise<T>): Promise<T | undefined> {
    if (this.#away !== undefined) return undefined;
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error;
      if (this.#away === undefined) this.tell(`${error.message}; the run goes on without it`);
      this.#away = error;
      return undefined;
    }
  }

  /** Does something more with the remote, unless it is away; what fails is told. */
  async finish(action: () => Promise<unknown>): Promise<void> {
    try {
      await this.#asked(action);
    } catch (error) {
      if (!(error instanceof RetortError)) throw error;
      this.tell(error.message);
    }
  }
}
