import { resolveRun } from "../../runner/references.ts";
import { report } from "../../web/report/mod.ts";
import { JSON_OUTPUT, STORE, userPath, VERBOSE } from "../options.ts";
import { print, printJson } from "../output.ts";
import { openRecords } from "../records.ts";
import { defineCommand, STORE_PERMISSIONS } from "../command.ts";

export default defineCommand({
  name: "report",
  summary: "write a run as one HTML file that needs no network",
  permissions: STORE_PERMISSIONS,
  declare: (command) =>
    command.argument("<run>", "a run's id, its first characters, or latest")
      .option("--out <file>", "where to write it (default: PIPELINE-RUN.html here)")
      .option("--figures <dir>", "write its plots as SVG and PNG files into this folder as well").addOption(
        STORE,
      ).addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(writeRunReport),
});

interface ReportOptions {
  out?: string;
  figures?: string;
  store?: string;
  json?: true;
}

async function writeRunReport(name: string, options: ReportOptions): Promise<void> {
  const { store, records } = openRecords(options.store);
  using _closed = records;
  const run = resolveRun(records, name);
  const out = userPath(options.out ?? `${run.pipeline}-${run.id}.html`);
  const figures = options.figures === undefined ? undefined : userPath(options.figures);
  const files = await report(store, records, run, out, figures);
  if (options.json) return printJson(files);
  for (const path of [files.report, ...files.figures]) print(path);
}
