import { resolveRun } from "../../runner/references.ts";
import { report } from "../../web/report/mod.ts";
import { userPath } from "../options.ts";
import { print, printJson } from "../output.ts";
import { openRecords } from "../records.ts";

/** Options of `report`. */
export interface ReportOptions {
  out?: string;
  figures?: string;
  store?: string;
  json?: true;
}

/** `deno task report RUN`. */
export async function writeRunReport(name: string, options: ReportOptions): Promise<void> {
  const { store, records } = openRecords(options.store);
  using _closed = records;
  const run = resolveRun(records, name);
  const out = userPath(options.out ?? `${run.pipeline}-${run.id}.html`);
  const figures = options.figures === undefined ? undefined : userPath(options.figures);
  const files = await report(store, records, run, out, figures);
  if (options.json) return printJson(files);
  for (const path of [files.report, ...files.figures]) print(path);
}
