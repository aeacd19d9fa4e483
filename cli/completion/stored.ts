import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Suggestion, WordSources } from "./suggest.ts";

/** Most names of a kind: more than that nobody looks through. */
const MOST = 500;

/** The folder of the nearest `deno.json`: tasks run there. */
function projectFolder(from: string): string | undefined {
  for (let folder = from;; folder = dirname(folder)) {
    if (existsSync(join(folder, "deno.json")) || existsSync(join(folder, "deno.jsonc"))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The store that a command line means, as `storePath` of commands says it. */
export function storeFolder(words: readonly string[], cwd: string): string {
  const at = words.findIndex((word) => word === "--store" || word.startsWith("--store="));
  const named = at < 0 || at === words.length - 1
    ? process.env.RETORT_STORE
    : words[at]!.slice("--store=".length) || words[at + 1];
  if (named) return resolve(cwd, named);
  return resolve(projectFolder(cwd) ?? cwd, process.env.RETORT_HOME || ".retort", "store");
}

/** Asks the records of a store, without writing anything beside them; a store that cannot be read has no names. */
export class StoredNames implements WordSources {
  readonly #cwd: string;
  readonly #store: string;

  constructor(words: readonly string[], cwd: string) {
    this.#cwd = cwd;
    this.#store = storeFolder(words, cwd);
  }

  #rows<T>(query: string, ...values: string[]): T[] {
    try {
      const path = `${this.#store}/records.sqlite`;
      const url = pathToFileURL(path);
      // A reader of a database with a log makes files beside it, unless they are there or it is told that nothing changes.
      const live = existsSync(`${path}-shm`) && existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;
      if (!live) url.searchParams.set("immutable", "1");
      using database = new DatabaseSync(url as never, { readOnly: true, timeout: 50 });
      return database.prepare(query).all(...values) as T[];
    } catch {
      return [];
    }
  }

  /** The condition for the newest run of a file. */
  #newest(file: string | undefined): [string, ...string[]] {
    if (file === undefined) return ["SELECT id FROM runs ORDER BY started DESC LIMIT 1"];
    const paths = [resolve(this.#cwd, file), resolve(projectFolder(this.#cwd) ?? this.#cwd, file)];
    const real = paths.flatMap((path) => existsSync(path) ? [path, realpathSync(path)] : []);
    return [
      "SELECT id FROM runs WHERE file IN (?1, ?2) ORDER BY started DESC LIMIT 1",
      real[0] ?? "",
      real[1] ?? "",
    ];
  }

  nodes(file: string | undefined): Suggestion[] {
    const [newest, ...values] = this.#newest(file);
    const rows = this.#rows<{ name: string; stage: string }>(
      `SELECT name, stage FROM nodes WHERE run = (${newest}) ORDER BY position LIMIT ${MOST}`,
      ...values,
    );
    const stages = [...new Set(rows.map(({ stage }) => stage))];
    return [
      ...rows.map(({ name, stage }) => ({ word: name, about: name === stage ? "node" : `node of ${stage}` })),
      ...stages.filter((stage) => !rows.some(({ name }) => name === stage))
        .map((stage) => ({ word: stage, about: "stage" })),
      ...stages.map((stage) => ({ word: `stage:${stage}`, about: "stage" })),
    ];
  }

  runs(): Suggestion[] {
    const rows = this.#rows<{ id: string; pipeline: string; status: string }>(
      "SELECT id, pipeline, status FROM runs ORDER BY started DESC LIMIT 50",
    );
    return [
      ...rows.length === 0 ? [] : [{ word: "latest", about: "the newest run" }],
      ...rows.map(({ id, pipeline, status }) => ({ word: id, about: `${pipeline}, ${status}` })),
    ];
  }

  references(): Suggestion[] {
    const recent = "SELECT id FROM runs ORDER BY started DESC LIMIT 20";
    const outputs = this.#rows<{ name: string }>(
      `SELECT DISTINCT name FROM run_outputs WHERE run IN (${recent}) ORDER BY name LIMIT ${MOST}`,
    );
    const nodes = this.#rows<{ name: string; output: string }>(
      `SELECT DISTINCT n.name, a.output FROM nodes n JOIN artifacts a ON a.key = n.key
       WHERE n.run IN (${recent}) ORDER BY n.position LIMIT ${MOST}`,
    );
    return [
      ...outputs.map(({ name }) => ({ word: name, about: "output" })),
      ...nodes.map(({ name, output }) => ({ word: `${name}:${output}`, about: "output of a node" })),
      ...this.runs(),
    ];
  }

  pipelines(): Suggestion[] {
    return this.#rows<{ pipeline: string }>("SELECT DISTINCT pipeline FROM runs ORDER BY pipeline")
      .map(({ pipeline }) => ({ word: pipeline, about: "pipeline" }));
  }

  tags(): Suggestion[] {
    const rows = this.#rows<{ tags: string }>("SELECT DISTINCT tags FROM annotations");
    const tags = new Set(rows.flatMap((row) => JSON.parse(row.tags) as string[]));
    return [...tags].sort().map((word) => ({ word, about: "tag" }));
  }

  parameters(file: string | undefined): Suggestion[] {
    const [newest, ...values] = this.#newest(file);
    const [row] = this.#rows<{ params: string }>(`SELECT params FROM runs WHERE id = (${newest})`, ...values);
    return Object.entries(JSON.parse(row?.params ?? "{}") as object)
      .map(([name, value]) => ({ word: `${name}=`, about: `was ${JSON.stringify(value)}`.slice(0, 60) }));
  }

  files(word: string, ending: string): Suggestion[] {
    const before = word.slice(0, word.lastIndexOf("/") + 1);
    const last = basename(`x${word.slice(before.length)}`).slice(1);
    // As commands do, tasks find pipelines from the folder of the project as well.
    const folders = [...new Set([this.#cwd, projectFolder(this.#cwd) ?? this.#cwd])];
    const names = new Map<string, string>();
    for (const folder of before.startsWith("/") ? ["/"] : folders) {
      try {
        for (const entry of readdirSync(resolve(folder, before), { withFileTypes: true })) {
          if (entry.name.startsWith(".") && !last.startsWith(".")) continue;
          const path = resolve(folder, before, entry.name);
          const isFolder = entry.isDirectory() || entry.isSymbolicLink() && statSync(path).isDirectory();
          if (isFolder) names.set(`${before}${entry.name}/`, "");
          else if (entry.name.endsWith(ending) && !entry.name.endsWith(".d.ts")) {
            names.set(`${before}${entry.name}`, "");
          }
        }
      } catch {
        // There is no such folder.
      }
    }
    return [...names].sort().map(([name, about]) => ({ word: name, about }));
  }
}
