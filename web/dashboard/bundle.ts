import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

/** The page's script, with the packages that it uses, as one text. */
export async function bundlePage(): Promise<string> {
  try {
    const built = await esbuild.build({
      entryPoints: [fileURLToPath(new URL("./page/main.tsx", import.meta.url))],
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
    return built.outputFiles[0]!.text;
  } finally {
    await esbuild.stop();
  }
}

/** Packages lie in the runtime's own cache, where the bundler would not look. */
function resolvePackage(args: esbuild.OnResolveArgs): esbuild.OnResolveResult | undefined {
  if (args.kind === "entry-point") return undefined;
  const from = args.importer.includes("/node_modules/") || args.importer.includes("/npm/")
    ? args.importer
    : import.meta.url;
  return { path: createRequire(from).resolve(args.path) };
}
