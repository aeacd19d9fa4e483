import { collectGarbage } from "../../runner/gc.ts";
import { Records } from "../../runner/records/records.ts";
import { Store } from "../../runner/store/store.ts";
import { JSON_OUTPUT, STORE, storePath, VERBOSE, wholeNumberFrom } from "../options.ts";
import { bytesText, print, printJson, strangersText } from "../output.ts";
import { defineCommand, STORE_PERMISSIONS } from "../command.ts";

export default defineCommand({
  name: "gc",
  summary: "remove from the store what no recent run reaches",
  permissions: STORE_PERMISSIONS,
  declare: (command) =>
    command.option("--days <n>", "runs of the last so many days keep what they reach", wholeNumberFrom(0), 30)
      .option("--dry-run", "only say what would go").addOption(STORE).addOption(JSON_OUTPUT).addOption(
        VERBOSE,
      )
      .action(gc),
});

function gc(options: { days: number; dryRun?: true; store?: string; json?: true }): void {
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
