import assert from "node:assert/strict";
import { createRequire } from "node:module";
import "zod";
import { build, stop } from "esbuild";
import { chromium } from "playwright-core";
import { hmm, ReferenceLearner, samplesFromRows } from "../../../circuits/mod.ts";
import { IN_BROWSER } from "../../web/browser.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

const rows = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 1, 4, 4], [2, 0, null, null]];
const step = { kind: "anemone", step: 0.5 } as const;

/** A page's script that runs the engine on a circuit of its own. */
const PAGE = `
import { hmm, samplesFromRows } from "./circuits/mod.ts";
import { WebGpuEngine } from "./kernels/webgpu/engine.ts";
import { openRemote } from "./kernels/webgpu/remote.ts";
import { DeviceHost } from "./kernels/webgpu/host.ts";
import { WebGpuKMeans } from "./kernels/webgpu/kmeans.ts";
import { likelihoods } from "documented";
globalThis.documented = async () => [...await likelihoods(navigator.gpu)];
globalThis.hints = async () => {
  const failing = [new DeviceHost(undefined), new DeviceHost(navigator.gpu, { adapter: "abacus" })];
  return await Promise.all(failing.map((host) => host.ready().then(() => "none", ({ hint }) => hint)));
};
globalThis.openRemote = openRemote;
globalThis.run = async () => {
  const host = new DeviceHost(navigator.gpu);
  const engine = await WebGpuEngine.open(host, hmm({ length: 4, states: 20, symbols: 5, seed: 3 }));
  const samples = samplesFromRows(${JSON.stringify(rows)});
  const { logLikelihoods } = await engine.accumulate(samples);
  await engine.update({ step: ${JSON.stringify(step)} });
  const after = await engine.logLikelihoods(samples);
  await engine.close();
  const kmeans = await WebGpuKMeans.open(host, 2, 2);
  await kmeans.begin(Float32Array.of(0, 0, 3, 4), Float32Array.of(0, 25));
  const { labels } = await kmeans.add(Float32Array.of(1, 1, 3, 3, 4, 5), 3);
  const { sums } = await kmeans.sums();
  await kmeans.release();
  return { before: [...logLikelihoods], after: [...after], labels: [...labels], sums: [...sums] };
};`;

/** Files of Retort's own names. */
const OWN = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)).imports as Record<string, string>;

/** The lines of the page about WebGPU that are for browsers. */
async function documented(): Promise<string> {
  const page = await Deno.readTextFile(`${ROOT}docs/webgpu.md`);
  return /In a browser[^]*?```ts\n([^]*?)```/.exec(page)![1]!;
}

async function bundle(): Promise<string> {
  try {
    const { outputFiles } = await build({
      stdin: { contents: PAGE, resolveDir: ROOT, loader: "ts" },
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
      logLevel: "silent",
      plugins: [{
        name: "deno",
        setup(builder) {
          builder.onResolve(
            { filter: /^documented$/ },
            () => ({ path: "docs/webgpu.ts", namespace: "documented" }),
          );
          builder.onLoad({ filter: /./, namespace: "documented" }, async () => ({
            contents: await documented(),
            loader: "ts",
            resolveDir: `${ROOT}docs`,
          }));
          builder.onResolve({ filter: /^retort\// }, ({ path }) => ({ path: `${ROOT}${OWN[path]}` }));
          builder.onResolve(
            { filter: /^[^./]/ },
            ({ path, kind }) =>
              kind === "entry-point" ? undefined : { path: createRequire(import.meta.url).resolve(path) },
          );
          builder.onLoad({ filter: /\.wgsl$/ }, async ({ path }) => ({
            contents: await Deno.readTextFile(path),
            loader: "text",
          }));
        },
      }],
    });
    return outputFiles[0]!.text;
  } finally {
    await stop();
  }
}

Deno.test("the engine bundles for the browser, and reads nothing of Deno's or Node's", async () => {
  const code = await bundle();
  assert.ok(code.includes("@compute"), "the kernels are in it");
  assert.doesNotMatch(code, /\bDeno\s*[.\[]/);
  assert.doesNotMatch(code, /["']node:/);
});

/** Chromium's WebGPU on its own software driver. */
const FLAGS = [
  ...[
    "--no-sandbox",
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan,WebGPU",
    "--use-vulkan=swiftshader",
  ],
  ...["--use-webgpu-adapter=swiftshader", "--disable-vulkan-surface"],
];

Deno.test({
  name: "in a browser the engine computes what the reference does, and k-means what it should",
  ...IN_BROWSER,
  async fn() {
    const script = await bundle();
    // WebGPU is for secure contexts: a page of this machine is one.
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      ({ url }) =>
        url.endsWith(".js")
          ? new Response(script, { headers: { "content-type": "text/javascript" } })
          : new Response('<!doctype html><script type="module" src="/engine.js"></script>', {
            headers: { "content-type": "text/html" },
          }),
    );
    const browser = await chromium.launch({
      executablePath: Deno.env.get("RETORT_CHROMIUM") ?? "/usr/bin/chromium",
      args: FLAGS,
    });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${server.addr.port}/`);
      const got = await page.evaluate("run()") as Record<"before" | "after" | "labels" | "sums", number[]>;

      const learner = new ReferenceLearner(hmm({ length: 4, states: 20, symbols: 5, seed: 3 }));
      const samples = samplesFromRows(rows);
      const { logLikelihoods } = await learner.accumulate(samples);
      await learner.update({ step });
      const after = await learner.logLikelihoods(samples);
      got.before.forEach((log, s) => assert.ok(Math.abs(log - logLikelihoods[s]!) < 1e-4));
      got.after.forEach((log, s) => assert.ok(Math.abs(log - after[s]!) < 1e-4));
      assert.deepEqual(got.labels, [0, 1, 1]);
      assert.deepEqual(got.sums, [1, 1, 7, 8]);

      const logs = await page.evaluate("documented()") as number[];
      const wanted = await new ReferenceLearner(hmm({ length: 3, states: 4, symbols: 5 }))
        .logLikelihoods(samplesFromRows([[0, 1, 4], [2, null, 3]]));
      assert.equal(logs.length, 2);
      logs.forEach((log, s) => assert.ok(Math.abs(log - wanted[s]!) < 1e-4));

      const hints = await page.evaluate("hints()") as string[];
      assert.match(hints[0]!, /browser's settings/);
      assert.match(hints[1]!, /the browser chooses/);
      for (const hint of hints) assert.doesNotMatch(hint, /--|Debian|`|deno|command/);
    } finally {
      await browser.close();
      await server.shutdown();
    }
  },
});
