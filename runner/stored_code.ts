import { dirname, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { canonicalText, type Digest, type JsonObject } from "../foundation/canonical.ts";
import { isOwn, isPacked, OWN_ROOT, ownPath } from "../foundation/own_package.ts";
import { stagePlaceOf } from "./declaration.ts";
import type { Fingerprinter } from "./fingerprint.ts";
import type { ImportMap } from "./import_map.ts";
import { joinedMap, type Project } from "./project.ts";
import type { StageDefinition } from "./stage.ts";
import type { Store } from "./store/store.ts";

/** An object of the store. */
export interface StoredFile {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * The code of a pipeline's stages as a store keeps it for workers elsewhere: the files of their modules, and by which packages and settings
 * of their project they are executed. URLs begin with `code:` below the folder of the files, and with `retort:` below that of Retort.
 */
export interface StoredCode {
  readonly imports: ImportMap;
  readonly settings: JsonObject;
  readonly lock: StoredFile;
  /** By path in their folder. */
  readonly files: Readonly<Record<string, StoredFile>>;
}

/** The code of one stage. */
export interface JobCode {
  /** The object that holds it, a {@link StoredCode}. */
  readonly stored: StoredFile;
  /** URL of the stage's module there. */
  readonly module: string;
}

/** Stores the code of the stages of a run. */
export class CodeStore {
  readonly #store: Store;
  readonly #project: Project;
  readonly #fingerprinter: Fingerprinter;
  /** Files of all stages, as they were first read. */
  readonly #files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #codes = new Map<StageDefinition, Promise<JobCode | undefined>>();

  constructor(store: Store, project: Project, fingerprinter: Fingerprinter) {
    this.#store = store;
    this.#project = project;
    this.#fingerprinter = fingerprinter;
  }

  /** The code of a stage; undefined where it cannot be taken from its place. */
  async of(stage: StageDefinition): Promise<JobCode | undefined> {
    await this.keep([stage]);
    return await this.#codes.get(stage);
  }

  /** Stores the code of stages as it is now. */
  async keep(stages: Iterable<StageDefinition>): Promise<void> {
    const open = [...new Set(stages)].filter((stage) => !this.#codes.has(stage));
    const keeping = this.#keep(open);
    // Who asks for one meanwhile waits for all of them.
    for (const stage of open) this.#codes.set(stage, keeping.then((codes) => codes.get(stage)));
    await keeping;
  }

  async #keep(stages: readonly StageDefinition[]): Promise<ReadonlyMap<StageDefinition, JobCode>> {
    const modules = new Map<StageDefinition, string>();
    for (const stage of stages) {
      const files = this.#project.isPortable ? await this.#fingerprinter.filesOf(stage) : undefined;
      if (files === undefined) continue;
      for (const [path, bytes] of files) if (!this.#files.has(path)) this.#files.set(path, bytes);
      modules.set(stage, (await stagePlaceOf(stage)).module);
    }
    if (modules.size === 0) return new Map();
    const { config, lock, imports, settings } = this.#project;
    const root = commonFolder([config, ...this.#files.keys()]);
    const rootUrl = pathToFileURL(`${root}/`).href;
    const portable = (url: string) =>
      isOwn(url) || url === OWN_ROOT.href
        ? `retort:${ownPath(url)}`
        : url.startsWith(rootUrl)
        ? `code:${url.slice(rootUrl.length)}`
        : url;
    await using batch = this.#store.blobs.batch();
    const files: Record<string, StoredFile> = {};
    for (const [path, bytes] of this.#files) files[relative(root || "/", path)] = await batch.write(bytes);
    const code: StoredCode = {
      imports: mapUrls(imports, portable),
      settings,
      lock: await batch.write(await Deno.readFile(lock)),
      files,
    };
    const bytes = new TextEncoder().encode(canonicalText(code as unknown as JsonObject));
    const stored = await batch.write(bytes);
    await batch.done();
    return new Map([...modules].map(([stage, module]) => [stage, { stored, module: portable(module) }]));
  }
}

/**
 * What a `deno.json` says by which stored code is executed.
 *
 * @param folder of its files.
 * @param lock path of its lock file.
 */
export function configOf({ imports, settings }: StoredCode, folder: string, lock: string): JsonObject {
  const map = mapUrls(imports, (url) => localUrl(url, folder));
  // A package finds its own packages itself.
  return { ...settings, ...(isPacked ? map : joinedMap(map)), lock, nodeModulesDir: "none" };
}

/**
 * What a URL of stored code is here.
 *
 * @param folder of its files.
 */
export function localUrl(url: string, folder: string): string {
  const [, scheme, path] = /^(code|retort):(.*)$/.exec(url) ?? [];
  if (path === undefined) return url;
  return new URL(`./${path}`, scheme === "code" ? pathToFileURL(`${folder}/`) : OWN_ROOT).href;
}

/** The objects of the store that hold some code, itself included; itself alone where it cannot be read. */
export function codeObjects(store: Store, named: StoredFile): Digest[] {
  try {
    const { lock, files }: StoredCode = JSON.parse(Deno.readTextFileSync(store.blobs.path(named.digest)));
    return [named.digest, lock.digest, ...Object.values(files).map(({ digest }) => digest)];
  } catch {
    return [named.digest];
  }
}

function mapUrls({ imports, scopes }: ImportMap, change: (url: string) => string): ImportMap {
  const targets = (names: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(names).map(([name, target]) => [name, change(target)]));
  return {
    imports: targets(imports),
    scopes: Object.fromEntries(
      Object.entries(scopes).map(([scope, names]) => [change(scope), targets(names)]),
    ),
  };
}

/** The innermost folder that holds all files. */
function commonFolder([first, ...others]: readonly string[]): string {
  let folder = dirname(first!);
  while (!others.every((path) => path.startsWith(`${folder}/`)) && folder !== "/") folder = dirname(folder);
  return folder === "/" ? "" : folder;
}
