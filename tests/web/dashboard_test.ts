import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";
import { MARKUP } from "../fixtures/pipelines/shown.ts";
import { assertUsable, IN_BROWSER, launch, open, seriousFaults } from "./browser.ts";
import { Served, until } from "./serving.ts";

Deno.test({
  name: "the dashboard shows a run as it goes on, outlives its own restart, and is used by keyboard alone",
  ...IN_BROWSER,
  async fn() {
    using folder = new Folder();
    const args = [fixture("shown"), "--store", folder.store, "--set", "seeds=1"];
    await command("run", args);
    let served = await Served.start(folder.store);
    const browser = await launch();
    const gate = `${folder.path}/end`;
    let slow: ReturnType<typeof command> | undefined;
    try {
      const { page, complaints } = await open(browser, served.url);
      const text = async () => await page.innerText("main");
      await until("the first run is listed", async () => /1 to 1 of 1/.test(await text()));
      assert.deepEqual(await seriousFaults(page), []);

      // A run begins and appears by itself. Its curve grows, its nodes light up.
      const set = ["pause=25", `until=${gate}`, "rates=[0.01,0.02]"].flatMap((one) => ["--set", one]);
      slow = command("run", [...args, ...set]);
      await until("the new run is listed", async () => /1 to 2 of 2/.test(await text()));
      await page.locator("td a").first().focus();
      await page.keyboard.press("Enter");
      await until("its page", async () => /Graph/.test(await text()));
      await page.locator("figure.chart").first().waitFor();
      assert.equal(await page.evaluate("document.activeElement.id"), "main", "the new page has the focus");
      const curve = async () =>
        await page.locator("figure.chart").first().locator("g[data-label] path").first().getAttribute("d");
      const before = await curve();
      await until("the curve grows", async () => (await curve())!.length > before!.length);
      assert.ok(await page.locator(".graph .node.state-running").count() > 0);
      assert.ok(await page.locator("progress").count() > 0);
      assert.deepEqual(await seriousFaults(page), []);

      // A curve is hidden and shown again, also while it grows.
      const variant = page.locator("figure.chart").first().locator(".variant").first();
      await variant.focus();
      await page.keyboard.press("Space");
      const hidden = page.locator("figure.chart").first().locator("g[data-label][display=none]");
      await until("it is hidden", async () => await hidden.count() > 0);
      await page.keyboard.press("Space");
      await until("it is back", async () => await hidden.count() === 0);

      // Its log, streaming.
      // The page is drawn again while the run goes on: the key goes to the link itself, wherever it is by then.
      await page.locator("td a", { hasText: "train@" }).first().press("Enter");
      await page.locator("pre.log").waitFor();
      const log = async () => await page.locator("pre.log").innerText();
      await until("the log has lines", async () => (await log()).includes(`${MARKUP} step `));
      const lines = (await log()).length;
      await until("the log grows", async () => (await log()).length > lines);
      assert.match(await text(), /never run before|parameter/);
      assert.deepEqual(await seriousFaults(page), []);

      // The dashboard is killed and started again: the same address, and the page goes on.
      const { url } = served;
      served.child.kill("SIGKILL");
      await served.child.status;
      await until("the loss is told", async () => /connection lost/.test(await text()));
      served = await Served.start(folder.store);
      assert.equal(served.url, url);
      await until("it is live again", async () => /\blive\b/.test(await text()));
      const later = (await log()).length;
      await until("the log goes on", async () => (await log()).length > later);

      Deno.writeTextFileSync(gate, "");
      const ended = await slow;
      assert.equal(ended.code, 0, ended.stderr);
      await until("the node is done", async () => /✓ ran/.test(await text()));
      await page.locator("a", { hasText: "weights" }).first().focus();
      await page.keyboard.press("Enter");
      await until("the artifact's page", async () => /smallest/.test(await text()));
      assert.match(await text(), /array\.npy f4 \[10 × 20\]/);
      assert.deepEqual(await seriousFaults(page), []);

      const saving = page.waitForEvent("download");
      await page.getByRole("link", { name: "array.npy" }).focus();
      await page.keyboard.press("Enter");
      assert.equal((await saving).suggestedFilename(), "array.npy");

      // Two runs side by side.
      await page.goto(`${url}#/runs`);
      await page.locator("td input[type=checkbox]").nth(1).waitFor();
      for (const i of [0, 1]) {
        await page.locator("td input[type=checkbox]").nth(i).focus();
        await page.keyboard.press("Space");
      }
      await page.getByRole("button", { name: "Compare 2 chosen" }).focus();
      await page.keyboard.press("Enter");
      await until(
        "the comparison",
        async () => /Comparison of 2 runs[\s\S]*rates[\s\S]*Curves/.test(await text()),
      );
      const differing = await page.locator("tbody tr").count();
      await page.getByRole("checkbox", { name: "also what is the same" }).focus();
      await page.keyboard.press("Space");
      await until("all rows", async () => await page.locator("tbody tr").count() > differing);
      await assertUsable(page);

      assert.notEqual(await page.title(), "broken", "no markup from runs is run");
      // While the dashboard was away the browser itself said so.
      assert.deepEqual(complaints.filter((one) => !/net::ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(one)), []);
    } finally {
      Deno.writeTextFileSync(gate, "");
      await slow;
      await browser.close();
      await served[Symbol.asyncDispose]();
    }
  },
});
