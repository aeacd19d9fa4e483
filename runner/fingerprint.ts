import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as esbuild from "esbuild";
import {
  byCodeUnit,
  type Digest,
  digestBytes,
  digestJson,
  type JsonObject,
} from "../foundation/canonical.ts";
import { messageOf, RetortError } from "../foundation/errors.ts";
import type { Packages } from "./packages.ts";
import type { StageDefinition } from "./stage.ts";

/** The computed identity of a stage's code. */
export interface CodeFingerprint {
  /** sha256 of the stage's tree-shaken bundle without comments, or of the pinned `version`. */
  readonly digest: Digest;
  /** npm packages that the bundle imports: name -> version and a digest of its locked closure. */
  readonly packages: Readonly<Record<string, string>>;
  /** Digest of what each local module contributes to the bundle, by path relative to the stage's module. */
  readonly modules: Readonly<Record<string, Digest>>;
}

/** Keeps fingerprints between runs: valid as long as no local module of the stage's graph changed. */
export interface FingerprintCache {
  get(id: string): CachedFingerprint | undefined;
  set(id: string, value: CachedFingerprint): void;
}

/** A fingerprint with the raw digests of all files that it was computed from. */
export interface CachedFingerprint {
  readonly fingerprint: CodeFingerprint;
  /** sha256 of every local file that the bundler read, by path relative to the stage's module. */
  readonly files: Readonly<Record<string, Digest>>;
  /** Digest of the import map and the lock file. */
  readonly packages: Digest;
}

/** Names the bundler and the rules below: another one makes other texts. */
const METHOD = "esbuild-0.28.2/1";

const STAGE_MODULE = new URL("./stage.ts", import.meta.url).href;

/** Computes code fingerprints; one bundler service for all, started when the first is needed. */
export class Fingerprinter {
  readonly #packages: Packages;
  readonly #cache: FingerprintCache;
  readonly #fileDigests = new Map<string, Digest | undefined>();
  readonly #results = new Map<StageDefinition, Promise<CodeFingerprint>>();
  #bundler: typeof esbuild | undefined;

  constructor(packages: Packages, cache: FingerprintCache) {
    this.#packages = packages;
    this.#cache = cache;
  }

  /**
   * The fingerprint of a stage's code.
   *
   * @throws RetortError when the stage's module cannot be bundled.
   */
  of(stage: StageDefinition): Promise<CodeFingerprint> {
    let result = this.#results.get(stage);
    if (result === undefined) this.#results.set(stage, result = this.#compute(stage));
    return result;
  }

  /** Ends the bundler service, if one was started. */
  async close(): Promise<void> {
    await this.#bundler?.stop();
    this.#bundler = undefined;
  }

  async #compute(stage: StageDefinition): Promise<CodeFingerprint> {
    const sources = Object.fromEntries(stage.sources.map((url) => {
      const path = fileURLToPath(url);
      const digest = this.#digest(path);
      if (digest === undefined) {
        throw new RetortError(`stage \`${stage.name}\`: its source ${path} cannot be read`);
      }
      return [relativeTo(stage, path), digest];
    }));
    if (stage.version !== undefined) {
      return { digest: digestJson({ version: stage.version, sources }), packages: {}, modules: sources };
    }
    const exported = await exportName(stage);
    const id = digestJson([METHOD, stage.module, exported ?? null]);
    const cached = this.#cache.get(id);
    let code: CodeFingerprint;
    if (cached !== undefined && this.#unchanged(stage, cached)) code = cached.fingerprint;
    else {
      const fresh = await this.#bundle(stage, exported);
      this.#cache.set(id, fresh);
      code = fresh.fingerprint;
    }
    if (stage.sources.length === 0) return code;
    return {
      digest: digestJson([code.digest, sources]),
      packages: code.packages,
      modules: { ...code.modules, ...sources },
    };
  }

  #unchanged(stage: StageDefinition, cached: CachedFingerprint): boolean {
    if (cached.packages !== this.#packages.digest) return false;
    const folder = new URL(".", stage.module);
    return Object.entries(cached.files).every(([path, digest]) =>
      this.#digest(fileURLToPath(new URL(encodePath(path), folder))) === digest
    );
  }

  #digest(path: string): Digest | undefined {
    if (!this.#fileDigests.has(path)) {
      let digest: Digest | undefined;
      try {
        digest = digestBytes(Deno.readFileSync(path));
      } catch {
        digest = undefined;
      }
      this.#fileDigests.set(path, digest);
    }
    return this.#fileDigests.get(path);
  }

  async #bundle(stage: StageDefinition, exported: string | undefined): Promise<CachedFingerprint> {
    this.#bundler ??= await import("esbuild");
    const path = fileURLToPath(stage.module);
    const folder = fileURLToPath(new URL(".", stage.module));
    const files = new Map<string, Digest>();
    const external = new Set<string>();
    const name = JSON.stringify(`./${path.slice(folder.length)}`);
    let built;
    try {
      built = await this.#bundler.build({
        stdin: {
          contents: exported === undefined
            ? `export * from ${name};`
            : `export { ${exported} as stage } from ${name};`,
          resolveDir: folder,
          sourcefile: "<stage>",
        },
        absWorkingDir: folder,
        bundle: true,
        write: false,
        metafile: true,
        minify: false,
        treeShaking: true,
        legalComments: "none",
        format: "esm",
        platform: "neutral",
        target: "esnext",
        charset: "utf8",
        logLevel: "silent",
        plugins: [this.#plugin(files, external)],
      });
    } catch (error) {
      throw new RetortError(`cannot fingerprint stage \`${stage.name}\` (${path}): ${messageOf(error)}`, {
        cause: error,
        hint: "Every import must be resolvable; or pin the stage's code by hand with `version`.",
      });
    }
    const text = built.outputFiles[0]!.text;
    const output = Object.values(built.metafile.outputs)[0]!;
    const { code, modules } = splitModules(text, Object.keys(output.inputs));
    // Only packages that the shaken bundle still imports count.
    const used = [...external].filter((target) =>
      output.imports.some((entry) => entry.path === target) && target.startsWith("npm:")
    );
    return {
      fingerprint: {
        digest: digestJson([METHOD, code]),
        packages: Object.fromEntries(
          used.map((target) => this.#packages.locked(target)).sort(([a], [b]) => byCodeUnit(a, b)),
        ),
        modules,
      },
      files: Object.fromEntries([...files].map(([file, digest]) => [relativeTo(stage, file), digest])),
      packages: this.#packages.digest,
    };
  }

  /** Resolves as the runtime does: the import map for bare names, packages and built-ins left outside. */
  #plugin(files: Map<string, Digest>, external: Set<string>): esbuild.Plugin {
    const packages = this.#packages;
    const digestOf = (path: string) => this.#digest(path);
    return {
      name: "retort",
      setup(build) {
        build.onResolve({ filter: /.*/ }, (args) => {
          if (args.kind === "entry-point") return undefined;
          const importer = args.importer === "<stage>" ? `${args.resolveDir}/<stage>` : args.importer;
          const target = /^\.{0,2}\//.test(args.path)
            ? new URL(args.path, pathToFileURL(importer)).href
            : packages.resolve(args.path) ??
              (URL.canParse(args.path) ? args.path : import.meta.resolve(args.path));
          // How stages are declared is the runner's own matter: the format of keys stands for it.
          if (target === STAGE_MODULE) return { path: target, external: true, sideEffects: false };
          if (target.startsWith("file:")) return { path: fileURLToPath(target) };
          external.add(target);
          return { path: target, external: true, sideEffects: false };
        });
        build.onLoad({ filter: /.*/ }, async (args) => {
          files.set(args.path, digestOf(args.path) ?? "");
          const kind = args.with.type;
          if (kind === "text") return { contents: await Deno.readTextFile(args.path), loader: "text" };
          if (kind === "bytes") return { contents: await Deno.readFile(args.path), loader: "binary" };
          return undefined;
        });
      },
    };
  }
}

/**
 * The bundle's text without the lines that name the modules, and a digest of each module's part.
 * esbuild writes `// path` before each module's part; what precedes the first is its own helpers.
 */
function splitModules(
  text: string,
  inputs: readonly string[],
): { code: string; modules: Record<string, Digest> } {
  const markers = new Map(inputs.map((input) => [`// ${input}`, input]));
  const parts = new Map<string, string[]>();
  const code: string[] = [];
  let part: string[] = [];
  for (const line of text.split("\n")) {
    const input = markers.get(line);
    if (input === undefined) {
      code.push(line);
      part.push(line);
      continue;
    }
    part = parts.get(input) ?? [];
    parts.set(input, part);
  }
  const modules: JsonObject = {};
  for (const [input, lines] of parts) modules[input] = digestBytes(lines.join("\n"));
  return { code: code.join("\n"), modules: modules as Record<string, Digest> };
}

/** The name under which a stage's module exports it; undefined when it does not. */
async function exportName(stage: StageDefinition): Promise<string | undefined> {
  const module = await import(stage.module) as Record<string, unknown>;
  return Object.keys(module).find((name) => {
    const value = module[name];
    return typeof value === "function" && "definition" in value && value.definition === stage;
  });
}

function relativeTo(stage: StageDefinition, path: string): string {
  return relative(fileURLToPath(new URL(".", stage.module)), path);
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
