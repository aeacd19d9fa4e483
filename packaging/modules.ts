import { dirname, extname, relative, resolve } from "node:path";
import * as esbuild from "esbuild";

/** Files of modules as the package holds them. */
export interface PackedModules {
  /** Texts by path in the package. */
  readonly files: ReadonlyMap<string, string>;
  /** Exact versions of the packages that the modules import, by name, sorted. */
  readonly dependencies: Readonly<Record<string, string>>;
}

/** The packages that bare names mean: an import map of `npm:NAME@VERSION`. */
export type ExactImports = Readonly<Record<string, string>>;

/** The name of a source in the package. */
export function packedName(path: string): string {
  return path.replace(/\.tsx?$/, ".js");
}

/**
 * Modules as JavaScript, each a file of its own, so that stages keep fingerprints of their own. Types are taken away, files
 * imported as text stand inside, and syntax that Node 22 lacks (`using`) is written in older words.
 *
 * @param root folder of the project.
 * @param paths of the sources, relative to it.
 * @param imports of the project.
 * @throws Error when a module imports a package that the map does not name with an exact version.
 */
export async function packModules(
  root: string,
  paths: readonly string[],
  imports: ExactImports,
): Promise<PackedModules> {
  const packages = new Map<string, string>();
  try {
    const built = await esbuild.build({
      entryPoints: paths.map((path) => resolve(root, path)),
      outdir: root,
      outbase: root,
      absWorkingDir: root,
      bundle: true,
      write: false,
      format: "esm",
      platform: "neutral",
      target: "node22",
      charset: "utf8",
      legalComments: "none",
      jsx: "automatic",
      jsxImportSource: "preact",
      tsconfigRaw: {},
      logLevel: "silent",
      plugins: [{ name: "package", setup: (build) => apart(build, root, imports, packages) }],
    });
    const files = built.outputFiles.map((file) => [relative(root, file.path), file.text] as const);
    return { files: new Map(files), dependencies: Object.fromEntries([...packages].sort()) };
  } finally {
    await esbuild.stop();
  }
}

/** Keeps modules apart: what one imports is named as the package has it; only texts are taken in. */
function apart(
  build: esbuild.PluginBuild,
  root: string,
  imports: ExactImports,
  packages: Map<string, string>,
): void {
  build.onResolve({ filter: /.*/ }, (args) => {
    if (args.kind === "entry-point") return undefined;
    if (args.with.type === "text") {
      return { path: relative(root, resolve(dirname(args.importer), args.path)), namespace: "text" };
    }
    if (args.path.startsWith(".")) return { path: packedName(args.path), external: true };
    if (args.path.startsWith("node:")) return { path: args.path, external: true };
    const { name, version, path } = npmImport(args.path, imports);
    packages.set(name, version);
    return { path, external: true };
  });
  build.onLoad({ filter: /.*/, namespace: "text" }, async ({ path }) => ({
    contents: await Deno.readTextFile(resolve(root, path)),
    loader: "text",
  }));
  build.onLoad({ filter: /\.tsx?$/ }, async ({ path }) => ({
    contents: (await Deno.readTextFile(path)).replaceAll(
      /(?<=\bnew URL\("\.[^"]*)\.tsx?(?=", import\.meta\.url\))/g,
      ".js",
    ),
    loader: extname(path) === ".tsx" ? "tsx" : "ts",
  }));
}

/**
 * What a bare import means on npm, where a package is imported by its own name.
 *
 * @throws Error when the map does not name it with an exact version.
 */
export function npmImport(
  specifier: string,
  imports: ExactImports,
): { readonly name: string; readonly version: string; readonly path: string } {
  const key = Object.keys(imports).find((key) => specifier === key || specifier.startsWith(`${key}/`));
  const [, name, version] = /^npm:((?:@[^/@]+\/)?[^/@]+)@(\d[^/]*)$/.exec(imports[key ?? ""] ?? "") ?? [];
  if (key === undefined || name === undefined || version === undefined) {
    throw new Error(`deno.json does not name the package of "${specifier}" with an exact version`);
  }
  return { name, version, path: name + specifier.slice(key.length) };
}
