import type { Digest } from "../../foundation/canonical.ts";
import { removeQuietly, uniqueName, writeFile } from "../../foundation/atomic.ts";
import { guardedSync } from "../../foundation/faults.ts";
import type { ObjectUses } from "./object_uses.ts";
import type { NodeResult, Store } from "./store.ts";
import { syncFiles } from "./sync.ts";

/** A record that says what is dropped, written but not in its place yet. */
interface Mark {
  readonly temp: string;
  readonly path: string;
  /** The result as it was. */
  readonly result: NodeResult;
}

interface Drop {
  readonly outputs: readonly string[];
  readonly marks: readonly Mark[];
}

/**
 * Outputs of results that are dropped together. First `add` notes in each result that they are dropped, then `sync` makes all notes durable
 * at once, which takes a disk about as long as one alone, and `drop` puts them in their places and removes those objects that no
 * other result refers to. Killed in between, it leaves objects that `gc` removes.
 *
 * From `add` on nobody else may drop anything or record a result, see `Store.dropping`; during `drop` nobody may hold the result.
 */
export class DropBatch implements Disposable {
  /** The moment that is noted, ISO 8601. */
  readonly when = new Date().toISOString();
  readonly #store: Store;
  readonly #uses: ObjectUses;
  readonly #drops = new Map<Digest, Drop>();

  constructor(store: Store, uses: ObjectUses) {
    this.#store = store;
    this.#uses = uses;
  }

  /** Takes outputs of a result into the batch. A result that is not there has none. */
  add(key: Digest, outputs: readonly string[]): void {
    const marks: Mark[] = [];
    this.#drops.set(key, { outputs, marks });
    // A result of accepted code is that of the code before: the same bytes under two keys.
    for (let next: Digest | undefined = key; next !== undefined;) {
      const marked = this.#store.marked(next, outputs, this.when);
      if (marked === undefined) break;
      const { path, bytes, result } = marked;
      const temp = `${this.#store.tmp}/${uniqueName()}`;
      guardedSync("writing", path, () => writeFile(temp, bytes));
      marks.push({ temp, path, result });
      next = result.accepted?.from;
    }
  }

  /** Makes the notes durable. */
  async sync(): Promise<void> {
    const temps = this.#drops.values().flatMap(({ marks }) => marks.map(({ temp }) => temp));
    await syncFiles(this.#store.tmp, [...temps]);
  }

  /**
   * Drops the outputs of a result of the batch.
   *
   * @returns the bytes that were freed.
   */
  drop(key: Digest): number {
    const { outputs, marks } = this.#drops.get(key)!;
    for (const { temp, path, result } of marks) {
      guardedSync("writing", path, () => Deno.renameSync(temp, path));
      this.#uses.reread(result.key);
    }
    this.#drops.delete(key);
    const files = new Map(
      marks.flatMap(({ result }) => outputs.flatMap((name) => result.outputs[name]?.files ?? []))
        .map((file) => [file.digest, file.size]),
    );
    let bytes = 0;
    for (const [digest, size] of files) {
      if (this.#uses.has(digest) || !this.#store.blobs.has(digest, size)) continue;
      removeQuietly(this.#store.blobs.path(digest));
      bytes += size;
    }
    return bytes;
  }

  /** Removes the notes of what was not dropped. */
  [Symbol.dispose](): void {
    for (const { marks } of this.#drops.values()) for (const { temp } of marks) removeQuietly(temp);
  }
}
