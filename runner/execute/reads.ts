import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { getCallSites } from "node:util";

/** Stands for reading all variables. */
const ALL = "*";

/** Retort itself, which reads variables that change no result. */
const OWN = ["../", "../../foundation/", "../../cli/"].map((folder) => new URL(folder, import.meta.url).href);

/** Location of npm packages. */
const PACKAGE = /\/(?:npm|node_modules)\//;

/** Who read a variable: the code of a stage and its modules, or a package. */
type Reader = "the stage" | "a package of the stage";

/**
 * Watches which environment variables stages read in this process or thread, by `Deno.env` or by `process.env`, which asks
 * there. One for a process, from its start.
 */
export class Reads {
  /** Variables that the module read on import; all its jobs depend on them. */
  readonly #imported = new Map<string, Reader>();
  #listener: ((name: string, reader: Reader) => void) | undefined;

  constructor() {
    const { env } = Deno;
    const { get, has, toObject } = env;
    const seen = (name: string) => {
      const reader = this.#listener === undefined ? undefined : readerOf();
      if (reader !== undefined) this.#listener?.(name, reader);
    };
    env.get = (name) => {
      seen(name);
      return get.call(env, name);
    };
    env.has = (name) => {
      seen(name);
      return has.call(env, name);
    };
    env.toObject = () => {
      seen(ALL);
      return toObject.call(env);
    };
  }

  /** Imports the module of a stage. */
  async importing<T>(work: () => Promise<T>): Promise<T> {
    return await this.#listening((name, reader) => this.#imported.set(name, reader), work);
  }

  /** Executes a stage; warns once about each variable that it reads without declaring it. */
  async executing<T>(
    declared: readonly string[],
    log: (text: string) => void,
    work: () => Promise<T>,
  ): Promise<T> {
    const told = new Set(declared);
    const tell = (name: string, reader: Reader) => {
      // Reading all variables reads each of them.
      if (told.has(name) || told.has(ALL)) return;
      told.add(name);
      log(
        name === ALL
          ? `warning: ${reader} looks at all environment variables, which are not in its key; ` +
            "declare those that matter by `env`"
          : `warning: ${reader} reads the environment variable ${name}, which is not in its key; ` +
            `if it matters, declare it: \`env: [${JSON.stringify(name)}]\``,
      );
    };
    for (const [name, reader] of this.#imported) tell(name, reader);
    return await this.#listening(tell, work);
  }

  async #listening<T>(listener: (name: string, reader: Reader) => void, work: () => Promise<T>): Promise<T> {
    this.#listener = listener;
    try {
      return await work();
    } finally {
      this.#listener = undefined;
    }
  }
}

/** Who is reading: the nearest code outside the runtime on the call stack; undefined for Retort itself. */
function readerOf(): Reader | undefined {
  for (const { scriptName } of getCallSites(30)) {
    const url = isAbsolute(scriptName ?? "") ? pathToFileURL(scriptName).href : scriptName ?? "";
    if (url === import.meta.url || !/^(?:file|https?|data|blob):/.test(url)) continue;
    if (OWN.some((folder) => url.startsWith(folder))) return undefined;
    return PACKAGE.test(url) ? "a package of the stage" : "the stage";
  }
  return undefined;
}
