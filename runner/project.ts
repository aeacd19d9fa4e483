import { dirname, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import stripJsonComments from "strip-json-comments";
import type { JsonObject, JsonValue } from "../foundation/canonical.ts";
import { CallError, messageOf } from "../foundation/errors.ts";
import { isPacked, OWN_ROOT, ownManifest } from "../foundation/own_package.ts";
import { type ImportMap, importMapOf } from "./import_map.ts";

/** The project of a pipeline: what decides which packages its imports mean, here and in every process that runs its stages. */
export interface Project {
  /** Path of its `deno.json`. */
  readonly config: string;
  /** Path of its lock file. */
  readonly lock: string;
  readonly imports: ImportMap;
  /** What else of its `deno.json` counts where its code is executed. */
  readonly settings: JsonObject;
  /** Whether its packages come from Deno's cache alone, and not from folders of its own. */
  readonly isPortable: boolean;
}

/** Keys of a `deno.json` that count where code is executed, besides what its imports mean. */
const SETTINGS = ["compilerOptions", "unstable", "minimumDependencyAge"] as const;

/** What counts here of a `deno.json`. */
interface Config {
  readonly imports?: Readonly<Record<string, string>>;
  readonly scopes?: ImportMap["scopes"];
  readonly importMap?: string;
  readonly lock?: boolean | string | { readonly path?: string };
  readonly workspace?: readonly string[] | { readonly members?: readonly string[] };
  readonly nodeModulesDir?: unknown;
  readonly vendor?: unknown;
  readonly links?: unknown;
  readonly compilerOptions?: JsonObject;
  readonly unstable?: JsonValue;
  readonly minimumDependencyAge?: JsonValue;
}

/** Path of the nearest `deno.json` or `deno.jsonc` in a folder or above it. */
export function configAbove(folder: string): string | undefined {
  for (let at = resolve(folder);; at = dirname(at)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const path = resolve(at, name);
      if (isFile(path)) return path;
    }
    if (dirname(at) === at) return undefined;
  }
}

/**
 * The project of a pipeline file: that of the nearest `deno.json` above it. In a clone of Retort, a file that lies in no
 * project belongs to Retort's own.
 *
 * @throws CallError when there is none, or it cannot be used.
 */
export function projectOf(file: string): Project {
  const config = configAbove(dirname(file)) ??
    (isPacked ? undefined : fileURLToPath(new URL("deno.json", OWN_ROOT)));
  if (config === undefined) {
    throw new CallError("project/none", `${file} lies in no project: no folder above it has a deno.json`, {
      hint: "`retort init DIR` makes a project; pipelines and stages of your own lie in it.",
    });
  }
  return readProject(config);
}

/**
 * The project of a `deno.json`.
 *
 * @throws CallError when it cannot be read, or locks no packages.
 */
export function readProject(path: string): Project {
  const own = readConfig(path);
  const root = workspaceOf(path) ?? { path, config: own };
  const lock = own.lock ?? root.config.lock;
  if (lock === false) {
    throw new CallError("project/lock", `${path} says \`"lock": false\``, {
      hint: "Keys name packages by the versions that the lock file pins: take that line out.",
    });
  }
  const named = typeof lock === "string" ? lock : typeof lock === "object" ? lock.path : undefined;
  const whole = { ...root.config, ...own };
  const isNode = [root.path, path].some((config) => isFile(resolve(dirname(config), "package.json")));
  const inRoot = mapIn(root.path, root.config);
  const inOwn = root.path === path ? inRoot : mapIn(path, own);
  return {
    config: path,
    lock: resolve(dirname(root.path), named ?? "deno.lock"),
    imports: {
      imports: { ...nodeDependencies(dirname(path)), ...inRoot.imports, ...inOwn.imports },
      scopes: { ...inRoot.scopes, ...inOwn.scopes },
    },
    settings: Object.fromEntries(
      SETTINGS.flatMap((key): [string, JsonValue][] => whole[key] === undefined ? [] : [[key, whole[key]]]),
    ),
    isPortable: (whole.nodeModulesDir ?? (isNode ? "manual" : "none")) === "none" &&
      whole.vendor !== true && whole.links === undefined,
  };
}

/** Whether this is the project of Retort's own clone. */
export function isOwnProject(project: Project): boolean {
  return project.config === fileURLToPath(new URL("deno.json", OWN_ROOT));
}

/**
 * The import map with which Retort's clone works for another project: Retort's own modules keep what Retort says, all others
 * follow the project.
 */
export function joinedMap(map: ImportMap): ImportMap {
  const own = importMapOf(ownManifest(), new URL("deno.json", OWN_ROOT));
  return { ...map, scopes: { ...map.scopes, [OWN_ROOT.href]: own.imports } };
}

/** The root of the workspace that a project is a member of. */
function workspaceOf(path: string): { readonly path: string; readonly config: Config } | undefined {
  const folder = dirname(path);
  for (let at = dirname(folder); dirname(at) !== at; at = dirname(at)) {
    const above = configAbove(at);
    if (above === undefined) return undefined;
    at = dirname(above);
    const config = readConfig(above);
    const { workspace = [] } = config;
    const members = "members" in workspace ? workspace.members ?? [] : workspace as readonly string[];
    const inside = relative(at, folder);
    const names = members.map((member) => relative(at, resolve(at, member)));
    if (names.some((name) => name === inside || name.endsWith("/*") && dirname(inside) === dirname(name))) {
      return { path: above, config };
    }
  }
  return undefined;
}

/** The import map of a `deno.json`, which may stand in a file of its own. */
function mapIn(path: string, config: Config): ImportMap {
  if (config.importMap === undefined) return importMapOf(config, pathToFileURL(path));
  const file = resolve(dirname(path), config.importMap);
  return importMapOf(readConfig(file), pathToFileURL(file));
}

/** The packages of a `package.json` beside a `deno.json`: Deno takes their names as well. */
function nodeDependencies(folder: string): Record<string, string> {
  const path = resolve(folder, "package.json");
  if (!isFile(path)) return {};
  const { dependencies = {}, devDependencies = {} } = readConfig(path) as {
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  return Object.fromEntries(
    Object.entries({ ...devDependencies, ...dependencies }).map((
      [name, range],
    ) => [name, range.startsWith("npm:") ? range : `npm:${name}@${range}`]),
  );
}

function readConfig(path: string): Config {
  try {
    const value = JSON.parse(stripJsonComments(Deno.readTextFileSync(path), { trailingCommas: true }));
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new Error("it is no object");
    }
    return value;
  } catch (error) {
    throw new CallError("project/config", `cannot read ${path}: ${messageOf(error)}`, {
      hint: "It says what the imports of the project's pipelines mean: mend it, then repeat the command.",
    });
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
