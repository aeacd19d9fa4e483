import { fileURLToPath } from "node:url";
import { byCodeUnit, type Digest, digestBytes, digestJson } from "../foundation/canonical.ts";
import { messageOf, RetortError } from "../foundation/errors.ts";
import { isOwn } from "../foundation/own_package.ts";
import { Bundler, METHOD } from "./bundle.ts";
import { relativeTo, type StagePlace, stagePlaceOf } from "./declaration.ts";
import type { Packages } from "./packages.ts";
import type { StageDefinition } from "./stage.ts";

/** The computed identity of a stage's code. */
export interface CodeFingerprint {
  /** sha256 of the stage's tree-shaken code without comments and format, or of the pinned `version`. */
  readonly digest: Digest;
  /** npm packages that the bundle imports: name -> version and a digest of its locked closure. */
  readonly packages: Readonly<Record<string, string>>;
  /** Digest of what each local module contributes to the bundle, by path relative to the stage's module. */
  readonly modules: Readonly<Record<string, Digest>>;
  /** Digests of the files that the stage names in `sources`, by path relative to its module. */
  readonly sources?: Readonly<Record<string, Digest>>;
}

/** Caches fingerprints between runs; valid while no local module of the stage's graph changes. */
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

/** Computes code fingerprints; one bundler service for all, started when the first is needed. */
export class Fingerprinter implements AsyncDisposable {
  readonly #packages: Packages;
  readonly #cache: FingerprintCache;
  readonly #fileDigests = new Map<string, Digest | undefined>();
  readonly #results = new Map<StageDefinition, Promise<CodeFingerprint>>();
  readonly #bundler: Bundler;

  constructor(packages: Packages, cache: FingerprintCache) {
    this.#packages = packages;
    this.#bundler = new Bundler(packages);
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

  /**
   * The local files with which a stage runs at another place, by path; none where its module is Retort's own.
   *
   * @returns undefined where it cannot be told which they are: see {@link moduleFiles}.
   */
  async filesOf(stage: StageDefinition): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined> {
    const { module } = await stagePlaceOf(stage);
    if (isOwn(module)) return new Map();
    return await this.#bundler.files(module, stage.sources.map((url) => fileURLToPath(url)));
  }

  /** Stops the bundler service, if it was started. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bundler[Symbol.asyncDispose]();
  }

  async #compute(stage: StageDefinition): Promise<CodeFingerprint> {
    const place = await stagePlaceOf(stage);
    const sources = Object.fromEntries(stage.sources.map((url) => {
      const path = fileURLToPath(url);
      const digest = this.#digest(path);
      if (digest === undefined) {
        throw new RetortError(
          "stage/fingerprint",
          `stage \`${stage.name}\`: its source ${path} cannot be read`,
        );
      }
      return [relativeTo(place, path), digest];
    }));
    if (stage.version !== undefined) {
      return { digest: digestJson({ version: stage.version, sources }), packages: {}, modules: {}, sources };
    }
    const id = digestJson([METHOD, place.module, place.path[0]!]);
    const cached = this.#cache.get(id);
    let code: CodeFingerprint;
    if (cached !== undefined && this.#unchanged(place, cached)) code = cached.fingerprint;
    else {
      const fresh = await this.#bundle(stage, place);
      this.#cache.set(id, fresh);
      code = fresh.fingerprint;
    }
    // Stages of one exported list share its code.
    const inside = place.path.slice(1);
    if (stage.sources.length === 0 && inside.length === 0) return code;
    return {
      digest: digestJson([code.digest, sources, inside]),
      packages: code.packages,
      modules: code.modules,
      ...(stage.sources.length === 0 ? {} : { sources }),
    };
  }

  #unchanged(place: StagePlace, cached: CachedFingerprint): boolean {
    if (cached.packages !== this.#packages.digest) return false;
    const folder = new URL(".", place.module);
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

  async #bundle(stage: StageDefinition, place: StagePlace): Promise<CachedFingerprint> {
    let bundle;
    try {
      bundle = await this.#bundler.bundle(place.module, place.path[0]!);
    } catch (error) {
      const path = fileURLToPath(place.module);
      throw new RetortError(
        "stage/fingerprint",
        `cannot fingerprint stage \`${stage.name}\` (${path}): ${messageOf(error)}`,
        {
          cause: error,
          hint: "Every import must be resolvable; or pin the stage's code by hand with `version`.",
        },
      );
    }
    const { digest, modules } = bundle;
    const packages = Object.fromEntries(
      bundle.packages.map((target) => this.#packages.locked(target)).sort(([a], [b]) => byCodeUnit(a, b)),
    );
    return {
      fingerprint: { digest, packages, modules },
      files: Object.fromEntries(
        bundle.files.map((file) => [relativeTo(place, file), this.#digest(file) ?? ""]),
      ),
      packages: this.#packages.digest,
    };
  }
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
