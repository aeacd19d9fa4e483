import { join } from "node:path";
import type { Records } from "../../runner/records/records.ts";
import type { RunRecord } from "../../runner/records/rows.ts";
import { guarded } from "../../foundation/faults.ts";
import type { Store } from "../../runner/store/store.ts";
import { figuresOf, pngMaker } from "./figures.ts";
import { reportModel } from "./model.ts";
import { writeReport } from "./write.tsx";

/** The files written for a report. */
export interface ReportFiles {
  readonly report: string;
  readonly figures: readonly string[];
}

/**
 * Writes the report of a run and, if a folder is given, its figures as SVG and PNG.
 *
 * @param out path of the HTML file
 * @throws RetortError when a file cannot be written.
 */
export async function report(
  store: Store,
  records: Records,
  run: RunRecord,
  out: string,
  figures?: string,
): Promise<ReportFiles> {
  const model = await reportModel(store, records, run);
  const html = await writeReport(model);
  await guarded("writing", out, () => Deno.writeTextFile(out, html));
  const written: string[] = [];
  if (figures !== undefined) {
    await guarded("making", figures, () => Deno.mkdir(figures, { recursive: true }));
    const toPng = await pngMaker();
    for (const [name, svg] of await figuresOf(model)) {
      for (const [end, content] of [["svg", new TextEncoder().encode(svg)], ["png", toPng(svg)]] as const) {
        const path = join(figures, `${name}.${end}`);
        await guarded("writing", path, () => Deno.writeFile(path, content));
        written.push(path);
      }
    }
  }
  return { report: out, figures: written };
}
