import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { command, fixture, Folder } from "../command.ts";
import { MARKUP } from "../fixtures/pipelines/shown.ts";
import { fits, IN_BROWSER, launch, open, seriousFaults } from "./browser.ts";

/** Runs a pipeline and writes its report. */
async function reported(folder: Folder, name: string, ...set: string[]): Promise<string> {
  const run = await command("run", [fixture(name), "--store", folder.store, ...set]);
  assert.ok(run.code <= 1, run.stderr);
  const out = `${folder.path}/report.html`;
  const ended = await command("report", ["latest", "--store", folder.store, "--out", out]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.stdout, `${out}\n`);
  return out;
}

Deno.test({
  name: "a report opens offline, shows all of a run, and its curves can be hidden by keyboard",
  ...IN_BROWSER,
  async fn() {
    using folder = new Folder();
    await command("run", [fixture("shown"), "--store", folder.store, "--seed", "5"]);
    const out = await reported(folder, "shown");
    const browser = await launch();
    try {
      const { page, complaints, asked } = await open(browser, pathToFileURL(out).href);
      const text = await page.innerText("body");
      for (
        const part of [
          ...["shown", "done", "Outputs", "Pictures", "Curves", "Results", "Graph", "Nodes", "Parameters"],
          ...["Data", "Artifacts and lineage", "Environment", "Make it again"],
          ...[
            "the best rate is 0.03",
            MARKUP,
            "sums, ",
            "from cache",
            "loss in nats/token",
            "train, by epochs",
          ],
        ]
      ) assert.ok(text.includes(part), `the report says ${part}`);
      assert.match(text, /npx --yes deno@\S+ task run tests\/fixtures\/pipelines\/shown\.ts .*--seed 0/);
      // The answer comes first: who is best, by how much, whether that is sure.
      const answer = await page.locator("main > :first-child").innerText();
      assert.match(answer, /Which rate is best\?[\s\S]*Rate 0\.01 is better than .* by 0\.\d+ \(\d+ %\)/);
      assert.match(answer, /not sure|sure/);
      assert.match(answer, /Loss in nats\/token, lower is better/);
      const top = await page.locator(".verdict").evaluate((node: Element) =>
        node.getBoundingClientRect().top
      );
      assert.ok(top < 600, "in the first window");
      assert.match(text, /± /, "seeds of the sweep are averaged");
      assert.equal(await page.title(), `shown, run ${/run (\S+)/.exec(text)![1]}`);
      assert.deepEqual(asked, [pathToFileURL(out).href], "nothing but the file itself is loaded");

      // By keyboard alone: to the first curve's button, off, and on again.
      const variant = page.locator(".variant").first();
      await variant.focus();
      await page.keyboard.press("Enter");
      assert.equal(await variant.getAttribute("aria-pressed"), "false");
      const hidden = page.locator("figure.chart").first().locator("g[data-label][display=none]");
      assert.equal(await hidden.count(), 4, "two seeds, on the plain and the logarithmic plot");
      await page.keyboard.press("Space");
      assert.equal(await hidden.count(), 0);
      await page.locator(".scale input").first().focus();
      await page.keyboard.press("Space");
      assert.equal(await page.locator("figure.chart").first().locator(".plot:visible").count(), 1);
      await page.locator("#theme").selectOption("dark");
      assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(20, 23, 26)");
      await page.keyboard.press("Control+Home");
      await page.locator("#graph > summary").focus();
      await page.keyboard.press("Enter");
      await page.locator("#graph .graph a").first().focus();
      await page.keyboard.press("Enter");
      assert.match(page.url(), /#node-\d+$/);
      assert.ok(await page.locator("tr:target").isVisible(), "what a link leads to is laid open");

      assert.deepEqual(await seriousFaults(page), []);
      await page.locator("#theme").selectOption("light");
      assert.deepEqual(await seriousFaults(page), []);
      await page.setViewportSize({ width: 360, height: 800 });
      assert.ok(await fits(page), "nothing is cut off on a phone");
      await page.emulateMedia({ media: "print" });
      assert.ok(!await page.locator("nav").isVisible());
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
  },
});

Deno.test("a report of a failed run shows the error and the log, and says what damage it met", async () => {
  using folder = new Folder();
  const out = await reported(folder, "troubles", "--set", "trouble=throws");
  const html = Deno.readTextFileSync(out);
  assert.match(html, /What failed[\s\S]*the stage threw/);
  assert.match(html, /state-skipped/);

  const aside = await command("show", ["aside", "--store", folder.store, "--json"]);
  const { digest } = JSON.parse(aside.stdout).files[0] as { digest: string };
  const object = `${folder.store}/objects/${digest.slice(0, 2)}/${digest.slice(2)}`;
  Deno.chmodSync(object, 0o644);
  Deno.writeTextFileSync(object, "x");
  const again = await command("report", ["latest", "--store", folder.store, "--out", out]);
  assert.equal(again.code, 0, again.stderr);
  assert.match(Deno.readTextFileSync(out), /cannot be shown: object \w+ of the store is damaged/);
});

Deno.test("figures are SVG and PNG files that stand alone", async () => {
  using folder = new Folder();
  const run = await command("run", [fixture("shown"), "--store", folder.store]);
  assert.equal(run.code, 0, run.stderr);
  const args = ["latest", "--store", folder.store, "--out", `${folder.path}/r.html`, "--json"];
  const ended = await command("report", [...args, "--figures", `${folder.path}/figures`]);
  assert.equal(ended.code, 0, ended.stderr);
  const { figures } = JSON.parse(ended.stdout) as { figures: string[] };
  assert.equal(figures.length, 6, "the graph and two charts, each twice");
  const svg = Deno.readTextFileSync(figures.find((path) => path.endsWith("nats-token-.svg"))!);
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.match(svg, /loss \(nats\/token\)[\s\S]*rate=0\.003/);
  assert.ok(!svg.includes("var("), "colours need no style sheet");
  const png = Deno.readFileSync(figures.find((path) => path.endsWith("nats-token-.png"))!);
  assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  assert.equal(new DataView(png.buffer).getUint32(16), 3 * 640, "its width");

  const missing = await command("report", ["zzz", "--store", folder.store]);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /there is no run zzz/);
});
