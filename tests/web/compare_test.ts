import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { command, fixture, Folder } from "../command.ts";
import { assertUsable, fits, IN_BROWSER, launch, open } from "./browser.ts";
import { Served, until } from "./serving.ts";

/** What sticks out of the window: cells whose right edge lies beyond it, and boxes that scroll sideways. */
async function outside(page: Page): Promise<string[]> {
  return await page.evaluate(`[...document.querySelectorAll("main td, main th, main .scroll")].filter((one) =>
    one.checkVisibility() && one.closest(".compared thead") === null && (
      one.getBoundingClientRect().right > innerWidth + 1 ||
      (one.classList.contains("scroll") && one.scrollWidth > one.clientWidth + 1)
    )
  ).map((one) => one.textContent.slice(0, 60))`);
}

Deno.test({
  name:
    "runs line up by arm and place, the baseline first, inside the window at every width; the terminal says the same",
  ...IN_BROWSER,
  async fn() {
    using folder = new Folder();
    const ids: string[] = [];
    const long = JSON.stringify(Array.from({ length: 12 }, (_, i) => `aVeryLongWordWithoutAnyBlank${i}`));
    for (const set of [["states=[8]"], ["states=[16]"], ["states=[16]", "epochs=2", `words=${long}`]]) {
      const args = set.flatMap((one) => ["--set", one]);
      const ended = await command("run", [
        fixture("asked"),
        "--store",
        folder.store,
        "--jobs",
        "0",
        "--json",
        ...args,
      ]);
      assert.equal(ended.code, 0, ended.stderr);
      ids.push(JSON.parse(ended.stdout).run);
    }
    const [first, second, third] = ids as [string, string, string];

    const shown = await command("runs", [first, "--store", folder.store]);
    assert.match(
      shown.stdout,
      /^.*\?\n {2}counted is better than random start by .*[\s\S]*run +20/,
      "the answer comes first",
    );
    const told = await command("compare", [first, second, "--store", folder.store]);
    assert.equal(told.code, 0, told.stderr);
    assert.match(told.stdout, /test perplexity, lower is better/);
    assert.match(
      told.stdout,
      /counted +35\.\d+ ± 0\.\d+ at 8 states +33\.\d+ ± 0\.\d+ at 16 states +−2\.\d+ \(−5\.7 %\), better/,
    );
    assert.match(told.stdout, /the pipeline +states +8 +16/);
    assert.match(told.stdout, /fit random@…, seed 0 +perplexity +48 +46 +−2 \(−4\.17 %\), better/);
    assert.ok(!told.stdout.includes("–"), "nothing stands alone");
    assert.match(told.stdout, /the verdict stays: counted is better than random start in both/);
    const all = await command("compare", [first, first, "--all", "--store", folder.store]);
    assert.match(all.stdout, /fit random@8, seed 0 +perplexity +48 +48/);

    await using served = await Served.start(folder.store);
    const browser = await launch();
    try {
      const { page, complaints } = await open(browser, `${served.url}#/compare/${ids.join(",")}`, {
        width: 1280,
      });
      const text = async () => await page.innerText("main");
      await until("the comparison", async () => /What they answer/.test(await text()));
      assert.match(await text(), /−2\.0\d* \(−5\.7 %\), better/);
      assert.match(
        await text(),
        /The verdict stays: counted is better than random start in all 3[\s\S]*verdict\s+counted is better/,
      );
      assert.match(await text(), /worse/, "half the epochs");
      const arms = page.locator("table.compared").first().locator("tbody tr");
      assert.equal(await arms.count(), 3, "two arms and the verdict");
      assert.equal(
        await page.locator("table.compared td", { hasText: /^–$/ }).count(),
        0,
        "nothing stands alone",
      );
      assert.ok(!(await text()).includes("fit random@8, seed 0"), "names are of no run alone");
      assert.deepEqual(await outside(page), []);
      assert.ok(await fits(page));

      const metrics = page.locator("table.compared").last().locator("tbody tr");
      const differing = await metrics.count();
      await page.getByRole("checkbox", { name: "also what is the same" }).check();
      assert.ok(await metrics.count() >= differing);
      assert.deepEqual(await outside(page), []);

      // Another baseline: the same differences the other way round.
      await page.getByLabel("Baseline").selectOption(third);
      await until("another baseline", () => page.url().endsWith([third, first, second].join(",")));
      await until("its differences", async () => /\(−48 %\), better|\(−4\d %\), better/.test(await text()));

      await page.setViewportSize({ width: 360, height: 800 });
      assert.deepEqual(await outside(page), []);
      assert.match(
        await page.locator("table.compared td[data-run]").first().evaluate((cell: Element) => {
          return (globalThis as unknown as {
            getComputedStyle(one: Element, part: string): { content: string };
          })
            .getComputedStyle(cell, "::before").content;
        }),
        new RegExp(third),
      );
      await page.setViewportSize({ width: 1280, height: 900 });
      await assertUsable(page);
      // Eight columns, as many as are compared at once.
      const eight = Array.from({ length: 8 }, (_, i) => ids[i % 3]!);
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(`${served.url}#/compare/${eight.join(",")}`);
      await until("eight runs", async () => /Comparison of 8 runs[\s\S]*Parameters/.test(await text()));
      assert.deepEqual(await outside(page), []);
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
  },
});
