import { Records } from "../../runner/records/records.ts";
import type { Store } from "../../runner/store/store.ts";

/**
 * The current run records of a store. Opened on demand and reopened if the file has been replaced, so that a dashboard
 * survives damage and repair.
 */
export class LiveRecords implements Disposable {
  readonly #store: Store;
  #open: { records: Records; file: string } | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** @throws RetortError when the records are missing, damaged or of another version. */
  get(): Records {
    const { ino, dev } = Deno.statSync(`${this.#store.root}/records.sqlite`);
    const file = `${dev} ${ino}`;
    if (this.#open?.file === file) return this.#open.records;
    this[Symbol.dispose]();
    let records = new Records(this.#store, { readOnly: true });
    if (!records.hasLists() && !this.#store.readOnly) {
      // From an older version: open for writing to upgrade it.
      records.close();
      new Records(this.#store).close();
      records = new Records(this.#store, { readOnly: true });
    }
    this.#open = { records, file };
    return records;
  }

  [Symbol.dispose](): void {
    this.#open?.records.close();
    this.#open = undefined;
  }
}
