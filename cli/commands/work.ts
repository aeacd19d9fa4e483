import { Option } from "commander";
import { work } from "../../runner/execute/work.ts";
import { Store } from "../../runner/store/store.ts";
import { defineCommand } from "../command.ts";
import { STAGE_RIGHTS } from "../../runner/execute/rights.ts";
import { exit } from "../exit.ts";
import { onInterrupt } from "../interrupt.ts";
import { JSON_OUTPUT, STORE, storePath, VERBOSE, wholeNumberFrom } from "../options.ts";
import { clean, durationText, note, print, printJson } from "../output.ts";

export default defineCommand({
  name: "work",
  summary: "execute jobs that runs with `--executor workers` leave in a store, until Ctrl-C",
  permissions: STAGE_RIGHTS,
  declare: (command) =>
    command.option("--once", "end when no job waits")
      .addOption(
        new Option("--idle <seconds>", "end when no job has waited for so long").argParser(
          wholeNumberFrom(0),
        ),
      )
      .addOption(STORE).addOption(JSON_OUTPUT).addOption(
        VERBOSE,
      )
      .action(start),
});

async function start(options: { once?: true; idle?: number; store?: string; json?: true }): Promise<void> {
  const store = Store.open(storePath(options.store));
  const stop = new AbortController();
  onInterrupt(() => {
    note("stopping: the job at work saves its checkpoint; Ctrl-C again stops at once");
    stop.abort(new Error("interrupted"));
  }, () => exit(130));
  const idle = options.once ? 0 : options.idle;
  if (idle === undefined) note(`waiting for jobs in ${store.root}; Ctrl-C ends`);
  const jobs = await work(store, {
    ...(idle === undefined ? {} : { idle }),
    stop: stop.signal,
    onJob: (node, { kind }, seconds) =>
      note(`${kind.padEnd(11)} ${clean(node)}  in ${durationText(seconds)}`),
  });
  if (options.json) printJson({ jobs });
  else print(`${jobs} jobs`);
}
