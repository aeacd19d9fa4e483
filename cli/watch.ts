import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { isPacked, OWN_ROOT } from "../foundation/own_package.ts";
import { messageOf } from "../foundation/errors.ts";
import { programArguments } from "../runner/program.ts";
import { projectOf } from "../runner/project.ts";
import type { RunSummary } from "../runner/run_summary.ts";
import { exit } from "./exit.ts";
import { note } from "./output.ts";

/** Names the file into which a run of `--watch` writes what it read besides modules. */
const READ_FILES = "RETORT_WATCHED";

/** Milliseconds without another change before a run begins: editors write a file in several steps. */
const QUIET = 200;

/** Tells who watches which files outside the store a run depends on that nobody imports: sources of stages and located data. */
export function tellWatcher(summary: RunSummary): void {
  const path = Deno.env.get(READ_FILES);
  if (path === undefined) return;
  const files = summary.nodes.flatMap(({ node, outputs }) => [
    ...node.stage.sources.map((url) => fileURLToPath(url)),
    ...Object.values(outputs ?? {}).flatMap((artifact) =>
      artifact.files.flatMap((file) => file.location ?? [])
    ),
  ]);
  Deno.writeTextFileSync(path, JSON.stringify([...new Set(files)]));
}

/**
 * Runs the same command line without `--watch`, and again whenever a file that it depends on is saved, until it is
 * interrupted. Each run is a process of its own: only so are changed modules imported anew.
 */
export async function watchAndRun(file: string, permissions: readonly string[]): Promise<never> {
  const told = Deno.makeTempFileSync({ prefix: "retort-watched-" });
  const args = Deno.args.filter((arg) => arg !== "--watch");
  let child: Deno.ChildProcess | undefined;
  let over = false;
  const leave = (): never => {
    Deno.removeSync(told);
    return exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      over = true;
      if (signal === "SIGTERM") kill(child, signal); // Ctrl-C reaches the run by itself.
      if (child === undefined) leave();
    });
  }
  while (true) {
    const began = Date.now();
    const watched = new Set([...await modulesOf(file), ...readJson(told)]);
    const watchers = [watching(watched)];
    const changed = [changeIn(watchers[0]!, watched)];
    child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", ...permissions],
        ...programArguments(
          new URL(isPacked ? "cli/main.js" : "cli/main.ts", OWN_ROOT),
          projectOf(file).config,
        ),
        ...args,
      ],
      env: { [READ_FILES]: told },
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    const ended = child.status.then(() => undefined);
    let path = await Promise.race([...changed, ended]);
    if (path !== undefined) kill(child, "SIGINT");
    await ended;
    child = undefined;
    if (over) leave();
    if (path === undefined) {
      // The run has told by now what else it read.
      const more = new Set(readJson(told).filter((one) => !watched.has(one)));
      if (more.size > 0) {
        watchers.push(watching(more));
        changed.push(changeIn(watchers[1]!, more));
      }
      path = [...more].find((one) => savedAfter(one, began));
      if (path === undefined) {
        note(`watching ${watched.size + more.size} files; Ctrl-C ends`);
        path = await Promise.race(changed);
      }
    }
    for (const watcher of watchers) watcher.close();
    note(`\n${path} was saved`);
  }
}

/** Watches the folders of files: editors put new files in the place of old ones. */
function watching(files: ReadonlySet<string>): Deno.FsWatcher {
  return Deno.watchFs([...new Set([...files].map(dirname))].filter(exists), { recursive: false });
}

/** Whether a file was saved since a moment; nothing in the future counts, so that no odd clock makes a run begin for ever. */
function savedAfter(path: string, began: number): boolean {
  try {
    const time = Deno.statSync(path).mtime?.getTime() ?? 0;
    return time > began && time <= Date.now();
  } catch {
    return false;
  }
}

function kill(child: Deno.ChildProcess | undefined, signal: Deno.Signal): void {
  try {
    child?.kill(signal);
  } catch {
    // It has ended.
  }
}

function exists(folder: string): boolean {
  try {
    return Deno.statSync(folder).isDirectory;
  } catch {
    return false;
  }
}

function readJson(path: string): string[] {
  const text = Deno.readTextFileSync(path);
  return text === "" ? [] : JSON.parse(text);
}

/** The first of the files that is saved, once nothing more changes. */
async function changeIn(watcher: Deno.FsWatcher, files: ReadonlySet<string>): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  (async () => {
    for await (const { kind, paths } of watcher) {
      const path = kind === "access" ? undefined : paths.find((one) => files.has(one));
      if (path === undefined) continue;
      clearTimeout(timer);
      timer = setTimeout(() => resolve(path), QUIET);
    }
  })().catch((error) => note(`files cannot be watched: ${messageOf(error)}`));
  return await promise;
}

/** Paths of the local modules that a pipeline file imports, itself among them. */
async function modulesOf(file: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", projectOf(file).config, file],
    stdin: "null",
    stderr: "null",
  }).output();
  try {
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
      modules: { local?: string; specifier?: string; error?: string }[];
    };
    const local = modules.flatMap(({ local, specifier, error }) => {
      // One that does not parse, or is not there yet: mending it is the change to wait for.
      const broken = error !== undefined && specifier?.startsWith("file:") ? fileURLToPath(specifier) : [];
      return local ?? broken;
    }).filter((path) => !path.includes("/node_modules/"));
    return [...new Set([file, ...local])];
  } catch {
    return [file];
  }
}
