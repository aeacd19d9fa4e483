import type { QuantisationLoss } from "../../circuits/eight_bits.ts";
import { CallError } from "../../foundation/errors.ts";
import type { Export } from "../../runner/export.ts";
import type { Records } from "../../runner/records/records.ts";
import type { ArtifactRecord } from "../../runner/records/rows.ts";
import { listFolder } from "../../runner/store/blobs.ts";
import type { Store } from "../../runner/store/store.ts";
import { buildPlayground } from "./build.ts";
import { modelOf } from "./model_of.ts";

/**
 * Writes a model of texts or images as a page into a new or empty folder: the playground with this model, its tables in 8 bits.
 *
 * @returns with what the 8 bits cost.
 * @throws CallError when it is no such model, or the folder is not empty.
 */
export async function exportPage(
  store: Store,
  records: Records,
  record: ArtifactRecord,
  folder: string,
): Promise<Export & { readonly loss: QuantisationLoss }> {
  if (listFolder(folder).length > 0) {
    throw new CallError("command/folder-not-empty", `${folder} is not empty`, { hint: "Name a new folder." });
  }
  const { loss = { mean: 0, largest: 0 }, ...model } = await modelOf(store, records, record);
  const built = await buildPlayground(folder, [{ ...model, name: "model", beside: null }]);
  return { folder, ...built, loss };
}
