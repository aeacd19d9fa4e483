import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { Records } from "../../runner/records/records.ts";
import { launch } from "../../tests/web/browser.ts";
import { command, fixture } from "../../tests/command.ts";
import { Served } from "../../tests/web/serving.ts";
import { type Figure, figure, milliseconds } from "../measure.ts";

const ROUNDS = 5;

/** Milliseconds of rest before a page is opened: the one before may still draw, and the server still answer it. */
const REST = 500;

/**
 * How long pages take in Chromium, from the call until what they are about stands there, with many runs of the
 * same pipeline in the records; and how long a report takes to be written and to be opened.
 */
export async function measurePages(folder: string, runs: number): Promise<Figure[]> {
  const store = `${folder}/store`;
  const run = await command("run", [fixture("shown"), "--store", store]);
  if (run.code !== 0) throw new Error(run.stderr);
  const made = copyRuns(store, runs - 1);
  await using served = await Served.start(store);
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    // The browser's own first page is not the dashboard's matter.
    await shown(page, served.url, "h1");
    const { first, node, artifact } = made;
    const pages: Readonly<Record<string, readonly [hash: string, selector: string, atMost?: number]>> = {
      "list of runs": ["#/runs", "table tbody tr", 300],
      "list, sorted by a metric": [
        "#/runs?column=metric:train/loss%20%5Bnats/token%5D&sort=metric:train/loss%20%5Bnats/token%5D",
        "table tbody tr",
      ],
      "list, searched": ["#/runs?text=shown&status=done", "table tbody tr"],
      "list, its last page": [`#/runs?offset=${runs - 10}`, "table tbody tr"],
      "a run, with curves and graph": [`#/run/${first}`, "figure.chart svg"],
      "a node, with log and curves": [`#/run/${first}/node/${encodeURIComponent(node)}`, "pre.log"],
      "an artifact": [`#/artifact/${artifact}`, ".preview"],
      "a comparison of two runs": [`#/compare/${first},${made.second}`, "figure.chart svg"],
    };
    const values = new Map(Object.keys(pages).map((name) => [name, [] as number[]]));
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [name, [hash, selector]] of Object.entries(pages)) {
        await page.goto("about:blank");
        await page.waitForTimeout(REST);
        const took = await milliseconds(() => shown(page, served.url + hash, selector));
        if (round > 0) values.get(name)!.push(took);
      }
    }
    const written: number[] = [], opened: number[] = [];
    const report = `${folder}/r.html`;
    for (let round = 0; round <= ROUNDS; round++) {
      await page.goto("about:blank");
      const wrote = await milliseconds(() =>
        command("report", ["latest", "--store", store, "--out", report])
      );
      await page.waitForTimeout(REST);
      const took = await milliseconds(() => shown(page, pathToFileURL(report).href, ".verdict"));
      if (round === 0) continue;
      written.push(wrote);
      opened.push(took);
    }
    return [
      ...[...values].map(([name, took]) =>
        figure(`${runs} runs: ${name}`, "ms", took, { atMost: pages[name]?.[2] ?? 1000 })
      ),
      figure(`${runs} runs: deno task report latest`, "ms", written, { atMost: 1000 }),
      figure(`${runs} runs: its report, opened`, "ms", opened, { atMost: 1000 }),
    ];
  } finally {
    await browser.close();
  }
}

/**
 * Loads an address and waits until what it is about stands there. Looked for in the page, frame by frame: asking again from
 * outside, in growing steps, would add up to a tenth of a second.
 */
async function shown(page: Page, url: string, selector: string): Promise<void> {
  await page.goto(url, { waitUntil: "commit" });
  await page.evaluate((selector: string) =>
    new Promise<void>((done) => {
      const look = () => {
        const found = document.querySelector(selector);
        if (found !== null && found.getBoundingClientRect().height > 0) done();
        else requestAnimationFrame(look);
      };
      look();
    }), selector);
}

/**
 * Copies the one run of a store, with its nodes, results, progress and all metrics, so many times. Three of four copies
 * are runs of their own, with keys of their own; the fourth found everything in the store.
 */
function copyRuns(store: string, count: number) {
  using records = new Records({ root: store });
  const [original] = records.runs({ limit: 1 });
  const nodes = records.nodes(original!.id), edges = records.edges(original!.id);
  const metrics = records.metrics(original!.id), progress = records.progress(original!.id);
  const outputs = records.runOutputs(original!.id);
  const idOf = (i: number) => `copy${String(i).padStart(6, "0")}`;
  records.transaction(() => {
    for (let i = 0; i < count; i++) {
      const id = idOf(i), cached = i % 4 === 3;
      records.beginRun({ ...original!, id, seed: i, started: original!.started - i - 1 });
      records.addEdges(id, edges);
      for (const { name, node, output } of outputs) records.addRunOutput(id, name, node, output);
      for (const node of nodes) {
        if (cached) {
          records.putNode({ ...node, run: id, state: "cached", log: null });
          continue;
        }
        const key = createHash("sha256").update(`${node.key} ${i}`).digest("hex");
        const made = records.artifactsOfKey(node.key!);
        records.putNode({ ...node, run: id, key });
        records.addResult({
          ...made[0]!,
          key,
          run: id,
          outputs: Object.fromEntries(made.map(({ output, artifact }) => [output, artifact])),
          seconds: node.seconds!,
          finished: new Date().toISOString(),
        }, original!.pipeline);
      }
      if (cached) continue;
      records.addMetrics(id, metrics);
      for (const one of progress) records.putProgress(id, one);
    }
  });
  const node = nodes.find((one) => one.log !== null)!;
  return {
    first: original!.id,
    second: idOf(0),
    node: node.name,
    artifact: records.artifactsOfKey(node.key!)[0]!.artifact.digest,
  };
}
