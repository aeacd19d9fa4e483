import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

/**
 * Bundles scripts for browsers, each with the packages that it uses.
 *
 * @param entries file URLs of TypeScript modules.
 * @param format `esm` for module scripts; `iife` for scripts of pages that may be opened from a disk, which take no modules.
 * @returns the scripts by file name: `main.js` of `main.tsx`; of modules also those that they import when they need them, whose
 *   names change with what they hold.
 */
export async function bundleForBrowsers(
  entries: readonly URL[],
  format: "esm" | "iife",
): Promise<Map<string, string>> {
  try {
    const built = await esbuild.build({
      entryPoints: entries.map((url) => fileURLToPath(url)),
      outdir: "/",
      bundle: true,
      // Only modules can ask for others: what they import when they need it is a file of its own.
      splitting: format === "esm",
      chunkNames: "[name]-[hash]",
      write: false,
      format,
      platform: "browser",
      target: "es2022",
      minify: true,
      jsx: "automatic",
      jsxImportSource: "preact",
      logLevel: "silent",
      plugins: [{
        name: "packages",
        setup: (build) => build.onResolve({ filter: /^[^./]/ }, resolvePackage),
      }],
    });
    return new Map(built.outputFiles.map((file) => [basename(file.path), file.text]));
  } finally {
    await esbuild.stop();
  }
}

/** Packages are in Deno's own cache, where the bundler would not look. */
function resolvePackage(args: esbuild.OnResolveArgs): esbuild.OnResolveResult | undefined {
  if (args.kind === "entry-point") return undefined;
  const from = args.importer.includes("/node_modules/") || args.importer.includes("/npm/")
    ? args.importer
    : import.meta.url;
  return { path: createRequire(from).resolve(args.path) };
}
