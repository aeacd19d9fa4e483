import { isAbsolute, resolve } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import { CallError } from "../foundation/errors.ts";
import type { Selection } from "../runner/selection.ts";
import type { SessionOptions } from "../runner/session.ts";
import type { EngineChoice } from "../runner/stage.ts";

/** The user's working folder; `deno task` itself runs in the project's folder. */
export function callFolder(): string {
  return Deno.env.get("INIT_CWD") ?? Deno.cwd();
}

/** A path as the user meant it. */
export function userPath(path: string): string {
  return isAbsolute(path) ? path : resolve(callFolder(), path);
}

/** A pipeline file as the user meant it: relative to where the call was made, else to the project. */
export function pipelinePath(path: string): string {
  const here = userPath(path);
  for (const candidate of [here, resolve(path)]) {
    try {
      if (Deno.statSync(candidate).isFile) return candidate;
    } catch {
      // The next candidate may be there.
    }
  }
  throw new CallError("command/no-pipeline-file", `there is no pipeline file ${here}`, {
    hint: "The pipelines of this project are pipelines/*.ts.",
  });
}

/** The store's folder: `--store`, else RETORT_STORE, else `store` in RETORT_HOME, which is `.retort` in the project. */
export function storePath(option: string | undefined): string {
  if (option !== undefined) return userPath(option);
  const named = Deno.env.get("RETORT_STORE");
  return named === undefined || named === ""
    ? resolve(Deno.env.get("RETORT_HOME") || ".retort", "store")
    : userPath(named);
}

/** Options of every command that opens a pipeline over a store. */
export interface PipelineOptions extends Required<Selection> {
  set: string[];
  seed: number;
  engine: EngineChoice;
  adapter?: string;
  profile?: string;
  store?: string;
}

/** Session options for a pipeline file. */
export function sessionOptions(file: string, options: PipelineOptions): SessionOptions {
  const { set, seed, engine, adapter, profile, only, from, until, except } = options;
  const store = storePath(options.store);
  return {
    file: pipelinePath(file),
    store,
    set,
    seed,
    engine,
    ...{ only, from, until, except },
    ...(adapter !== undefined && { adapter }),
    ...(profile !== undefined && { profile: userPath(profile) }),
  };
}

/** Parses a whole number of at least `min`. */
export function wholeNumberFrom(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
      throw new InvalidArgumentError(`expected a whole number from ${min}, got ${JSON.stringify(text)}`);
    }
    return value;
  };
}

/** Parses an option that may be repeated: adds to what came before. */
export function repeated(text: string, previous: string[]): string[] {
  return [...previous, text];
}

/** `--store`, of every command over a store. */
export const STORE = new Option(
  "--store <dir>",
  "folder of the store (default: RETORT_STORE, else .retort/store)",
);

/** `--json`, of every command. */
export const JSON_OUTPUT = new Option(
  "--json",
  "one JSON document on standard output and nothing else there",
);

/** `--verbose`, of every command. */
export const VERBOSE = new Option("--verbose", "show logs of stages as they come, and stack traces");

/** `--set`, of every command that builds a pipeline, as those below. */
export const SET = new Option("--set <name=value>", "set a parameter of the pipeline; may be repeated")
  .argParser(repeated).default([] as string[], "none");

export const SEED = new Option("--seed <n>", "the run's seed").argParser(wholeNumberFrom(0)).default(0);

export const ENGINE = new Option("--engine <name>", "engine of the stages that use one")
  .choices(["auto", "webgpu", "cpu"] as const).default("auto" as const);

export const ADAPTER = new Option(
  "--adapter <name>",
  "WebGPU adapter, by a part of its name; with it, the engine is webgpu unless --engine says otherwise",
);

export const ONLY = new Option(
  "--only <node>",
  "make these nodes, or those of a stage, and what they need; * stands for any text; may be repeated",
).argParser(repeated).default([] as string[], "all");

export const FROM = new Option(
  "--from <node>",
  "make these nodes, what follows them, and what those need; may be repeated",
).argParser(repeated).default([] as string[], "all");

export const UNTIL = new Option("--until <node>", "make nothing after these nodes; may be repeated")
  .argParser(repeated).default([] as string[], "all");

export const EXCEPT = new Option(
  "--except <node>",
  "leave out these nodes and what follows them; may be repeated",
).argParser(repeated).default([] as string[], "none");

/** `--profile`, of commands that run stages. */
export const PROFILE = new Option(
  "--profile <file>",
  "JSON file that says what stages take here: cores, memory, time, retries",
);

/** `--force`, of `run`. */
export const FORCE = new Option(
  "--force <node>",
  "recompute these nodes; NODE+ means those after it too; may be repeated",
)
  .argParser(repeated).default([] as string[], "none");

/** `--jobs`, of commands that run stages: by default one a core, four at most, since stages use several cores themselves. */
export const JOBS = new Option(
  "--jobs <n>",
  "worker processes beside the engine's; 0 runs stages in this process",
)
  .argParser(wholeNumberFrom(0)).default(Math.min(4, navigator.hardwareConcurrency));
