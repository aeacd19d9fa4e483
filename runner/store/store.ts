import { resolve } from "node:path";
import type { Artifact } from "../codec.ts";
import type { Digest, JsonObject, JsonValue } from "../../foundation/canonical.ts";
import { isDigest } from "../../foundation/canonical.ts";
import { messageOf, RetortError } from "../../foundation/errors.ts";
import { artifactFromJson, artifactJson } from "./artifacts.ts";
import { writeFileAtomic } from "../../foundation/atomic.ts";
import { readSealed, writeSealed } from "./sealed.ts";
import { Blobs, listFolder } from "./blobs.ts";
import { guardedSync } from "../../foundation/faults.ts";
import type { KeyComponents } from "../key.ts";

/** Format of the store's folder and of the files in it. */
const FORMAT = 1;

/** What a node's execution left: found again by its key. */
export interface Result {
  readonly key: Digest;
  readonly stage: string;
  /** The node that made it first. */
  readonly node: string;
  readonly run: string;
  readonly components: KeyComponents;
  readonly outputs: Readonly<Record<string, Artifact>>;
  /** Engine and adapter that the stage said it used. */
  readonly engine?: { readonly engine: string; readonly adapter?: string };
  readonly seconds: number;
  /** When it was finished, ISO 8601. */
  readonly finished: string;
}

/** What looking for a result gives. */
export type Lookup =
  | { readonly state: "found"; readonly result: Result }
  | { readonly state: "missing" }
  | { readonly state: "damaged"; readonly why: string };

/** The folder with objects, results, checkpoints and the run records. */
export class Store {
  readonly blobs: Blobs;
  readonly tmp: string;

  private constructor(readonly root: string) {
    this.tmp = `${root}/tmp`;
    this.blobs = new Blobs(`${root}/objects`, this.tmp, `${root}/damaged`);
  }

  /**
   * Opens the store in a folder; makes it when `create` is set.
   *
   * @throws RetortError when the folder is no store, cannot be made, or is of another format.
   */
  static open(folder: string, options: { create?: boolean } = {}): Store {
    const root = resolve(folder);
    const marker = `${root}/retort-store.json`;
    const store = new Store(root);
    let text: string | undefined;
    try {
      text = Deno.readTextFileSync(marker);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
    }
    if (text === undefined) {
      if (options.create !== true) {
        throw new RetortError(`there is no store at ${root}`, {
          hint:
            "Name one with --store DIR, or run a pipeline first: `deno task run pipelines/quickstart.ts`.",
        });
      }
      store.#create(marker);
      return store;
    }
    let format: JsonValue | undefined;
    try {
      format = (JSON.parse(text) as { format?: JsonValue }).format;
    } catch (error) {
      throw new RetortError(`${marker} is damaged: ${messageOf(error)}`, {
        hint: `Restore it: it holds {"format":${FORMAT}}.`,
      });
    }
    if (format !== FORMAT) {
      throw new RetortError(
        `the store at ${root} has format ${format}; this version of Retort reads ${FORMAT}`,
        {
          hint: "Use the version of Retort that made it, or another --store.",
        },
      );
    }
    return store;
  }

  #create(marker: string): void {
    guardedSync("making", this.root, () => {
      const strangers = listFolder(this.root).filter((name) => !OWN.has(name));
      if (strangers.length > 0) {
        throw new RetortError(`${this.root} is not a store and not empty (it holds ${strangers[0]})`, {
          hint: "Name a new or an empty folder with --store.",
        });
      }
      for (const folder of OWN) {
        if (!folder.includes(".")) Deno.mkdirSync(`${this.root}/${folder}`, { recursive: true });
      }
      // The marker comes last: a store that was made halfway is made again.
      writeFileAtomic(this.tmp, marker, new TextEncoder().encode(`{"format":${FORMAT}}\n`));
    });
  }

  /** Where a run keeps its logs. */
  runFolder(run: string): string {
    return `${this.root}/runs/${run}`;
  }

  /** Where the lock of a key lies. */
  lockPath(key: Digest): string {
    return `${this.root}/locks/${key.slice(0, 2)}${key.slice(2, 4)}`;
  }

  #resultPath(key: Digest): string {
    return `${this.root}/results/${key.slice(0, 2)}/${key}.json`;
  }

  /**
   * The result of a key, if all its objects are there with the right sizes. Damaged records and
   * objects of a wrong size are set aside.
   *
   * @throws RetortError when the record is of an unknown format.
   */
  lookup(key: Digest): Lookup {
    const path = this.#resultPath(key);
    const sealed = readSealed(path, FORMAT);
    if (sealed.state === "missing") return sealed;
    const result = sealed.state === "ok" ? resultFromJson(sealed.body) : undefined;
    if (result === undefined || result.key !== key) {
      const why = sealed.state === "damaged" ? sealed.why : "it is not a result of this key";
      try {
        Deno.renameSync(path, `${this.root}/damaged/${key}.json`);
      } catch {
        // A read-only store: the record is not used all the same.
      }
      return { state: "damaged", why: `the record of its result was damaged: ${why}` };
    }
    for (const [name, artifact] of Object.entries(result.outputs)) {
      for (const file of artifact.files) {
        if (this.blobs.has(file.digest, file.size)) continue;
        const aside = this.blobs.setAside(file.digest);
        return {
          state: "damaged",
          why: `file ${file.name} of output \`${name}\` is ${aside ? "damaged" : "missing"}`,
        };
      }
    }
    return { state: "found", result };
  }

  /** Records a result: the last step of an execution, after all its objects are written. */
  commit(result: Result): void {
    const path = this.#resultPath(result.key);
    guardedSync(
      "writing",
      path,
      () => Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true }),
    );
    writeSealed(this.tmp, path, FORMAT, {
      ...result,
      components: result.components as unknown as JsonObject,
      outputs: Object.fromEntries(Object.entries(result.outputs).map(([name, a]) => [name, artifactJson(a)])),
      ...(result.engine === undefined ? {} : { engine: { ...result.engine } }),
    } as JsonObject);
  }

  /** Forgets a result; its objects stay until `gc`. */
  forget(key: Digest): void {
    try {
      Deno.removeSync(this.#resultPath(key));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Keys of all results. */
  *keys(): Generator<Digest> {
    for (const folder of listFolder(`${this.root}/results`)) {
      for (const name of listFolder(`${this.root}/results/${folder}`)) {
        if (name.endsWith(".json") && isDigest(name.slice(0, -5))) yield name.slice(0, -5);
      }
    }
  }
}

/** What may stand in a store's folder. */
const OWN = new Set([
  ...["objects", "results", "locks", "checkpoints", "runs", "workspaces", "damaged", "tmp"],
  ...[
    "retort-store.json",
    "store.lock",
    "records.sqlite",
    "records.sqlite-wal",
    "records.sqlite-shm",
    "dashboard.json",
    "engines.json",
  ],
]);

function resultFromJson(body: JsonObject): Result | undefined {
  const outputs: Record<string, Artifact> = {};
  if (!isDigest(body.key) || typeof body.outputs !== "object" || body.outputs === null) return undefined;
  for (const [name, value] of Object.entries(body.outputs)) {
    const artifact = artifactFromJson(value);
    if (artifact === undefined) return undefined;
    outputs[name] = artifact;
  }
  return { ...body, outputs } as unknown as Result;
}
