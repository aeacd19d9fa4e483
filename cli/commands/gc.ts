import { collectGarbage } from "../../runner/gc.ts";
import { Records } from "../../runner/records/records.ts";
import { Store } from "../../runner/store/store.ts";
import { JSON_OUTPUT, STORE, storePath, VERBOSE, wholeNumberFrom } from "../options.ts";
import { bytesText, print, printJson, strangersText } from "../output.ts";
import { remoteAt } from "../../runner/store/remote/open.ts";
import { sweepRemote } from "../../runner/store/remote/sweep.ts";
import { defineCommand, REMOTE_PERMISSIONS } from "../command.ts";
import { REMOTE } from "../remote_option.ts";

export default defineCommand({
  name: "gc",
  summary: "remove from the store what no recent run reaches",
  permissions: REMOTE_PERMISSIONS,
  declare: (command) =>
    command.option("--days <n>", "runs of the last so many days keep what they reach", wholeNumberFrom(0), 30)
      .option("--dry-run", "only say what would go").addOption(REMOTE).addOption(STORE).addOption(JSON_OUTPUT)
      .addOption(
        VERBOSE,
      )
      .action(gc),
});

interface GcOptions {
  days: number;
  dryRun?: true;
  remote?: string;
  store?: string;
  json?: true;
}

async function gc(options: GcOptions): Promise<void> {
  if (options.remote !== undefined) return await gcRemote(options.remote, options);
  const store = Store.open(storePath(options.store));
  using records = new Records(store);
  const sweep = collectGarbage(store, records, { days: options.days, dryRun: options.dryRun ?? false });
  if (options.json) return printJson({ dryRun: options.dryRun ?? false, days: options.days, ...sweep });
  print(
    `${options.dryRun ? "would remove" : "removed"} ${sweep.results} results, ${sweep.objects} objects ` +
      `(${bytesText(sweep.bytes)}), ${sweep.checkpoints} checkpoints, logs of ${sweep.logs} runs, ` +
      `${sweep.rubbish} leftover files`,
  );
  print(
    `kept ${sweep.keptResults} results (${
      bytesText(sweep.keptBytes)
    }) of runs of the last ${options.days} days`,
  );
  if (sweep.keptDropped > 0) print(`${sweep.keptDropped} temporary outputs of these were dropped before`);
  if (sweep.strangers.length > 0) print(strangersText(sweep.strangers));
}

/** Sweeps the remote instead of the store here. */
async function gcRemote(url: string, options: GcOptions): Promise<void> {
  const { days, json } = options, dryRun = options.dryRun ?? false;
  const remote = remoteAt(url);
  const swept = await sweepRemote(remote, { days, dryRun });
  if (json) return printJson({ remote: remote.url, dryRun, days, ...swept });
  print(
    `${
      dryRun ? "would remove" : "removed"
    } from ${remote.url}: ${swept.runs} runs, ${swept.results} results, ` +
      `${swept.objects} objects (${bytesText(swept.bytes)}), ${swept.rubbish} damaged files, ` +
      `${swept.uploads} uploads that broke off`,
  );
  print(
    `kept ${swept.keptResults} results (${bytesText(swept.keptBytes)}) of its runs of the last ${days} days`,
  );
}
