import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

/** A script for browsers. */
export interface BrowserScript {
  readonly text: string;
  /** File names of the scripts that it imports at once: itself and through others, not those it asks for when it needs them. */
  readonly imports: readonly string[];
}

/**
 * Bundles scripts for browsers, each with the packages that it uses.
 *
 * @param entries file URLs of TypeScript modules.
 * @param format `esm` for module scripts; `iife` for scripts of pages that may be opened from a disk, which take no modules.
 * @returns the scripts by file name: `main.js` of `main.tsx`; of modules also those that they import, whose names change with
 *   what they hold.
 */
export async function bundleForBrowsers(
  entries: readonly URL[],
  format: "esm" | "iife",
): Promise<Map<string, BrowserScript>> {
  try {
    const built = await esbuild.build({
      entryPoints: entries.map((url) => fileURLToPath(url)),
      outdir: "/",
      bundle: true,
      // Only modules can ask for others: what they import when they need it is a file of its own.
      splitting: format === "esm",
      chunkNames: "[name]-[hash]",
      write: false,
      metafile: true,
      format,
      platform: "browser",
      target: "es2022",
      minify: true,
      jsx: "automatic",
      jsxImportSource: "preact",
      logLevel: "silent",
      loader: { ".wgsl": "text" },
      plugins: [{
        name: "packages",
        setup: (build) => build.onResolve({ filter: /^[^./]/ }, resolvePackage),
      }],
    });
    const imports = new Map(
      Object.entries(built.metafile.outputs).map(([path, output]) => [
        basename(path),
        output.imports.filter(({ kind }) => kind === "import-statement").map((one) => basename(one.path)),
      ]),
    );
    return new Map(built.outputFiles.map((file) => {
      const name = basename(file.path);
      return [name, { text: file.text, imports: [...reached(name, imports)] }];
    }));
  } finally {
    await esbuild.stop();
  }
}

/** What can be reached from a name, itself left out. */
function reached(name: string, imports: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const waiting = [name];
  for (const one of waiting) {
    for (const next of imports.get(one) ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      waiting.push(next);
    }
  }
  return found;
}

/** Packages are in Deno's own cache, where the bundler would not look. */
function resolvePackage(args: esbuild.OnResolveArgs): esbuild.OnResolveResult | undefined {
  if (args.kind === "entry-point") return undefined;
  const from = args.importer.includes("/node_modules/") || args.importer.includes("/npm/")
    ? args.importer
    : import.meta.url;
  return { path: createRequire(from).resolve(args.path) };
}
