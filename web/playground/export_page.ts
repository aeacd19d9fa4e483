import { encodeTextModel } from "../../browser/model_file.ts";
import type { QuantisationLoss } from "../../circuits/eight_bits.ts";
import { CallError } from "../../foundation/errors.ts";
import type { Export } from "../../runner/export.ts";
import type { Records } from "../../runner/records/records.ts";
import type { ArtifactRecord } from "../../runner/records/rows.ts";
import { listFolder } from "../../runner/store/blobs.ts";
import type { Store } from "../../runner/store/store.ts";
import { buildPlayground } from "./build.ts";
import { textModelOf } from "./text_model_of.ts";

/**
 * Writes a model of texts as a page into a new or empty folder: the playground with this model, its tables in 8 bits.
 *
 * @returns with what the 8 bits cost.
 * @throws CallError when it is no model of texts, or the folder is not empty.
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
  const file = await textModelOf(store, records, record);
  const { bytes, loss = { mean: 0, largest: 0 } } = encodeTextModel(file, 8);
  const built = await buildPlayground(folder, [{
    name: "model",
    title: file.story.title,
    beside: null,
    bytes,
  }]);
  return { folder, ...built, loss };
}
