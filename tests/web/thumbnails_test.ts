import assert from "node:assert/strict";
import { Records } from "../../runner/records/records.ts";
import { command, fixture, Folder } from "../command.ts";
import { assertUsable, fits, IN_BROWSER, launch, open } from "./browser.ts";
import { Served, until } from "./serving.ts";

Deno.test({
  name:
    "the list shows what runs came to: a bar an arm, or curves; on a phone a card a run, nothing to scroll sideways",
  ...IN_BROWSER,
  async fn() {
    using folder = new Folder();
    const store = ["--store", folder.store, "--jobs", "0"];
    const ended = await command("run", [fixture("asked"), ...store, "--set", "states=[8]"]);
    assert.equal(ended.code, 0, ended.stderr);

    {
      using records = new Records({ root: folder.store });
      const [run] = records.runs({ limit: 1 });
      const id = "curves-only";
      records.beginRun({
        ...run!,
        id,
        pipeline: "curves",
        started: run!.started + 60,
        ended: run!.started + 90,
      });
      for (const [position, name] of ["train@1", "train@2"].entries()) {
        records.putNode({
          ...records.nodes(run!.id)[0]!,
          run: id,
          name,
          position,
          stage: "train",
          key: null,
          log: null,
        });
        records.addMetrics(
          id,
          [0, 1, 2, 3].map((step) => ({
            node: name,
            name: "loss",
            step,
            value: (position + 2) / (step + 1),
            time: 0,
          })),
        );
      }
      records.annotate(id, { note: "the one with curves", tags: ["kept"] });
    }
    await using served = await Served.start(folder.store);
    const browser = await launch();
    try {
      const { page, complaints } = await open(browser, served.url);
      await page.locator(".thumbnail .arm").first().waitFor();
      const row = (text: string) => page.locator("tbody tr", { hasText: text });
      const arms = await row("asked").locator(".arm").allInnerTexts();
      assert.equal(arms.length, 2);
      assert.match(arms.join(" "), /counted\s+35\.\d.* random start\s+47\.\d/s);
      const share = async (i: number) => (await row("asked").locator(".amount").nth(i).boundingBox())!.width;
      assert.ok(await share(0) < await share(1), "the bars are as long as the values are large");
      const lines = row("curves-only").locator("svg.thumbnail polyline");
      await lines.first().waitFor();
      assert.equal(await lines.count(), 2, "a curve a node");
      assert.match(
        await row("curves-only").locator("svg.thumbnail").getAttribute("aria-label") ?? "",
        /loss of train/,
      );

      await page.setViewportSize({ width: 390, height: 780 });
      assert.ok(await fits(page));
      const sizes = await page.evaluate(
        `[...document.querySelectorAll(".scroll")].map((one) => one.scrollWidth - one.clientWidth)`,
      );
      assert.deepEqual(sizes, [0], "nothing to scroll sideways");
      for (const one of await page.locator("tbody tr").all()) {
        const box = (await one.boundingBox())!;
        assert.ok(box.height < 320, `${box.height} px for a run`);
      }
      // Heads of columns are not seen here: the order is a field.
      assert.ok(
        await row("asked").count() === 1 &&
          await page.locator("tbody tr").last().innerText().then((text) => /asked/.test(text)),
      );
      await page.getByLabel("Sorted by").selectOption("pipeline");
      await page.getByRole("link", { name: "greatest first" }).click();
      await until(
        "by pipeline",
        async () => /asked/.test(await page.locator("tbody tr").first().innerText()),
      );
      await page.setViewportSize({ width: 1200, height: 900 });
      await assertUsable(page);
      assert.deepEqual(complaints, []);

      const asked = async (query: string) => {
        const response = await fetch(`${served.url}api/thumbnails?${query}`);
        await response.body?.cancel();
        return response.status;
      };
      assert.equal(await asked("run=nothing"), 404);
      assert.equal(await asked(Array.from({ length: 51 }, () => "run=x").join("&")), 400);
    } finally {
      await browser.close();
    }
  },
});
