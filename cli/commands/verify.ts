import { exit } from "../exit.ts";
import { CallError } from "../../foundation/errors.ts";
import type { PipelineSession } from "../../runner/session.ts";
import { Store } from "../../runner/store/store.ts";
import { verifyByExecution, verifyStore } from "../../runner/verify.ts";
import { onInterrupt } from "../interrupt.ts";
import { chosenExecutor, EXECUTOR } from "../executor_option.ts";
import {
  ADAPTER,
  ENGINE,
  EXCEPT,
  FROM,
  JOBS,
  JSON_OUTPUT,
  ONLY,
  type PipelineOptions,
  PROFILE,
  SEED,
  sessionOptions,
  SET,
  STORE,
  storePath,
  UNTIL,
  VERBOSE,
} from "../options.ts";
import { openPipeline } from "../session.ts";
import { bytesText, clean, note, print, printJson, strangersText } from "../output.ts";
import { defineCommand } from "../command.ts";
import { STAGE_RIGHTS } from "../../runner/execute/rights.ts";

export default defineCommand({
  name: "verify",
  summary: "re-hash the store, or re-run a pipeline's nodes and compare bytes",
  permissions: STAGE_RIGHTS,
  declare: (command) =>
    command.argument("[file]", "pipeline file, with --execute")
      .option("--execute", "run every node again and compare its bytes with the store's").addOption(SET)
      .addOption(SEED).addOption(ENGINE).addOption(ADAPTER).addOption(ONLY).addOption(FROM).addOption(UNTIL)
      .addOption(EXCEPT).addOption(JOBS).addOption(PROFILE).addOption(
        EXECUTOR,
      ).addOption(STORE)
      .addOption(JSON_OUTPUT).addOption(VERBOSE)
      .action(verify),
});

interface VerifyOptions extends PipelineOptions {
  execute?: true;
  jobs: number;
  executor?: string;
  json?: true;
}

async function verify(file: string | undefined, options: VerifyOptions): Promise<void> {
  if (options.execute) return await execute(file, options);
  if (file !== undefined) throw new CallError("command/options", "a pipeline file goes with --execute");
  await interruptible((signal) => rehash(options, signal));
}

async function interruptible(action: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  onInterrupt(() => stop.abort(new Error("interrupted")), () => exit(130));
  try {
    await action(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    note("interrupted");
    Deno.exitCode = 130;
  }
}

async function rehash(options: VerifyOptions, signal: AbortSignal): Promise<void> {
  const store = Store.open(storePath(options.store));
  const check = await verifyStore(store, { signal });
  if (options.json) printJson(check);
  else {
    for (const fault of check.faults) print(fault);
    if (check.strangers.length > 0) print(strangersText(check.strangers));
    print(
      `${check.objects} objects (${bytesText(check.bytes)}) and ${check.results} results: ` +
        (check.faults.length === 0
          ? "all sound"
          : `${check.faults.length} faults; the next run makes them again`) +
        (check.dropped === 0 ? "" : `; ${check.dropped} temporary outputs are dropped`),
    );
  }
  if (check.faults.length > 0) Deno.exitCode = 1;
}

async function execute(file: string | undefined, options: VerifyOptions): Promise<void> {
  if (file === undefined) throw new CallError("command/options", "--execute needs a pipeline file");
  // While the graph is being built nothing listens: a signal ends the process at once.
  await using session = await openPipeline({
    ...sessionOptions(file, options),
    ...chosenExecutor(options.executor),
  }, STAGE_RIGHTS);
  await interruptible((signal) => reexecute(session, options, signal));
}

async function reexecute(
  session: PipelineSession,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<void> {
  const checks = await verifyByExecution(session, {
    jobs: options.jobs,
    signal,
    onNode: (check) => {
      if (!options.json) {
        print(clean(`${check.state.padEnd(9)}  ${check.node}${check.detail ? `  ${check.detail}` : ""}`));
      }
    },
  });
  if (options.json) printJson(checks);
  else {
    const same = checks.filter((check) => check.state === "same").length;
    print(`${same} of ${checks.length} nodes gave the bytes that the store holds`);
  }
  if (checks.some((check) => check.state !== "same")) Deno.exitCode = 1;
}
