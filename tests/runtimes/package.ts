/** The library as npm has it, and the suites as programs of other runtimes. */
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin, stop } from "esbuild";
import { PACKAGE_NAME } from "../../foundation/own_package.ts";
import { packageFiles } from "../../packaging/files.ts";
import { ROOT } from "../root.ts";

/** Public modules of the library, by their source. */
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

/** What a program printed and whether it ended well. */
interface Ran {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program, such as one of {@link pathOf}. */
export async function runIn(program: string, args: readonly string[], cwd = Deno.cwd()): Promise<Ran> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { NO_COLOR: "1" },
    cwd,
  }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The path of a runtime's program, which npx fetches where it is not here; undefined where that fails. */
export async function pathOf(program: string): Promise<string | undefined> {
  const [name] = program.split("@");
  try {
    const { success, stdout } = await runIn("npx", ["--yes", "--package", program, "which", name!]);
    return success ? stdout.trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Makes a folder in which programs of Node and Bun find the package, with those of its dependencies that the library reaches, and `more`
 * packages by their versions.
 */
export async function installLibrary(
  folder: string,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { files } = await packageFiles(ROOT);
  const { dependencies, optionalDependencies } = JSON.parse(
    new TextDecoder().decode(files.get("package.json")),
  );
  const versions: Record<string, string> = { ...dependencies, ...optionalDependencies };
  // Written once where nothing is installed, to see what it imports.
  const write = (to: string) => {
    for (const [path, body] of files) {
      Deno.mkdirSync(dirname(`${to}/${path}`), { recursive: true });
      Deno.writeFileSync(`${to}/${path}`, body);
    }
  };
  write(`${folder}/package`);
  const reached = await packagesOf(`${folder}/package`);
  Deno.writeTextFileSync(
    `${folder}/package.json`,
    JSON.stringify({
      type: "module",
      dependencies: {
        ...Object.fromEntries(reached.map((name) => [name, versions[name]])),
        "fast-check": versionOf("fast-check"),
        ...more,
      },
    }),
  );
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefer-offline"],
    cwd: folder,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  // After npm, which removes what it does not know.
  write(`${folder}/node_modules/${PACKAGE_NAME}`);
}

/** The packages that the library imports. */
async function packagesOf(own: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [...Object.keys(MODULES), ...WORKERS].map((path) =>
      `${own}/${path.replace(/\.ts$/, ".js")}`
    ),
    outdir: `${own}/out`,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "silent",
    metafile: true,
    write: false,
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.flatMap(({ path, external }) =>
      external && !path.startsWith("node:") ? [/^(?:@[^/]+\/)?[^/]+/.exec(path)![0]] : []
    )
  );
  return [...new Set(imported)].sort();
}

/** The version of one of the project's packages. */
function versionOf(name: string): string {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)) as {
    imports: Record<string, string>;
  };
  return imports[name]!.split("@").at(-1)!;
}

/** Writes a program of the project's tests as one file that takes the library from the package. */
export async function bundleProgram(entry: string, to: string): Promise<void> {
  const packaged: Plugin = {
    name: "packaged",
    setup(builder) {
      builder.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
        const source = new URL(path, pathToFileURL(`${resolveDir}/`)).pathname.slice(ROOT.length + 1);
        const name = MODULES[source];
        if (name !== undefined) return { path: `${PACKAGE_NAME}/${name}`, external: true };
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
