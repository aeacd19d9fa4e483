import type { Digest } from "../../foundation/canonical.ts";
import { type Lock, lock, tryLock } from "../../foundation/locks.ts";

/**
 * Results whose temporary outputs a run needs: nobody drops them meanwhile, in whatever process. A lock file serves all keys that
 * begin alike, so that a run never has more than 256 of them open.
 */
export class HeldResults implements Disposable {
  readonly #root: string;
  readonly #keys = new Map<string, { readonly lock: Lock; readonly keys: Set<Digest> }>();

  constructor(store: { readonly root: string }) {
    this.#root = store.root;
  }

  #path(digits: string): string {
    return `${this.#root}/locks/${digits}`;
  }

  /** Holds a result until it is let go, or until this process ends. */
  async hold(key: Digest): Promise<void> {
    const digits = key.slice(0, 2);
    const held = this.#keys.get(digits);
    if (held !== undefined) return void held.keys.add(key);
    const taken = await lock(this.#path(digits), { mode: "shared" });
    const other = this.#keys.get(digits);
    // Another task of this process may have taken it meanwhile.
    if (other !== undefined) taken.release();
    else this.#keys.set(digits, { lock: taken, keys: new Set() });
    this.#keys.get(digits)!.keys.add(key);
  }

  /** Lets a result go. */
  release(key: Digest): void {
    const digits = key.slice(0, 2);
    const held = this.#keys.get(digits);
    if (held === undefined || !held.keys.delete(key) || held.keys.size > 0) return;
    held.lock.release();
    this.#keys.delete(digits);
  }

  /**
   * Does something with a result that nobody else holds; what this run holds of keys that begin alike stays so, since nobody
   * drops anything meanwhile: see `Store.dropping`.
   *
   * @returns whether nobody held it.
   */
  async alone(key: Digest, action: () => void): Promise<boolean> {
    const digits = key.slice(0, 2);
    const held = this.#keys.get(digits);
    held?.lock.release();
    this.#keys.delete(digits);
    try {
      using own = tryLock(this.#path(digits));
      if (own === undefined) return false;
      action();
      return true;
    } finally {
      for (const other of held?.keys ?? []) if (other !== key) await this.hold(other);
    }
  }

  [Symbol.dispose](): void {
    for (const { lock } of this.#keys.values()) lock.release();
    this.#keys.clear();
  }
}
