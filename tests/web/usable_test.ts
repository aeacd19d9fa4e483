import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { command, fixture, Folder } from "../command.ts";
import { assertUsable, IN_BROWSER, launch, open } from "./browser.ts";
import { Served } from "./serving.ts";

Deno.test({
  name: "axe-core finds nothing on any page, in light, in dark and on a phone",
  ...IN_BROWSER,
  async fn() {
    using folder = new Folder();
    const store = ["--store", folder.store];
    const ids: string[] = [];
    for (const states of [8, 16]) {
      const set = ["--set", `states=[${states}]`];
      const ended = await command("run", [fixture("asked"), ...store, "--jobs", "0", "--json", ...set]);
      assert.equal(ended.code, 0, ended.stderr);
      ids.push(JSON.parse(ended.stdout).run);
    }
    const report = `${folder.path}/report.html`;
    assert.equal((await command("report", [ids[0]!, ...store, "--out", report])).code, 0);
    await using served = await Served.start(folder.store);
    const { view } = await (await fetch(`${served.url}api/run?id=${ids[0]}`)).json();
    const node = view.nodes.find(({ stage }: { stage: string }) => stage === "asked.fit");
    const metric = encodeURIComponent("metric:asked.fit/perplexity");
    const pages = {
      "the list": ["runs", "table.runs .thumbnail"],
      "the list with a column and a plot": [
        `runs?column=${metric}&x=param:states&y=${metric}`,
        "figure.chart svg",
      ],
      "a list of none": ["runs?text=nowhere", ".empty a"],
      "a run": [`run/${ids[0]}`, ".graph svg"],
      "a node": [`run/${ids[0]}/node/${encodeURIComponent(node.name)}`, "figure.chart svg"],
      "an artifact": [`artifact/${node.outputs[0].digest}`, ".lineage"],
      "a comparison": [`compare/${ids.join(",")}`, "figure.chart svg"],
      "what is not there": ["run/nothing", "[role=alert]"],
      "a report": [pathToFileURL(report).href, "figure.chart svg"],
    };
    const browser = await launch();
    try {
      for (const [name, [place, selector]] of Object.entries(pages) as [string, [string, string]][]) {
        const url = place.startsWith("file:") ? place : `${served.url}#/${place}`;
        const { page } = await open(browser, url);
        await page.locator(selector).first().waitFor();
        if (name === "the list") await assertPlotted(page);
        if (name === "a report") await assertAnswered(page);
        if (name === "a run") await assertFindable(page);
        if (name === "a node") assert.match(await page.innerText("main"), /It printed nothing/);
        await assertUsable(page, name);
        if (name === "a run") await assertCue(page);
        await page.close();
      }
    } finally {
      await browser.close();
    }
  },
});

/** Fails unless the first screen says who is better, by how much, whether that is sure, and has a bar an arm. */
async function assertAnswered(page: Page): Promise<void> {
  const said = await page.locator(".answer").innerText();
  assert.match(said, /Counted is better than random start by \d+/);
  assert.match(said, /[✓?] (not )?sure/);
  const place = await page.locator(".answer").boundingBox();
  assert.ok(place !== null && place.y + place.height <= 900, JSON.stringify(place));
  assert.equal(await page.locator(".answer .amount").count(), 2);
  const headings = await page.locator("h2").first().boundingBox();
  assert.ok(headings!.y > place.y + place.height, "the answer comes first");
}

/** A plot begins with what the question is measured by, against a parameter that varies, in the colours of the arms. */
async function assertPlotted(page: Page): Promise<void> {
  await page.locator("summary", { hasText: "Plot" }).press("Enter");
  await page.locator("figure.chart circle").first().waitFor();
  assert.match(
    await page.locator("figure.chart figcaption").innerText(),
    /^perplexity of asked\.fit against states/,
  );
  const legend = (await page.locator(".legend li").allInnerTexts()).map((label) => label.trim());
  assert.deepEqual(legend.sort(), ["counted", "random start"]);
  assert.equal(await page.locator("figure.chart circle[stroke='var(--series-0)']").count(), 4);
  assert.equal(await page.locator("figure.chart circle[stroke='var(--series-1)']").count(), 4);
}

/** Every section has a link that lays it open, also from the address; every output is told once. */
async function assertFindable(page: Page): Promise<void> {
  const contents = page.getByRole("navigation", { name: "On this page" });
  const titles = await contents.getByRole("link").allInnerTexts();
  assert.deepEqual(titles, await page.locator("main h2").allInnerTexts());
  const shown = page.locator("#artifacts[open]");
  assert.equal(await shown.count(), 0);
  await contents.getByRole("link", { name: "Artifacts" }).press("Enter");
  await shown.waitFor();
  await page.reload();
  await shown.waitFor();
  assert.ok((await shown.boundingBox())!.y < 900, "it is in the window");
  const outputs = await page.locator("#outputs :is(h3, td:first-child a)").allInnerTexts();
  assert.equal(new Set(outputs).size, outputs.length);
}

/** Where a table goes on beyond an edge, a shadow there says so, and goes when its end is reached. */
async function assertCue(page: Page): Promise<void> {
  const table = page.getByRole("region", { name: "Table: Nodes" });
  const scroll = (left: number) =>
    table.evaluate((node: Element, left: number) => {
      node.scrollLeft = left;
      return node.scrollLeft;
    }, left);
  /** Greys of the leftmost and the rightmost column of pixels, below the head. */
  const edges = async () => {
    const { data, info } = await sharp(await table.screenshot()).greyscale().raw()
      .toBuffer({ resolveWithObject: true });
    const row = Math.round(info.height / 2) * info.width;
    return [data[row + 1]!, data[row + info.width - 2]!] as const;
  };
  await page.emulateMedia({ colorScheme: "light" });
  await page.locator("#theme").selectOption("light");
  await scroll(0);
  const begin = await edges();
  assert.ok(begin[1] < begin[0] - 10, `more lies to the right: ${begin}`);
  assert.ok(await scroll(10_000) > 0, "it is wider than a phone");
  const end = await edges();
  assert.ok(end[0] < end[1] - 10, `more lies to the left: ${end}`);
  assert.equal(end[1], begin[0], "no shadow where it ends");
}
