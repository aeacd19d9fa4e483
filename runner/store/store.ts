import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Artifact } from "../codec.ts";
import type { Digest, JsonObject, JsonValue } from "../../foundation/canonical.ts";
import { isDigest } from "../../foundation/canonical.ts";
import { messageOf, RetortError } from "../../foundation/errors.ts";
import { artifactFromJson, artifactJson } from "./artifacts.ts";
import { uniqueName, writeFileAtomic } from "../../foundation/atomic.ts";
import { parseSealed, readSealed, sealedBytes, writeSealed } from "./sealed.ts";
import { Blobs, listFolder } from "./blobs.ts";
import { fileFault, guardedSync } from "../../foundation/faults.ts";
import { type Lock, lock } from "../../foundation/locks.ts";
import { digestFiles, type OnStranger, type Stranger } from "./own.ts";
import { refuseUnusable } from "./usable.ts";
import type { Acceptance } from "./acceptance.ts";
import type { KeyComponents } from "../key.ts";

/** Format of the store's folder and of the files in it. */
const FORMAT = 1;

/** The result of a node's execution, found by its key. */
export interface NodeResult {
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
  /** Present where the code of before a change made it, which somebody called harmless. */
  readonly accepted?: Acceptance;
  /** When temporary outputs were dropped, by name, ISO 8601: their bytes may be gone. */
  readonly dropped?: Readonly<Record<string, string>>;
}

/** The record of a result some of whose outputs are dropped. */
export interface MarkedResult {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The result without these marks. */
  readonly result: NodeResult;
}

/** The outcome of looking up a result. */
export type Lookup =
  | { readonly state: "found"; readonly result: NodeResult }
  | { readonly state: "missing" }
  | { readonly state: "damaged"; readonly why: string };

/** The folder with objects, results, checkpoints and the run records. */
export class Store {
  readonly blobs: Blobs;
  readonly tmp: string;
  #readOnly: boolean | undefined;

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
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
        throw fileFault(error, "opening", marker);
      }
    }
    if (text === undefined) {
      refuseUnusable(root);
      if (options.create !== true) {
        throw new RetortError("store/missing", `there is no store at ${root}`, {
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
      throw new RetortError("store/unusable", `${marker} is damaged: ${messageOf(error)}`, {
        hint: `Restore it: it holds {"format":${FORMAT}}.`,
      });
    }
    if (format !== FORMAT) {
      throw new RetortError(
        "store/version",
        `the store at ${root} has format ${format}; this version of Retort reads ${FORMAT}`,
        { hint: "Use the version of Retort that made it, or another --store." },
      );
    }
    store.#complete();
    return store;
  }

  /**
   * Creates missing folders: programs that copy or clean up often omit empty ones.
   *
   * @throws RetortError where something else has the name of one.
   */
  #complete(): void {
    for (const folder of FOLDERS) {
      try {
        Deno.mkdirSync(`${this.root}/${folder}`, { recursive: true });
      } catch (error) {
        // Otherwise the store is read-only or the disk is full, which is reported when the folder is needed.
        if (!(error instanceof Deno.errors.AlreadyExists)) continue;
        throw new RetortError(
          "store/unusable",
          `${this.root}/${folder} is neither a folder nor a link to one, and this store needs it`,
          { hint: "Move it away, or make what it links to: a folder that is missing is made." },
        );
      }
    }
  }

  /** Whether nothing can be written, because of the file system or the folder's permissions. */
  get readOnly(): boolean {
    return this.#readOnly ??= this.#refusesFiles();
  }

  #refusesFiles(): boolean {
    // Try in the first of these folders that exists: only an attempt shows what mounts allow.
    for (const folder of [this.tmp, this.root]) {
      const probe = `${folder}/${uniqueName()}`;
      try {
        Deno.openSync(probe, { write: true, createNew: true }).close();
        Deno.removeSync(probe);
        return false;
      } catch (error) {
        if (
          error instanceof Deno.errors.PermissionDenied || /Read-only|os error 30\b/.test(messageOf(error))
        ) {
          return true;
        }
        if (!(error instanceof Deno.errors.NotFound)) return false; // The disk may be full, for example; the next write reports it.
      }
    }
    return false;
  }

  #create(marker: string): void {
    guardedSync("making", this.root, () => {
      const strangers = listFolder(this.root).filter((name) => !OWN.has(name));
      if (strangers.length > 0) {
        throw new RetortError(
          "store/unusable",
          `${this.root} is not a store and not empty (it holds ${strangers[0]})`,
          { hint: "Name a new or an empty folder with --store." },
        );
      }
      for (const folder of FOLDERS) Deno.mkdirSync(`${this.root}/${folder}`, { recursive: true });
      // The marker is written last, so that a partly created store is created again.
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
    return `${this.root}/${resultFile(key)}`;
  }

  /**
   * The result of a key, if all its objects are there with the right sizes, but for those of dropped outputs: `dropped` of what is
   * returned names those whose bytes are gone. Damaged records and objects of a wrong size are set aside; a record of an unknown
   * format stays until it is made again.
   */
  lookup(key: Digest): Lookup {
    const path = this.#resultPath(key);
    const sealed = readSealed(path, FORMAT);
    if (sealed.state === "missing") return sealed;
    if (sealed.state === "unknown") {
      return { state: "damaged", why: `the record of its result cannot be used: ${sealed.why}` };
    }
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
    const gone: Record<string, string> = {};
    for (const [name, artifact] of Object.entries(result.outputs)) {
      for (const file of artifact.files) {
        if (this.blobs.has(file.digest, file.size)) continue;
        if (result.dropped !== undefined && Object.hasOwn(result.dropped, name)) {
          gone[name] = result.dropped[name]!;
          break;
        }
        const aside = this.blobs.setAside(file.digest);
        return {
          state: "damaged",
          why: `file ${file.name} of output \`${name}\` is ${aside ? "damaged" : "missing"}`,
        };
      }
    }
    if (result.dropped === undefined) return { state: "found", result };
    const { dropped: _, ...whole } = result;
    return {
      state: "found",
      result: Object.keys(gone).length === 0 ? whole : { ...whole, dropped: gone },
    };
  }

  /** When outputs of a result were dropped, by name. Its objects are not checked. */
  droppedOutputs(key: Digest): NodeResult["dropped"] {
    const sealed = readSealed(this.#resultPath(key), FORMAT);
    return sealed.state === "ok" ? sealed.body.dropped as unknown as NodeResult["dropped"] : undefined;
  }

  /** Who accepted the result of a key, where somebody did. Its objects are not checked. */
  acceptance(key: Digest): Acceptance | undefined {
    const sealed = readSealed(this.#resultPath(key), FORMAT);
    return sealed.state === "ok" ? (sealed.body.accepted as unknown as Acceptance | undefined) : undefined;
  }

  /** Why a result has an unsupported format, or undefined if it does not. Its objects are not checked. */
  unknownFormat(key: Digest): string | undefined {
    const sealed = readSealed(this.#resultPath(key), FORMAT);
    return sealed.state === "unknown" ? sealed.why : undefined;
  }

  /**
   * Records a result, unless one of its objects was dropped since it was found to be there: the last step of an execution.
   *
   * @returns whether it is recorded.
   */
  async commitWhole(result: NodeResult): Promise<boolean> {
    const { dropped = {} } = result;
    const whole = () =>
      Object.entries(result.outputs).every(([name, { files }]) =>
        Object.hasOwn(dropped, name) || files.every((file) => this.blobs.has(file.digest, file.size))
      );
    // Where nothing was ever dropped there is no such file, and no need to wait for anybody.
    if (!existsSync(this.#droppingPath)) {
      this.commit(result);
      if (!existsSync(this.#droppingPath)) return true;
    }
    using _still = await lock(this.#droppingPath, { mode: "shared" });
    if (!whole()) return false;
    this.commit(result);
    return true;
  }

  get #droppingPath(): string {
    return `${this.root}/locks/objects`;
  }

  /** Taken by whoever drops outputs: nobody else does so meanwhile, and no result is recorded. */
  async dropping(): Promise<Lock> {
    return await lock(this.#droppingPath);
  }

  /**
   * The record of a result that says that outputs are dropped: once it is in its place, durably, their bytes may go.
   *
   * @returns its bytes, where they belong, and the result as it is; undefined when there is none.
   */
  marked(key: Digest, outputs: readonly string[], when: string): MarkedResult | undefined {
    const path = this.#resultPath(key);
    const sealed = readSealed(path, FORMAT);
    const result = sealed.state === "ok" ? resultFromJson(sealed.body) : undefined;
    if (result === undefined) return undefined;
    const marks = outputs.filter((name) => Object.hasOwn(result.outputs, name)).map((name) => [name, when]);
    const marked = { ...result, dropped: { ...Object.fromEntries(marks), ...result.dropped } };
    return { path, bytes: sealedBytes(FORMAT, resultJson(marked)), result };
  }

  /** Records a result whose objects are written. */
  commit(result: NodeResult): void {
    const path = this.#resultPath(result.key);
    guardedSync(
      "writing",
      path,
      () => Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true }),
    );
    writeSealed(this.tmp, path, FORMAT, resultJson(result));
  }

  /** The record of a result as it is kept, for other stores; undefined where there is none. */
  recordBytes(key: Digest): Uint8Array<ArrayBuffer> | undefined {
    try {
      return Deno.readFileSync(this.#resultPath(key));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw fileFault(error, "reading", this.#resultPath(key));
    }
  }

  /** Removes a result; its objects are kept until `gc`. */
  forget(key: Digest): void {
    try {
      Deno.removeSync(this.#resultPath(key));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Keys of all results: real files whose names are keys. */
  *keys(onStranger?: OnStranger): Generator<Digest> {
    for (const { digest } of digestFiles(`${this.root}/results`, ".json", onStranger)) yield digest;
  }

  /** Entries of the store's folder that do not belong to the store. */
  strangers(): Stranger[] {
    return listFolder(this.root).filter((name) => !OWN.has(name)).map((name) => ({
      path: `${this.root}/${name}`,
      why: "the store knows no such file",
    }));
  }
}

const FOLDERS = ["objects", "results", "locks", "checkpoints", "runs", "workspaces", "damaged", "tmp"];

/** Names that belong in a store's folder. */
const OWN = new Set([
  ...FOLDERS,
  ...[
    "retort-store.json",
    "store.lock",
    "records.sqlite",
    "records.sqlite-wal",
    "records.sqlite-shm",
    "records.sqlite-journal",
    "dashboard.json",
    "dashboard.lock",
    "engines.json",
    "queue",
  ],
]);

/** Where the record of a result lies in a store's folder. */
export function resultFile(key: Digest): string {
  return `results/${key.slice(0, 2)}/${key}.json`;
}

/** The result that a record holds; otherwise what is wrong with the record. */
export function resultOf(key: Digest, record: Uint8Array): NodeResult | string {
  const sealed = parseSealed(new TextDecoder().decode(record), FORMAT);
  if (sealed.state !== "ok") return sealed.why;
  const result = resultFromJson(sealed.body);
  return result?.key === key ? result : "it is not a result of this key";
}

function resultJson(result: NodeResult): JsonObject {
  return {
    ...result,
    components: result.components as unknown as JsonObject,
    outputs: Object.fromEntries(Object.entries(result.outputs).map(([name, a]) => [name, artifactJson(a)])),
    ...(result.engine === undefined ? {} : { engine: { ...result.engine } }),
    ...(result.accepted === undefined
      ? {}
      : { accepted: { ...result.accepted, changes: [...result.accepted.changes] } }),
    ...(result.dropped === undefined ? {} : { dropped: { ...result.dropped } }),
  } as unknown as JsonObject;
}

function resultFromJson(body: JsonObject): NodeResult | undefined {
  const outputs: Record<string, Artifact> = {};
  if (!isDigest(body.key) || typeof body.outputs !== "object" || body.outputs === null) return undefined;
  for (const [name, value] of Object.entries(body.outputs)) {
    const artifact = artifactFromJson(value);
    if (artifact === undefined) return undefined;
    outputs[name] = artifact;
  }
  return { ...body, outputs } as unknown as NodeResult;
}
