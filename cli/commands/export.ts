import { dirname, join } from "node:path";
import { Option } from "commander";
import { guarded } from "../../foundation/faults.ts";
import { csvFiles } from "../../runner/exports/csv.ts";
import { mlflowFiles } from "../../runner/exports/mlflow.ts";
import { type CratePart, roCrateFile } from "../../runner/exports/ro_crate.ts";
import { type ExportedFile, type ExportedRun, exportedRun } from "../../runner/exports/exported_run.ts";
import { tensorboardFiles } from "../../runner/exports/tensorboard.ts";
import { modelCard } from "../../runner/model_card.ts";
import { CallError } from "../../foundation/errors.ts";
import { badFileName } from "../../foundation/file_names.ts";
import { type Export, exportArtifact } from "../../runner/export.ts";
import { outputsOf, resolveArtifact, tryRun } from "../../runner/references.ts";
import { listFolder } from "../../runner/store/blobs.ts";
import { JSON_OUTPUT, STORE, userPath, VERBOSE } from "../options.ts";
import { bytesText, print, printJson } from "../output.ts";
import { openRecords } from "../records.ts";
import { defineCommand } from "../command.ts";

/** Programs that can be told of a run. */
const FORMATS = ["mlflow", "tensorboard", "ro-crate", "csv"] as const;

export default defineCommand({
  name: "export",
  summary: "copy an artifact, or all outputs of a run, out of the store, or tell other programs of a run",
  // Scripts of pages are bundled by esbuild, a process that gets the whole environment.
  permissions: ["--allow-read", "--allow-write", "--allow-run", "--allow-env"],
  declare: (command) =>
    command.argument("<ref>", "as for show; or a run").argument("<dir>", "a new or empty folder").addOption(
      new Option("--to <format>", "for another program: what a run was, not its outputs (ro-crate: both)")
        .choices(FORMATS),
    ).addOption(
      new Option("--web", "a page that answers in the browser: static files with the model, for any host"),
    ).addOption(
      STORE,
    ).addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(exportRef),
});

async function exportRef(
  reference: string,
  folder: string,
  options: { to?: (typeof FORMATS)[number]; web?: true; store?: string; json?: true },
): Promise<void> {
  const { store, records } = openRecords(options.store);
  using _closed = records;
  const target = userPath(folder);
  const exports: Export[] = [];
  const run = tryRun(records, reference);
  if (options.to !== undefined && run === undefined) {
    throw new CallError("command/options", `--to is about runs, and ${reference} is none`, {
      hint: "Name a run: `deno task runs` lists them.",
    });
  }
  if (options.web === true) {
    if (run !== undefined || options.to !== undefined) {
      throw new CallError(
        "command/options",
        `--web is about one model, and ${run === undefined ? "not for --to" : `${reference} is a run`}`,
        {
          hint: "Name a model of texts or images: `deno task show RUN` lists outputs.",
        },
      );
    }
    // Loaded when it is asked for: it bundles scripts.
    const { exportPage } = await import("../../web/playground/export_page.ts");
    const { loss, ...done } = await exportPage(store, records, resolveArtifact(records, reference), target);
    if (options.json) return printJson([{ ...done, loss }]);
    print(`${target}: ${done.files} files, ${bytesText(done.bytes)}`);
    return print(
      `8 bits a probability cost ${loss.mean.toFixed(5)} nats a value, ${
        loss.largest.toFixed(5)
      } in the state that loses most`,
    );
  }
  if (run === undefined) {
    const record = resolveArtifact(records, reference);
    exports.push(await exportArtifact(store, record, target, modelCard(records, record)));
  } else if (options.to !== undefined && options.to !== "ro-crate") {
    exports.push(await writeFiles(target, filesFor(options.to, exportedRun(records, run), target)));
  } else {
    if (listFolder(target).length > 0) {
      throw new CallError("command/folder-not-empty", `${target} is not empty`, {
        hint: "Name a new folder.",
      });
    }
    const parts: CratePart[] = [];
    for (const [i, { name, record }] of outputsOf(records, run).entries()) {
      // A name that is not a valid folder name, or would leave this folder, is replaced by a number.
      const inside = name.includes("/") || badFileName(name) !== undefined ? `output-${i + 1}` : name;
      exports.push(await exportArtifact(store, record, join(target, inside), modelCard(records, record)));
      parts.push({
        path: `${inside}/`,
        name,
        description: `${record.artifact.codec} made by stage ${record.stage}`,
      });
    }
    if (options.to === "ro-crate") {
      exports.push(await writeFiles(target, [roCrateFile(exportedRun(records, run), parts)], true));
    }
  }
  if (options.json) return printJson(exports);
  for (const done of exports) print(`${done.folder}: ${done.files} files, ${bytesText(done.bytes)}`);
}

function filesFor(
  format: "mlflow" | "tensorboard" | "csv",
  facts: ExportedRun,
  folder: string,
): readonly ExportedFile[] {
  switch (format) {
    case "mlflow":
      return mlflowFiles(facts, folder);
    case "tensorboard":
      return tensorboardFiles(facts);
    case "csv":
      return csvFiles(facts);
  }
}

/** Writes files into a folder that is new or empty, or, where it was just made, beside what is there. */
async function writeFiles(folder: string, files: readonly ExportedFile[], beside = false): Promise<Export> {
  if (!beside && listFolder(folder).length > 0) {
    throw new CallError("command/folder-not-empty", `${folder} is not empty`, { hint: "Name a new folder." });
  }
  let bytes = 0;
  return await guarded("exporting to", folder, async () => {
    await Deno.mkdir(folder, { recursive: true });
    for (const { path, content } of files) {
      const data = typeof content === "string" ? new TextEncoder().encode(content) : content;
      const target = join(folder, path);
      await Deno.mkdir(dirname(target), { recursive: true });
      await Deno.writeFile(target, data);
      bytes += data.length;
    }
    return { folder, files: files.length, bytes };
  });
}
