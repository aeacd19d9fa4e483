/** The library as npm has it, and the suites as programs of other runtimes. */
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin, stop } from "esbuild";
import { ROOT } from "../root.ts";

/** Name of the package. */
export const NAME = "@retort/retort";
/** Public modules by their source. */
const MODULES: Readonly<Record<string, string>> = {
  "circuits/mod.ts": "circuits",
  "kernels/mod.ts": "engines",
  "kernels/kmeans/mod.ts": "kmeans",
};

/** What threads load. */
const WORKERS = ["kernels/webgpu/worker.ts", "kernels/gates/worker.ts"];

/** A runtime by its npm package, and whether it runs TypeScript and `await using` as they stand. */
export const RUNTIMES = [
  { title: "Node 22", program: "node@22.23.3", modern: false },
  { title: "Bun", program: "bun@1.4.5", modern: true },
] as const;

/** Runs a program in a runtime and returns what it printed. */
export async function runIn(program: string, args: readonly string[], cwd: string) {
  const { success, stdout, stderr } = await new Deno.Command("npx", {
    args: ["--yes", program, ...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const wgsl: Plugin = {
  name: "wgsl",
  setup: (builder) =>
    builder.onLoad({ filter: /\.wgsl$/ }, async ({ path }) => ({
      contents: await Deno.readTextFile(path),
      loader: "text",
    })),
};

/** Makes a folder in which programs of Node and Bun find the library, and `more` packages by their versions. */
export async function installLibrary(
  folder: string,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { outputFiles, metafile } = await build({
    entryPoints: [...Object.keys(MODULES), ...WORKERS].map((path) => `${ROOT}/${path}`),
    outdir: `${folder}/node_modules/${NAME}`,
    outbase: ROOT,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    target: "node22",
    logLevel: "silent",
    metafile: true,
    write: false,
    plugins: [wgsl],
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.flatMap(({ path, external }) => external && !path.startsWith("node:") ? [nameOf(path)] : [])
  );
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    imports: Record<string, string>;
  };
  const versions = [...new Set([...imported, "fast-check"])].map((
    name,
  ) => [name, imports[name]!.split("@").at(-1)!]);
  const dependencies = { ...Object.fromEntries(versions), ...more };
  Deno.writeTextFileSync(`${folder}/package.json`, JSON.stringify({ type: "module", dependencies }));
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefer-offline"],
    cwd: folder,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  // After npm, which removes what it does not know.
  for (const { path, contents } of outputFiles) {
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeFileSync(path, contents);
  }
  const exports = Object.fromEntries(
    Object.entries(MODULES).map(([path, name]) => [`./${name}`, `./${path.replace(/\.ts$/, ".js")}`]),
  );
  Deno.writeTextFileSync(
    `${folder}/node_modules/${NAME}/package.json`,
    JSON.stringify({ name: NAME, type: "module", exports }),
  );
}

/** The package of an import such as `csv-parse/sync`. */
function nameOf(specifier: string): string {
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0];
}

/** Writes a program of the project's tests as one file that takes the library from the package. */
export async function bundleProgram(entry: string, to: string): Promise<void> {
  const packaged: Plugin = {
    name: "packaged",
    setup(builder) {
      builder.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
        const source = new URL(path, pathToFileURL(`${resolveDir}/`)).pathname.slice(ROOT.length + 1);
        const name = MODULES[source];
        if (name !== undefined) return { path: `${NAME}/${name}`, external: true };
        if (source.startsWith("tests/")) return undefined;
        return { errors: [{ text: `${source} is not public: take it from a public module` }] };
      });
      builder.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
        // Files beside a module stay where they are.
        contents: (await Deno.readTextFile(path)).replaceAll(
          "import.meta.url",
          JSON.stringify(pathToFileURL(path).href),
        ),
        loader: "ts",
      }));
    },
  };
  await build({
    entryPoints: [`${ROOT}/${entry}`],
    outfile: to,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    target: "node22",
    logLevel: "silent",
    plugins: [packaged],
  });
  await stop();
}
