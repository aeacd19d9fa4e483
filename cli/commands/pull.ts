import { Records } from "../../runner/records/records.ts";
import { remoteAt } from "../../runner/store/remote/open.ts";
import { pullRun } from "../../runner/store/remote/runs.ts";
import { Store } from "../../runner/store/store.ts";
import { carriedText, carrying } from "../carry.ts";
import { defineCommand, REMOTE_PERMISSIONS } from "../command.ts";
import { JSON_OUTPUT, STORE, storePath, VERBOSE } from "../options.ts";
import { print, printJson } from "../output.ts";
import { NEEDED_REMOTE } from "../remote_option.ts";

export default defineCommand({
  name: "pull",
  summary: "get runs with their results from a remote, all bytes checked; goes on where it stopped",
  permissions: REMOTE_PERMISSIONS,
  declare: (command) =>
    command.argument("[runs...]", "ids of runs, or `latest`").addOption(NEEDED_REMOTE)
      .addOption(STORE).addOption(JSON_OUTPUT).addOption(VERBOSE).action(pull),
});

async function pull(
  names: readonly string[],
  options: { remote: string; store?: string; json?: true },
): Promise<void> {
  const remote = remoteAt(options.remote);
  const store = Store.open(storePath(options.store), { create: true });
  using records = new Records(store);
  const carried = [];
  for (const name of names.length === 0 ? ["latest"] : names) {
    carried.push(await carrying((carry) => pullRun(store, records, remote, name, carry)));
  }
  if (options.json) return printJson(carried);
  for (const one of carried) print(carriedText(one));
}
