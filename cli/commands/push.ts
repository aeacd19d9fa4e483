import { Records } from "../../runner/records/records.ts";
import { resolveRun } from "../../runner/references.ts";
import { remoteAt } from "../../runner/store/remote/open.ts";
import { pushRun } from "../../runner/store/remote/runs.ts";
import { Store } from "../../runner/store/store.ts";
import { carriedText, carrying } from "../carry.ts";
import { defineCommand, REMOTE_PERMISSIONS } from "../command.ts";
import { JSON_OUTPUT, STORE, storePath, VERBOSE } from "../options.ts";
import { print, printJson } from "../output.ts";
import { NEEDED_REMOTE } from "../remote_option.ts";

export default defineCommand({
  name: "push",
  summary: "put runs with their results onto a remote; what is there already is not sent again",
  permissions: REMOTE_PERMISSIONS,
  declare: (command) =>
    command.argument("[runs...]", "ids of runs, or `latest`").addOption(NEEDED_REMOTE)
      .addOption(STORE).addOption(JSON_OUTPUT).addOption(VERBOSE).action(push),
});

async function push(
  names: readonly string[],
  options: { remote: string; store?: string; json?: true },
): Promise<void> {
  const store = Store.open(storePath(options.store));
  using records = new Records(store, { copy: store.readOnly });
  const runs = (names.length === 0 ? ["latest"] : names).map((name) => resolveRun(records, name));
  const remote = remoteAt(options.remote);
  const carried = [];
  for (const run of runs) {
    carried.push(await carrying((carry) => pushRun(store, records, remote, run, carry)));
  }
  if (options.json) return printJson(carried);
  for (const one of carried) print(carriedText(one));
}
