import { isAbsolute, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { CallError } from "../foundation/errors.ts";
import type { SessionOptions } from "../runner/session.ts";
import type { EngineChoice } from "../runner/stage.ts";

/** The folder from which the user called: `deno task` itself works in the project's folder. */
function callFolder(): string {
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
  throw new CallError(`there is no pipeline file ${here}`, {
    hint: "Pipelines of this project: pipelines/*.ts",
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
export interface PipelineOptions {
  set: string[];
  seed: number;
  engine: EngineChoice;
  adapter?: string;
  only: string[];
  store?: string;
}

/** What a session of a pipeline file needs. */
export function sessionOptions(file: string, options: PipelineOptions): SessionOptions {
  const { set, seed, engine, adapter, only } = options;
  const store = storePath(options.store);
  return {
    file: pipelinePath(file),
    store,
    set,
    seed,
    engine,
    only,
    ...(adapter !== undefined && { adapter }),
  };
}

/** Parses a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
      throw new InvalidArgumentError(`expected a whole number from ${min}, got ${JSON.stringify(text)}`);
    }
    return value;
  };
}

/** Gathers a repeatable option. */
export function gather(text: string, previous: string[]): string[] {
  return [...previous, text];
}
