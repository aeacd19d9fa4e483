import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { command } from "../command.ts";
import { serveDashboard } from "../../web/dashboard/server.ts";
import { IN_BROWSER, launch } from "./browser.ts";
import { WrittenStore } from "./records.ts";
import { until } from "./serving.ts";

/** U+202E and what follows it: as it stands it would read `csv.exe`. */
const TURNED = "loss \u202eexe.vsc";

/** Marks that turn the direction of text. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/;

Deno.test({
  name: "eight pages of one browser are live; what turns text is seen; a dashboard that is gone is told",
  ...IN_BROWSER,
  async fn() {
    using written = new WrittenStore();
    written.addRun("turned", { pipeline: "turned \u202eenod" });
    written.addNode("turned", "train \u202e1", { stage: "train" }, [
      ...[0, 1, 2].map((step) => [TURNED, step, 3 - step] as const),
      [TURNED, null, 1],
    ]);
    const dashboard = await serveDashboard(written.store);
    const browser = await launch();
    try {
      // Pages of one context share their connections, as windows of one browser do.
      const context = await browser.newContext();
      const pages: Page[] = [];
      for (let i = 0; i < 8; i++) {
        const page = await context.newPage();
        await page.goto(i % 2 === 0 ? `${dashboard.url}#/runs` : `${dashboard.url}#/run/turned`);
        pages.push(page);
      }
      const lists = pages.filter((_, i) => i % 2 === 0);
      for (const page of pages) await page.locator("h1").waitFor();
      for (const page of lists) await page.getByText("live", { exact: true }).waitFor();
      written.addRun("later", { started: 2000 });
      for (const page of lists) {
        await until("the new run everywhere", async () => /1 to 2 of 2/.test(await page.innerText("main")));
      }
      // Those that close give their place to others.
      for (const page of pages.slice(2)) await page.close();
      written.addRun("latest", { started: 3000 });
      await until("one more", async () => /1 to 3 of 3/.test(await pages[0]!.innerText("main")));

      await asksAhead(context, dashboard.url);

      const page = pages[1]!;
      await page.locator("figure.chart svg").first().waitFor();
      const all = await page.evaluate("document.documentElement.outerHTML + document.title") as string;
      assert.doesNotMatch(all.replaceAll(/data-label="[^"]*"/g, ""), TURNS);
      assert.match(await page.innerText("figure.chart figcaption"), /loss ‹U\+202E›exe\.vsc/);
      const { stdout } = await command("runs", ["turned", "--store", written.folder.store]);
      assert.doesNotMatch(stdout, /\u202e/);
      assert.match(stdout, /train ‹U\+202E›1/);
      assert.match(stdout, /loss ‹U\+202E›exe\.vsc/);

      // A report and its figures say the same, in what is read and in what is heard.
      const out = `${written.folder.path}/report.html`, figures = `${written.folder.path}/figures`;
      const args = ["turned", "--store", written.folder.store, "--out", out, "--figures", figures];
      const reported = await command("report", args);
      assert.equal(reported.code, 0, reported.stderr);
      const report = await context.newPage();
      await report.goto(pathToFileURL(out).href);
      await report.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)");
      const whole = await report.evaluate("document.documentElement.outerHTML + document.title") as string;
      const seen = whole.replaceAll(/data-label="[^"]*"/g, "");
      const at = seen.search(TURNS);
      assert.equal(at, -1, seen.slice(Math.max(0, at - 200), at + 50));
      const read = await report.innerText("main");
      for (const wanted of ["loss ‹U+202E›exe.vsc", "train ‹U+202E›1"]) {
        assert.ok(read.includes(wanted), wanted);
      }
      assert.match(await report.title(), /turned ‹U\+202E›enod/);
      assert.match(
        await report.locator("figure.chart svg").first().getAttribute("aria-label") ?? "",
        /‹U\+202E›/,
      );
      for (const { name } of Deno.readDirSync(figures)) {
        assert.doesNotMatch(name, TURNS);
        if (name.endsWith(".svg")) assert.doesNotMatch(Deno.readTextFileSync(`${figures}/${name}`), TURNS);
      }
      await report.close();

      await dashboard[Symbol.asyncDispose]();
      await pages[0]!.evaluate("location.hash = '#/artifact/0123456789'");
      await until(
        "why nothing comes",
        async () =>
          /the dashboard does not answer\. It may have been ended/.test(await pages[0]!.innerText("main")),
      );
    } finally {
      await browser.close();
      await dashboard[Symbol.asyncDispose]();
    }
  },
});

/** Milliseconds after which a page asks again, as what was asked ahead is no longer new. */
const AHEAD = 3000;

/** Pages ask for their data, and for the scripts of what they show, before the script that draws them is there. */
async function asksAhead(context: BrowserContext, url: string): Promise<void> {
  await asksOnce(context, `${url}#/runs`, /api\/runs\?$/, undefined);
  await asksOnce(context, `${url}#/run/turned`, /api\/run\?/, /other_pages/);
}

async function asksOnce(
  context: BrowserContext,
  address: string,
  data: RegExp,
  script: RegExp | undefined,
): Promise<void> {
  let times = 0;
  // On a busy machine the scripts may come so late that what was asked ahead is old.
  for (let tries = 0, took = Infinity; took >= AHEAD; tries++) {
    assert.ok(tries < 10, `${address} does not come in ${AHEAD} ms`);
    const page = await context.newPage();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const scripts = Promise.withResolvers<void>(), answers = Promise.withResolvers<void>();
    const hold = (what: string | RegExp, until: Promise<void>) =>
      page.route(what, async (route) => {
        await until;
        await route.continue();
      });
    await hold("**/page.js?*", scripts.promise);
    // A page that has its answer may ask again, for what came while nothing told it of changes.
    await hold(data, answers.promise);
    const began = performance.now();
    await page.goto(address, { waitUntil: "commit" });
    for (const wanted of [data, ...script === undefined ? [] : [script]]) {
      await until(`${wanted} of ${address}`, () => asked.some((one) => wanted.test(one)));
    }
    scripts.resolve();
    await page.getByText("loading …").first().waitFor();
    // What it would ask as well is asked in the same moment as it begins to wait.
    await page.waitForTimeout(500);
    took = performance.now() - began;
    times = asked.filter((one) => data.test(one)).length;
    answers.resolve();
    await page.locator("h1").waitFor();
    assert.equal(asked.some((one) => /other_pages/.test(one)), script !== undefined);
    await page.close();
  }
  assert.equal(times, 1, "what was asked ahead is not asked again");
}
