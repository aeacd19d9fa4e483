import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

/** Bundles the page's script and the shared worker's script, each with the packages it uses. */
export async function bundlePage(): Promise<{ readonly page: string; readonly worker: string }> {
  try {
    const built = await esbuild.build({
      entryPoints: ["main.tsx", "worker.ts"].map((name) =>
        fileURLToPath(new URL(`./page/${name}`, import.meta.url))
      ),
      outdir: "/",
      bundle: true,
      write: false,
      format: "esm",
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
    const textOf = (name: string) => built.outputFiles.find((file) => file.path.endsWith(name))!.text;
    return { page: textOf("main.js"), worker: textOf("worker.js") };
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
