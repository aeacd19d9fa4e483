/**
 * The engines of a tab beside onnxruntime-web, on which the engine `cpu` runs in a page as it is: a model of 128 states and 4,000
 * words in Chromium, on one thread. The first answer loads what computes; later answers and an epoch of 100,000 tokens follow.
 *
 *     npm install --prefix /tmp/ort onnxruntime-web@1.30.0
 *     deno run --allow-all bench/peers/onnxruntime_web.ts /tmp/ort/node_modules/onnxruntime-web
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { type Figure, figure, printFigures } from "../measure.ts";
import { openTab } from "../web/tab.ts";

const [folder] = Deno.args;
if (folder === undefined) {
  console.error(
    "usage: deno run --allow-all bench/peers/onnxruntime_web.ts FOLDER, where onnxruntime-web is unpacked",
  );
  Deno.exit(2);
}
const dist = `${await Deno.realPath(folder)}/dist`, WASM = "ort-wasm-simd-threaded.wasm";
const { outputFiles } = await esbuild.build({
  entryPoints: [fileURLToPath(new URL("onnxruntime_web_page.ts", import.meta.url))],
  outdir: "/",
  bundle: true,
  splitting: true,
  write: false,
  format: "esm",
  platform: "browser",
  target: "es2022",
  minify: true,
  loader: { ".wgsl": "text" },
  plugins: [{
    name: "onnxruntime-web in place of onnxruntime-node, nothing of Node",
    setup(build) {
      build.onResolve({ filter: /^onnxruntime-node$/ }, () => ({ path: `${dist}/ort.wasm.bundle.min.mjs` }));
      build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "node" }));
      build.onLoad({ filter: /.*/, namespace: "node" }, () => ({
        contents: "export const Buffer = undefined, resolve = undefined, sep = '/';",
      }));
      build.onResolve(
        { filter: /^[^./]/ },
        ({ path, kind }) =>
          kind === "entry-point" ? undefined : { path: createRequire(import.meta.url).resolve(path) },
      );
    },
  }],
});
await esbuild.stop();
const files = new Map<string, string | Uint8Array<ArrayBuffer>>(
  outputFiles.map(({ path, text }) => [path.split("/").at(-1)!, text]),
);
const wasm = await Deno.readFile(`${dist}/${WASM}`);
files.set(WASM, wasm);
files.set("main.js", 'import "./onnxruntime_web_page.js";');

const ROUNDS = 3, ENGINES = ["wasm", "onnxruntime-web", "reference"] as const;
const times = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const name of ENGINES) {
    await using tab = await openTab(files);
    const { first, later, epoch } = await tab.page.evaluate(`measured("${name}")`) as Record<string, number>;
    for (const [what, time] of Object.entries({ "first answer": first, "a later answer": later, epoch })) {
      const key = `${name}: ${what}`;
      times.set(key, [...times.get(key) ?? [], time!]);
    }
  }
}
printFigures(
  [
    ...[...times].map(([name, list]): Figure => figure(name, "ms", list)),
    figure("WebAssembly of onnxruntime-web", "kB", [wasm.length / 1000]),
    figure("the same packed by gzip", "kB", [gzipSync(wasm).length / 1000]),
  ],
  {},
);
Deno.exit();
