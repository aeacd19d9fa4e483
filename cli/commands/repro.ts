import { exit } from "../exit.ts";
import { RetortError } from "../../foundation/errors.ts";
import { readProject } from "../../runner/project.ts";
import { reproduce } from "../../runner/reproduce.ts";
import { Store } from "../../runner/store/store.ts";
import { listWorkspaces, readWorkspace } from "../../runner/workspace.ts";
import { onInterrupt } from "../interrupt.ts";
import { JSON_OUTPUT, STORE, storePath, VERBOSE } from "../options.ts";
import { clean, durationText, note, print, printJson, table } from "../output.ts";
import { continueIn } from "../relaunch.ts";
import { defineCommand } from "../command.ts";
import { STAGE_RIGHTS } from "../../runner/execute/rights.ts";

export default defineCommand({
  name: "repro",
  summary: "enter a failed node again, alone and in this process",
  permissions: STAGE_RIGHTS,
  declare: (command) =>
    command.argument("[node]", "the failed node; without it, failed nodes are listed").addOption(STORE)
      .addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(repro),
});

async function repro(
  node: string | undefined,
  options: { store?: string; json?: true; verbose?: true },
) {
  const store = Store.open(storePath(options.store));
  if (node === undefined) {
    const all = listWorkspaces(store);
    if (options.json) return printJson(all);
    if (all.length === 0) return print("no node has failed");
    return print(
      table(["NODE", "STAGE", "RUN", "ERROR"], all.map((w) => [w.job.node, w.job.stage, w.job.run, w.error])),
    );
  }
  const workspace = readWorkspace(store, node);
  const { config } = workspace.job;
  if (config !== undefined) await continueIn(readProject(config), STAGE_RIGHTS);
  note(`node ${clean(node)}, stage ${workspace.job.stage} of ${workspace.job.module}`);
  note(`parameters ${JSON.stringify(workspace.job.params)}`);
  note(`failed before with: ${clean(workspace.error)}\n`);
  const stop = new AbortController();
  onInterrupt(() => stop.abort(new Error("interrupted")), () => exit(130));
  const outcome = await reproduce(store, workspace, {
    stop: stop.signal,
    onMessage: (message) => {
      if (message.type === "log") note(clean(message.text));
      else if (message.type === "metric") note(`${clean(message.name)} ${message.value}`);
    },
  });
  if (options.json) printJson(outcome);
  if (outcome.kind === "interrupted") {
    Deno.exitCode = 130;
  } else if (outcome.kind === "failed" || outcome.kind === "damaged") {
    // Show the stack: it is what reproducing a failure is for.
    if (outcome.kind === "failed" && outcome.stack !== undefined) note(outcome.stack);
    throw new RetortError(outcome.code, `node \`${node}\` fails again: ${outcome.error}`, {
      hint: outcome.kind === "failed" ? outcome.hint : undefined,
    });
  } else {
    note(
      `node ${clean(node)} succeeds now, in ${
        durationText(outcome.result.seconds)
      }; run the pipeline to go on`,
    );
  }
}
