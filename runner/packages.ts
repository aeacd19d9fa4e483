import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { byCodeUnit, type Digest, digestJson, type JsonObject } from "../foundation/canonical.ts";
import { CallError, messageOf } from "../foundation/errors.ts";
import {
  isOwn,
  isPacked,
  OWN_ROOT,
  ownExport,
  ownManifest,
  PACKAGE_NAME,
  VERSION,
} from "../foundation/own_package.ts";
import { type ImportMap, importMapOf, mapped } from "./import_map.ts";
import { isOwnProject, type Project } from "./project.ts";

interface LockedPackage {
  integrity?: string;
  dependencies?: string[];
  optionalDependencies?: string[];
  optionalPeers?: string[];
}

/** What counts here of a lock file. */
interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, LockedPackage>>;
}

/** Formats of lock files that are understood. */
const LOCK_VERSIONS = ["3", "4", "5"];

/** What a project says of packages: which versions are locked, and what imports of its modules and of Retort's mean. */
export class Packages {
  readonly #project: ImportMap;
  readonly #own: ImportMap;
  readonly #lock: Lock;
  readonly #path: string;
  /** sha256 over import map and lock file: as long as it stays, all answers stay. */
  readonly digest: Digest;

  private constructor(project: Project, lock: Lock) {
    this.#project = project.imports;
    this.#own = importMapOf(ownManifest(), new URL("deno.json", OWN_ROOT));
    this.#lock = lock;
    this.#path = project.lock;
    this.digest = digestJson({
      project: this.#project as unknown as JsonObject,
      own: this.#own.imports,
      lock: lock as unknown as JsonObject,
    });
  }

  /**
   * Reads a project's lock file.
   *
   * @throws CallError when it is missing, cannot be read, or names another version of Retort than this one.
   */
  static load(project: Project): Packages {
    const lock = readLock(project.lock);
    const own = fileURLToPath(new URL("deno.lock", OWN_ROOT));
    // A clone's own packages may not yet stand in the lock file of the project that it works for.
    const below = isPacked || isOwnProject(project) ? { specifiers: {}, npm: {} } : readLock(own);
    checkVersions(project, lock);
    return new Packages(project, {
      specifiers: { ...below.specifiers, ...lock.specifiers },
      npm: { ...below.npm, ...lock.npm },
    });
  }

  /**
   * What a specifier that is no path means: an `npm:`, `node:` or other URL; the file URL of a module of Retort's own.
   * Undefined when no import map knows it.
   *
   * @param importer file URL of the module that imports it.
   * @throws CallError when Retort has no such export.
   */
  resolve(specifier: string, importer: string): string | undefined {
    const target = mapped(isOwn(importer) ? this.#own : this.#project, specifier, importer);
    const own = ownExport(target ?? specifier);
    if (own === undefined) return target;
    if (own.module === null) {
      const names = Object.keys(ownManifest().exports).map((name) => name.replace(/^\./, "retort"));
      throw new CallError("project/import", `there is no \`${specifier}\``, {
        hint: `Retort has ${names.join(", ")}.`,
      });
    }
    return own.module.href;
  }

  /** Locked versions of the npm packages that the import map names. */
  versions(): Record<string, string> {
    const npm = Object.values(this.#project.imports)
      .filter((target) => target.startsWith("npm:") && ownExport(target) === undefined);
    const locked = npm.map((target) => this.locked(target)).map((
      [name, version],
    ) => [name, version.split(" ")[0]!]);
    return Object.fromEntries(locked.sort(([a], [b]) => byCodeUnit(a!, b!)));
  }

  /**
   * The locked version of an `npm:` specifier with a digest over its integrity and that of all that
   * it depends on: `["zod", "4.6.7 3f2a…"]`.
   *
   * @throws CallError when it is not locked.
   */
  locked(specifier: string): [name: string, version: string] {
    const [, name, range] = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)(?:@([^/]+))?/.exec(specifier) ?? [];
    if (name === undefined) {
      throw new CallError("stage/packages", `cannot read the npm specifier ${specifier}`);
    }
    const found = this.#lockedId(name, range);
    if (found === undefined) {
      const plain = `npm:${name}${range === undefined ? "" : `@${range}`}`;
      if (isPacked && ownManifest().imports[name] === plain) throw this.#unwanted(plain);
      throw new CallError("project/lock", `${this.#path} does not lock ${plain}`, {
        hint:
          "Keys name packages by locked versions. `deno install` locks all that deno.json names; is the file " +
          "that of another project?",
      });
    }
    const closure: Record<string, string> = {};
    const stack = [found];
    while (stack.length > 0) {
      const id = stack.pop()!;
      if (Object.hasOwn(closure, id)) continue;
      const entry = this.#lock.npm[id];
      closure[id] = entry?.integrity ?? "";
      for (const dependency of [...entry?.dependencies ?? [], ...entry?.optionalDependencies ?? []]) {
        const next = this.#dependencyId(dependency);
        if (next !== undefined) stack.push(next);
      }
    }
    return [name, `${found.slice(name.length + 1).split("_")[0]} ${digestJson(closure).slice(0, 16)}`];
  }

  /** Retort's own packages are locked with it, but for those of data that few need. */
  #unwanted(specifier: string): CallError {
    const what = `${this.#path} does not lock ${specifier}, which a stage of Retort needs`;
    return new CallError("project/package", what, {
      hint: `It holds data that not every project wants: \`deno add ${specifier}\` adds it to this one.`,
    });
  }

  /** The locked package that a name with a range of versions means. */
  #lockedId(name: string, range: string | undefined): string | undefined {
    const { specifiers, npm } = this.#lock;
    const asked = specifiers[range === undefined ? `npm:${name}` : `npm:${name}@${range}`];
    if (asked !== undefined) return `${name}@${asked}`;
    // What Retort's own modules import by exact version is no specifier of the project.
    if (range !== undefined && /^\d/.test(range)) {
      return Object.keys(npm).find((id) => id === `${name}@${range}` || id.startsWith(`${name}@${range}_`));
    }
    const any = Object.entries(specifiers).find(([key]) => key.startsWith(`npm:${name}@`))?.[1];
    return any === undefined ? undefined : `${name}@${any}`;
  }

  /** The lock file names a dependency by name alone where only one version of it is locked. */
  #dependencyId(dependency: string): string | undefined {
    const { npm } = this.#lock;
    if (Object.hasOwn(npm, dependency)) return dependency;
    return Object.keys(npm).filter((id) => id.startsWith(`${dependency}@`)).sort(byCodeUnit)[0];
  }
}

/** @throws CallError when the file is missing, damaged, or of a format of another time. */
function readLock(path: string): Lock {
  let lock: { version?: unknown; specifiers?: Lock["specifiers"]; npm?: Lock["npm"] };
  try {
    lock = JSON.parse(readFileSync(path, "utf8"));
    if (typeof lock !== "object" || lock === null) throw new Error("it is no object");
  } catch (error) {
    throw new CallError("project/lock", `cannot read the lock file ${path}: ${messageOf(error)}`, {
      hint: "Keys name packages by the versions that it pins. Take it from your repository, or remove it: " +
        "`deno install` writes a new one.",
    });
  }
  if (!LOCK_VERSIONS.includes(String(lock.version))) {
    throw new CallError(
      "project/lock",
      `the lock file ${path} has format ${JSON.stringify(lock.version)}, expected ${
        LOCK_VERSIONS.join(", ")
      }`,
      {
        hint:
          "Another program or another version of Deno wrote it. Remove it: `deno install` writes a new one.",
      },
    );
  }
  return { specifiers: lock.specifiers ?? {}, npm: lock.npm ?? {} };
}

/** @throws CallError when a project names another Retort than the one that runs it. */
function checkVersions(project: Project, lock: Lock): void {
  const versions = new Set(
    Object.keys(lock.npm).filter((id) => id.startsWith(`${PACKAGE_NAME}@`))
      .map((id) => id.slice(PACKAGE_NAME.length + 1).split("_")[0]!),
  );
  for (const target of Object.values(project.imports.imports)) {
    const version = ownExport(target)?.version;
    if (version !== undefined && /^\d+\.\d+\.\d+$/.test(version)) versions.add(version);
    if (!target.startsWith("file:") || isOwn(target)) continue;
    const copy = copyAt(new URL(target));
    if (copy !== undefined) versions.add(`${copy.version} in ${copy.folder}`);
  }
  versions.delete(isPacked ? VERSION : "");
  const [other, ...more] = versions;
  if (other === undefined) return;
  const here = isPacked ? VERSION : `${VERSION} in ${fileURLToPath(OWN_ROOT)}`;
  throw new CallError(
    "project/two-versions",
    `two versions of Retort: ${project.config} names ${[other, ...more].join(" and ")}, ` +
      `the command is of ${here}`,
    {
      hint:
        "Stages and codecs of one are strangers to the other. Use the project's own command (`deno task run`), and " +
        "one version in deno.json and in what it depends on.",
    },
  );
}

/** The copy of Retort that a module belongs to. */
function copyAt(module: URL): { readonly folder: string; readonly version: string } | undefined {
  try {
    for (let folder = new URL(".", module);; folder = new URL("../", folder)) {
      try {
        const { name, version } = JSON.parse(readFileSync(new URL("deno.json", folder), "utf8"));
        return name === PACKAGE_NAME && folder.href !== OWN_ROOT.href
          ? { folder: fileURLToPath(folder), version }
          : undefined;
      } catch {
        if (folder.pathname === "/") return undefined;
      }
    }
  } catch {
    return undefined;
  }
}
