import { join } from "node:path";
import { CallError } from "../../foundation/errors.ts";
import { badFileName } from "../../foundation/file_names.ts";
import { type Export, exportArtifact } from "../../runner/export.ts";
import { resolveArtifact, resolveRun } from "../../runner/references.ts";
import { listFolder } from "../../runner/store/blobs.ts";
import { JSON_OUTPUT, STORE, userPath, VERBOSE } from "../options.ts";
import { bytesText, print, printJson } from "../output.ts";
import { openRecords } from "../records.ts";
import { defineCommand, STORE_PERMISSIONS } from "../command.ts";

export default defineCommand({
  name: "export",
  summary: "copy an artifact, or all outputs of a run, out of the store",
  permissions: STORE_PERMISSIONS,
  declare: (command) =>
    command.argument("<ref>", "as for show; or a run").argument("<dir>", "a new or empty folder").addOption(
      STORE,
    ).addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(exportRef),
});

async function exportRef(
  reference: string,
  folder: string,
  options: { store?: string; json?: true },
): Promise<void> {
  const { store, records } = openRecords(options.store);
  using _closed = records;
  const target = userPath(folder);
  const exports: Export[] = [];
  const run = asRun();
  if (run === undefined) {
    exports.push(await exportArtifact(store, resolveArtifact(records, reference), target));
  } else {
    if (listFolder(target).length > 0) {
      throw new CallError("command/folder-not-empty", `${target} is not empty`, {
        hint: "Name a new folder.",
      });
    }
    for (const [i, { name }] of records.runOutputs(run.id).entries()) {
      const record = resolveArtifact(records, `${run.id}/${name}`);
      // A name that is not a valid folder name, or would leave this folder, is replaced by a number.
      const inside = name.includes("/") || badFileName(name) !== undefined ? `output-${i + 1}` : name;
      exports.push(await exportArtifact(store, record, join(target, inside)));
    }
  }
  if (options.json) return printJson(exports);
  for (const done of exports) print(`${done.folder}: ${done.files} files, ${bytesText(done.bytes)}`);

  function asRun() {
    if (reference !== "latest" && records.findRuns(reference).length !== 1) return undefined;
    return resolveRun(records, reference);
  }
}
