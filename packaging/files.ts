import { dirname, join } from "node:path";
import { COMMANDS } from "../cli/commands.ts";
import { loadCommands } from "../cli/parser.ts";
import { permissionsOf } from "../cli/tasks.ts";
import { VERSION } from "../foundation/own_package.ts";
import { type Declarations, declarationsOf } from "./declarations.ts";
import { manifestOf, type ProjectConfig } from "./manifest.ts";
import { packModules } from "./modules.ts";

/** Where the modules of the package lie. */
const ROOMS = [
  ...[
    "mod.ts",
    "foundation",
    "circuits",
    "kernels",
    "datasets",
    "teachers",
    "control",
    "stages",
    "browser",
    "runner",
    "web",
    "cli",
  ],
];

/** A package as it is packed. */
export interface PackageFiles {
  readonly name: string;
  readonly version: string;
  /** Bytes by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * All files of the package.
 *
 * @param root folder of the project.
 * @param version instead of the project's own.
 * @throws Error when an export does not name its types, or two files would have one name.
 */
export async function packageFiles(root: string, version = VERSION): Promise<PackageFiles> {
  const read = (path: string) => Deno.readTextFileSync(join(root, path));
  const config = JSON.parse(read("deno.json")) as ProjectConfig;
  const sources = ROOMS.flatMap((room) => filesIn(root, room, /\.tsx?$/));
  const modules = await packModules(root, sources, config.imports);
  const files = new Map<string, Uint8Array>();
  const add = (path: string, body: string | Uint8Array) => {
    if (files.has(path)) throw new Error(`two files of the package are called ${path}`);
    files.set(path, typeof body === "string" ? new TextEncoder().encode(body) : body);
  };
  for (const [path, text] of modules.files) add(path, text);
  const declared = publicDeclarations(root, Object.values(config.exports));
  const faults = [...declared.values()].flatMap(({ faults }) => faults);
  if (faults.length > 0) throw new Error(`exports must name their types:\n${faults.join("\n")}`);
  for (const [path, { text }] of declared) add(path.replace(/\.tsx?$/, ".d.ts"), text);
  for (const path of filesIn(root, "web", /\.(css|js)$/)) add(path, read(path));
  for (const path of filesIn(root, "templates", /./)) add(path, Deno.readFileSync(join(root, path)));
  for (const path of filesIn(root, "pipelines", /\.ts$/)) add(path, read(path));
  for (const path of ["README.md", "LICENSE", "CHANGELOG.md"]) add(path, read(path));
  add("bin/retort.js", read("packaging/bin.js"));
  add(
    "package.json",
    `${JSON.stringify(manifestOf(config, modules.dependencies, await permissions()), null, 2)}\n`,
  );
  return asVersion({ name: config.name, version: VERSION, files }, version);
}

/** The package as another version, to try an upgrade: where its manifest and its program say which they are. */
export function asVersion(packed: PackageFiles, version: string): PackageFiles {
  const said = (path: string, of: (version: string) => string): [string, Uint8Array] => {
    const text = new TextDecoder().decode(packed.files.get(path));
    const parts = text.split(of(packed.version));
    if (parts.length !== 2) throw new Error(`${path} does not say its version once`);
    return [path, new TextEncoder().encode(parts.join(of(version)))];
  };
  const changed = [
    said("package.json", (version) => `"version": "${version}"`),
    said("foundation/own_package.js", (version) => `"${version}"`),
  ];
  return { ...packed, version, files: new Map([...packed.files, ...changed]) };
}

/** The permissions of every command, by the first word of its name. */
async function permissions(): Promise<Record<string, readonly string[]>> {
  const commands = await loadCommands(Object.keys(COMMANDS));
  const groups = Map.groupBy(commands, ({ name }) => name.split(" ")[0]!);
  return {
    ...Object.fromEntries([...groups].map(([name, members]) => [name, permissionsOf(members)])),
    "": ["--allow-read", "--allow-env"],
  };
}

/** Declarations that others read, by module: of exports, and of what their declarations name. */
export function publicDeclarations(root: string, exported: readonly string[]): Map<string, Declarations> {
  const found = new Map<string, Declarations>();
  const open = exported.map((path) => join(path));
  while (open.length > 0) {
    const path = open.pop()!;
    if (found.has(path)) continue;
    const declarations = declarationsOf(path, Deno.readTextFileSync(join(root, path)));
    found.set(path, declarations);
    for (const [, target] of declarations.text.matchAll(/\b(?:from |import\()"(\.[^"]+)\.js"/g)) {
      const module = join(dirname(path), target!);
      open.push(isThere(join(root, `${module}.ts`)) ? `${module}.ts` : `${module}.tsx`);
    }
  }
  return new Map([...found].sort(([a], [b]) => a < b ? -1 : 1));
}

/** Files in a folder or file, relative to the root, in order. */
export function filesIn(root: string, place: string, kinds: RegExp): string[] {
  if (!Deno.statSync(join(root, place)).isDirectory) return kinds.test(place) ? [place] : [];
  return [...Deno.readDirSync(join(root, place))].map(({ name }) => name).sort()
    .flatMap((name) => filesIn(root, `${place}/${name}`, kinds));
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
