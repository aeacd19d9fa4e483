import { exit } from "../exit.ts";
import type { Artifact } from "../../runner/codec.ts";
import { outputName } from "../../runner/awaited.ts";
import { CallError } from "../../foundation/errors.ts";
import { VERSION } from "../../foundation/own_package.ts";
import { indented, shellWord } from "../../foundation/text.ts";
import type { Executor } from "../../runner/execute/executor.ts";
import { reasonText } from "../../runner/key.ts";
import {
  lockFaults,
  lockFilePath,
  outputFault,
  readLockFile,
  writeLockFile,
} from "../../runner/lock_file.ts";
import type { GraphNode } from "../../runner/graph.ts";
import type { PlannedNode } from "../../runner/plan.ts";
import { endedAnswer } from "../../runner/recorded_answer.ts";
import { outputArtifact, type RunSummary } from "../../runner/run_summary.ts";
import { selectsAll } from "../../runner/selection.ts";
import { outputSummaries } from "../../runner/summary.ts";
import { movesTexts } from "../moves.ts";
import { movedBytes } from "../../runner/moves.ts";
import { droppedText, remakesText, temporaryOutputs } from "../temporary.ts";
import type { PipelineSession } from "../../runner/session.ts";
import { artifactSize } from "../../runner/store/artifacts.ts";
import { terminalAnswer } from "../answer.ts";
import { onInterrupt } from "../interrupt.ts";
import { chosenExecutor, EXECUTOR } from "../executor_option.ts";
import {
  ADAPTER,
  ENGINE,
  EXCEPT,
  FORCE,
  FROM,
  JOBS,
  JSON_OUTPUT,
  ONLY,
  type PipelineOptions,
  pipelinePath,
  PROFILE,
  SEED,
  sessionOptions,
  SET,
  STORE,
  UNTIL,
  VERBOSE,
} from "../options.ts";
import { openPipeline } from "../session.ts";
import {
  bytesText,
  clean,
  durationText,
  factsText,
  note,
  paint,
  print,
  printJson,
  quoted,
  table,
} from "../output.ts";
import { chosenRemote, REMOTE } from "../remote_option.ts";
import { endedRun, runOnEnd, RunWatch } from "../on_end.ts";
import { rendererFor } from "../progress.ts";
import { tellWatcher, watchAndRun } from "../watch.ts";
import { defineCommand } from "../command.ts";
import { STAGE_RIGHTS } from "../../runner/execute/rights.ts";

export default defineCommand({
  name: "run",
  summary: "run a pipeline; what the store holds already is not run again",
  permissions: STAGE_RIGHTS,
  declare: (command) =>
    command.argument("<file>", "pipeline file").addOption(SET).addOption(SEED).addOption(ENGINE).addOption(
      ADAPTER,
    ).addOption(ONLY).addOption(FROM).addOption(UNTIL).addOption(EXCEPT).addOption(FORCE)
      .option("--no-cache", "recompute every node; results are still recorded")
      .option("--dry-run", "list every node with why it would run or not; run nothing")
      .option("--lock", "write NAME.lock.json beside the pipeline when the run is done")
      .option("--watch", "run again whenever a file is saved that the run depends on")
      .option(
        "--on-end <command>",
        "a line for the shell when the run has ended, which RETORT_STATUS and others tell of it",
      )
      .option("--keep-temporary", "keep temporary outputs, though all that read them is made")
      .option("--frozen", "refuse to run anything that differs from NAME.lock.json")
      .addOption(JOBS).addOption(PROFILE).addOption(EXECUTOR).addOption(REMOTE).addOption(STORE).addOption(
        JSON_OUTPUT,
      )
      .addOption(VERBOSE)
      .action(run),
});

interface RunOptions extends PipelineOptions {
  force: string[];
  cache: boolean;
  dryRun?: true;
  lock?: true;
  frozen?: true;
  keepTemporary?: true;
  watch?: true;
  onEnd?: string;
  jobs: number;
  executor?: string;
  remote?: string;
  json?: true;
  verbose?: true;
}

async function run(file: string, options: RunOptions): Promise<void> {
  if (options.watch) {
    if (options.json || options.dryRun) {
      throw new CallError("command/options", "--watch goes neither with --json nor with --dry-run");
    }
    return await watchAndRun(pipelinePath(file), STAGE_RIGHTS);
  }
  if (options.lock && options.frozen) {
    throw new CallError("command/options", "--lock and --frozen exclude each other");
  }
  if (options.lock && !selectsAll(options)) {
    throw new CallError(
      "command/options",
      "--lock needs the whole pipeline: leave out --only, --from, --until and --except",
    );
  }
  const remote = await chosenRemote(options.remote);
  await using session = await openPipeline({
    ...sessionOptions(file, options),
    force: options.force,
    noCache: !options.cache,
    ...chosenExecutor(options.executor),
    ...remote.session,
  }, [...STAGE_RIGHTS, ...remote.permissions]);
  const lock = options.frozen ? readLockFile(session.url) : undefined;
  const checkLock = async () => {
    if (lock === undefined) return;
    const faults = await lockFaults(session, lock);
    if (faults.length > 0) {
      throw new CallError(
        "lock-file/differs",
        `--frozen: the run would differ from ${lockFilePath(session.url)}:\n${
          faults.map((f) => `  ${f}`).join("\n")
        }`,
        { hint: "Run with --lock to accept what is there now." },
      );
    }
  };
  await checkLock();
  const other = session.otherVersion();
  if (other !== undefined) {
    note(
      `Retort ${other} -> ${VERSION} since the last run: only nodes whose code or packages changed run again`,
    );
  }
  if (options.dryRun) return showPlan(session, await session.plan(), options);

  const stop = new AbortController();
  let executor: Executor | undefined;
  let ended = false;
  const leave = () => {
    executor?.kill();
    note("stopped at once");
    exit(130);
  };
  // Once the run is recorded there is nothing left to save, so a signal exits immediately.
  onInterrupt(() => ended ? leave() : stop.abort(new Error("interrupted")), leave);
  const renderer = rendererFor({ json: options.json ?? false, verbose: options.verbose ?? false });
  const over = () => {
    ended = true;
    renderer.close();
  };
  const watch = new RunWatch();
  const { onEnd } = options;
  let summary: RunSummary;
  try {
    summary = await session.run({
      jobs: options.jobs,
      command: commandLine(),
      stop: stop.signal,
      onEvent: (event) => {
        watch.count(event);
        renderer.show(event);
      },
      onExecutor: (made) => executor = made,
      onGrown: checkLock,
      keepTemporary: options.keepTemporary ?? false,
      ...(lock === undefined ? {} : { accept: (node, outputs) => outputFault(lock, node, outputs) }),
    });
  } catch (error) {
    over();
    const broken = watch.broken();
    if (broken !== undefined && onEnd !== undefined) await runOnEnd(onEnd, session.pipeline.name, broken);
    if (!stop.signal.aborted) throw error;
    note("interrupted before anything ran");
    Deno.exitCode = 130;
    return;
  }
  over();
  if (options.lock && summary.status === "done") note(`wrote ${await writeLockFile(session, summary)}`);
  tellWatcher(summary);
  const summaries = await outputSummaries(session, summary);
  const answer = await endedAnswer(session, summary);
  if (options.json) printJson({ ...summaryJson(session, summary, summaries), answer: answer ?? null });
  else {
    if (answer !== undefined) print(`${terminalAnswer(answer)}\n`);
    showOutputs(session, summary, summaries);
    showEnd(summary, options);
  }
  if (onEnd !== undefined) await runOnEnd(onEnd, session.pipeline.name, endedRun(summary));
  Deno.exitCode = summary.status === "done" ? 0 : summary.status === "interrupted" ? 130 : 1;
}

/** The command line as a user would type it again. */
function commandLine(): string {
  return ["deno task", ...Deno.args.map(shellWord)].join(" ");
}

function showPlan(
  session: PipelineSession,
  byNode: ReadonlyMap<GraphNode, PlannedNode>,
  options: RunOptions,
): void {
  const awaited = session.pipeline.graph.awaited.map(outputName), plan = [...byNode.values()];
  if (options.json) {
    const more = awaited.length === 0 ? [] : [{ node: null, status: "unknown", awaited }];
    printJson([
      ...plan.map((planned) => {
        const { node, status, reasons, key } = planned;
        return {
          node: node.name,
          stage: node.stage.name,
          status,
          key: key ?? null,
          reasons: reasons.map((reason) => ({ ...reason, text: reasonText(reason) })),
          temporary: temporaryOutputs(session, planned),
          moves: movedBytes(node, byNode) ?? null,
        };
      }),
      ...more,
    ]);
    return;
  }
  const states = {
    cached: paint("green", "cached"),
    run: paint("yellow", "run"),
    unknown: paint("cyan", "maybe"),
  };
  print(table(
    ["NODE", "STATE", "WHY"],
    plan.map((planned) => [
      planned.node.name,
      planned.remake === undefined ? states[planned.status] : paint("yellow", "again"),
      [
        ...planned.node.stage.locate ? ["data outside the store"] : planned.reasons.map(reasonText),
        ...planned.remakeIf === undefined ? [] : [reasonText(planned.remakeIf)],
        ...temporaryOutputs(session, planned).map(({ output, text }) => `${output} ${text}`),
      ].join("; "),
    ]),
  ));
  const count = (status: PlannedNode["status"]) => plan.filter((planned) => planned.status === status).length;
  const maybe = count("unknown");
  print(
    `${count("run")} to run, ${count("cached")} cached` +
      (maybe === 0 ? "" : `, ${maybe} only if the nodes before them give other bytes`),
  );
  const again = remakesText(plan);
  if (again !== undefined) print(again);
  for (const text of movesTexts(session, byNode)) print(text);
  if (awaited.length > 0) print(`more is not known yet: the build waits for ${awaited.join(", ")}`);
}

function summaryJson(session: PipelineSession, summary: RunSummary, summaries: ReadonlyMap<string, string>) {
  const artifactJson = (artifact: Artifact | undefined) =>
    artifact === undefined ? null : {
      digest: artifact.digest,
      codec: artifact.codec,
      bytes: artifactSize(artifact),
      facts: artifact.facts,
    };
  return {
    run: summary.run,
    recorded: summary.recorded,
    pipeline: session.pipeline.name,
    status: summary.status,
    seconds: summary.seconds,
    dropped: summary.dropped,
    nodes: summary.nodes.map((outcome) => ({
      node: outcome.node.name,
      stage: outcome.node.stage.name,
      state: outcome.state,
      key: outcome.key ?? null,
      reasons: outcome.reasons.map(reasonText),
      seconds: outcome.seconds ?? null,
      code: outcome.code ?? null,
      error: outcome.error ?? null,
      hint: outcome.hint ?? null,
      log: outcome.log ?? null,
      because: outcome.because?.name ?? null,
      outputs: Object.fromEntries(
        Object.entries(outcome.outputs ?? {}).map(([name, a]) => [name, artifactJson(a)]),
      ),
    })),
    outputs: Object.fromEntries(
      [...session.outputs].map(([name, source]) => {
        const artifact = artifactJson(outputArtifact(summary, source));
        return [name, artifact === null ? null : { ...artifact, summary: summaries.get(name) ?? null }];
      }),
    ),
  };
}

/** Shows the returned outputs: one line each, then longer summaries. */
function showOutputs(
  session: PipelineSession,
  summary: RunSummary,
  summaries: ReadonlyMap<string, string>,
): void {
  const made = [...session.outputs].map(([name, source]) => [name, outputArtifact(summary, source)] as const)
    .filter((entry): entry is [string, Artifact] => entry[1] !== undefined);
  if (made.length > 0) {
    print(table(
      ["OUTPUT", "TYPE", "SIZE", "VALUE", "DIGEST"],
      made.map((
        [name, artifact],
      ) => [
        name,
        artifact.codec,
        bytesText(artifactSize(artifact)),
        summaries.has(name) ? "below" : factsText(artifact.facts),
        artifact.digest.slice(0, 12),
      ]),
    ));
  }
  for (const [name, text] of summaries) print(`\n${paint("bold", clean(name))}\n${clean(indented(text))}`);
}

/** Shows how the run ended and how to continue. */
function showEnd(summary: RunSummary, options: RunOptions): void {
  const of = (state: string) => summary.nodes.filter((outcome) => outcome.state === state);
  const failed = of("failed");
  const parts = [`${of("ran").length} ran`, `${of("cached").length} cached`];
  for (const state of ["failed", "skipped", "interrupted", "unused"]) {
    if (of(state).length > 0) parts.push(`${of(state).length} ${state === "unused" ? "not begun" : state}`);
  }
  const colour = summary.status === "done" ? "green" : summary.status === "failed" ? "red" : "yellow";
  note(
    `${paint(colour, summary.status)} in ${durationText(summary.seconds)}: ${parts.join(", ")} (${
      summary.recorded ? `run ${summary.run}` : "not recorded: the store is read-only"
    })`,
  );
  if (summary.dropped.length > 0) note(droppedText(summary.dropped));
  for (const outcome of failed) {
    note(`\n${paint("red", "failed")} ${clean(outcome.node.name)}: ${clean(outcome.error ?? "")}`);
    if (outcome.hint !== undefined) note(`  ${clean(outcome.hint)}`);
    note(`  error:    ${outcome.code}`);
    note(`  log:      ${outcome.log}`);
    const store = options.store === undefined ? "" : ` --store ${options.store}`;
    note(`  alone:    deno task repro ${quoted(outcome.node.name)}${store}`);
  }
  if (summary.status === "failed") note(`\nWhen it is mended, go on with: ${commandLine()}`);
  if (summary.status === "interrupted") note(`Go on with: ${commandLine()}`);
}
