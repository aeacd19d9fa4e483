/** Runs commands as users do: as processes, with the very permissions that deno.json gives each task. */
import { ROOT } from "./root.ts";

export { ROOT } from "./root.ts";

const TASKS: Record<string, string> = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)).tasks;

/** What a command printed and how it ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a command. */
export interface CommandOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Gets the process when it has started. */
  readonly onStart?: (child: Deno.ChildProcess) => void;
  /** Called with all that the standard error shows so far, whenever there is more. */
  readonly onErrors?: (text: string) => void;
  /** Signals to send once the standard error shows a text: moments that no load of the machine moves. */
  readonly signals?: readonly {
    readonly when: RegExp;
    readonly after: number;
    readonly signal: Deno.Signal;
  }[];
}

/** Arguments of Deno for a task of deno.json. */
export function taskArguments(task: string, args: readonly string[]): string[] {
  const line = TASKS[task];
  if (line === undefined) throw new Error(`deno.json has no task ${task}`);
  const words = line.split(" ").slice(1).map((word) => word === "cli/main.ts" ? `${ROOT}/cli/main.ts` : word);
  return [words[0]!, "--no-prompt", "--config", `${ROOT}/deno.json`, ...words.slice(1), ...args];
}

/** Runs a task to its end. Colours are off, CI is not set. */
export async function command(
  task: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: taskArguments(task, args),
    cwd: options.cwd ?? ROOT,
    env: { NO_COLOR: "1", RETORT_STORE: "", INIT_CWD: options.cwd ?? ROOT, ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  options.onStart?.(child);
  const waiting = new Set(options.signals);
  let stderr = "";
  const readErrors = async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += text;
      options.onErrors?.(stderr);
      for (const one of waiting) {
        if (!one.when.test(stderr)) continue;
        waiting.delete(one);
        signalAfter(child, one.after, one.signal);
      }
    }
  };
  const [{ code }, stdout] = await Promise.all([
    child.status,
    new Response(child.stdout).text(),
    readErrors(),
  ]);
  return { code, stdout, stderr };
}

/** Digests of outputs of the newest run in a store that have these names: what tells whether two runs gave the same bytes. */
export async function digestsOf(store: string, names: readonly string[]): Promise<Record<string, string>> {
  const each = names.map(async (name) => {
    const shown = await command("show", [name, "--store", store, "--json"]);
    const { digest } = JSON.parse(shown.stdout);
    if (typeof digest !== "string") throw new Error(`no digest of ${name}: ${shown.stdout}`);
    return [name, digest] as const;
  });
  return Object.fromEntries(await Promise.all(each));
}

/** The value of an output that is JSON, read from the store however long it is. */
// deno-lint-ignore no-explicit-any -- tests know what the pipeline returns
export async function outputValue(store: string, name: string): Promise<any> {
  const folder = Deno.makeTempDirSync({ prefix: "retort-value-" });
  try {
    const exported = await command("export", [name, `${folder}/it`, "--store", store]);
    if (exported.code !== 0) throw new Error(`no value of ${name}: ${exported.stderr}`);
    return JSON.parse(await Deno.readTextFile(`${folder}/it/value.json`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Sends a signal after some milliseconds, unless the process has ended by then. */
export function signalAfter(child: Deno.ChildProcess, milliseconds: number, signal: Deno.Signal): void {
  const timer = setTimeout(() => {
    try {
      child.kill(signal);
    } catch {
      // It ended at this very moment.
    }
  }, milliseconds);
  child.status.then(() => clearTimeout(timer));
}

/** A temporary folder, removed when it is disposed of. */
export class Folder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "retort-" });
  readonly store: string = `${this.path}/store`;

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Path of a pipeline among the fixtures. */
export function fixture(name: string): string {
  return `${ROOT}/tests/fixtures/pipelines/${name}.ts`;
}
