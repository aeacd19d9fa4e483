import { Records } from "../runner/records/records.ts";
import { Store } from "../runner/store/store.ts";
import { storePath } from "./options.ts";

/** Opens the store and its records for reading. */
export function openRecords(option: string | undefined): { store: Store; records: Records } {
  const store = Store.open(storePath(option));
  return { store, records: new Records(store, { readOnly: true }) };
}
