import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { decodeTextModel } from "../../browser/model_file.ts";
import { TextModel } from "../../browser/text_model.ts";
import { openTabEngine } from "../../browser/engine.ts";
import { assertUsable, IN_BROWSER, launch, open } from "./browser.ts";
import { longestTasks } from "./page_tasks.ts";
import { Playground, smallModel } from "./playground.ts";
import { madeUpText } from "../browser/text.ts";
import { until } from "./serving.ts";

Deno.test({
  name: "the playground answers by keyboard alone, from its own files only, offline after the first load",
  ...IN_BROWSER,
  async fn() {
    await using playground = await Playground.start();
    const browser = await launch();
    try {
      const { page, complaints, asked } = await open(browser, playground.url);
      const text = async () => await page.innerText("main");
      await until("an answer", async () => /by WebAssembly[^]*by WebAssembly/.test(await text()));
      // What is read and compiled before the first answer, in this page and its worker; only then the wasm is made.
      const early = [...new Set(asked.filter((url) => url.endsWith(".js")))];
      const sizes = early.map((url) => Deno.statSync(`${playground.folder}${new URL(url).pathname}`).size);
      assert.ok(early.length > 4 && early.some((url) => url.endsWith("worker.js")), early.join("\n"));
      assert.ok(sizes.reduce((sum, size) => sum + size) <= 185_000, `${sizes} bytes of JavaScript`);
      assert.ok(asked.every((url) => url.startsWith(playground.url)), asked.join("\n"));
      assert.match(await text(), /one <b>[^]*two <b>/);
      const colours = await page.evaluate(`[...document.querySelectorAll(".model")].map((one) => {
        const [bar, known] = [one.querySelector(".amount"), document.createElement("i")];
        return [0, 1].find((role) => {
          known.style.color = \`var(--series-\${role})\`;
          document.body.append(known);
          return getComputedStyle(bar).backgroundColor === getComputedStyle(known).color;
        });
      })`);
      assert.deepEqual(colours, [0, 1], "the model in question and the one beside it have their colours");

      // What the page says is what the model says under Deno.
      const file = decodeTextModel(smallModel("one", 1).bytes, "one");
      await using model = new TextModel(file, await openTabEngine(file.circuit, "reference"));
      const { blanks } = await model.ask("we must _ the american people .");
      const [{ word, probability }] = blanks[0]!.words as [{ word: string; probability: number }];
      const row = page.locator(".model").first().locator(".blank tbody tr").first();
      assert.equal(await row.innerText(), `${word}\t${(100 * probability).toFixed(2)} %\t`);

      await page.getByLabel(/^A sentence/).focus();
      await page.keyboard.press("Control+A");
      await page.keyboard.type("to _ whom _");
      await until("two blanks", async () => /Blank 2/.test(await text()));
      assert.match(await text(), /read as unknown: whom/);
      assert.match(page.url(), /#model=one&sentence=to\+_\+whom\+_/);
      await page.locator(".word").first().press("Enter");
      await until("one blank", async () => !/Blank 2/.test(await text()));
      await page.getByLabel("Computed by").selectOption("reference");
      await until("another engine", async () => /by JavaScript[^]*by JavaScript/.test(await text()));

      await page.getByText("What its 8 hidden states mean").first().press("Enter");
      await until("states", async () => /share of a text[^]*american/.test(await text()));

      // A text is learned and its model asked, meanwhile the page answers; a file that is no model is refused.
      await page.getByLabel("A text", { exact: true }).fill(madeUpText(120));
      await page.getByRole("combobox", { name: "Hidden states" }).selectOption("8");
      await page.getByRole("button", { name: "Train", exact: true }).press("Enter");
      await until("training", async () => /epoch \d+, perplexity/.test(await text()));
      await until("a model", async () => /done[^]*Save the model/.test(await text()), 60);
      await until(
        "its answer",
        async () => /Your model: pasted text[^]*\d ms, by JavaScript/.test(await text()),
      );
      const saved = page.waitForEvent("download");
      await page.getByRole("button", { name: "Save the model" }).press("Enter");
      const path = await (await saved).path();
      assert.equal(
        decodeTextModel(await Deno.readFile(path), "saved").story.title,
        "Your model: pasted text",
      );
      const wrong = { name: "wrong.retort", mimeType: "", buffer: Buffer.from("what is this?") };
      await page.getByLabel("A model of yours").setInputFiles(wrong);
      await until("a refusal", async () => /header should have/.test(await text()));
      await page.locator("#model").selectOption("one");
      await until("the first again", async () => /by JavaScript[^]*by JavaScript/.test(await text()));

      // The link alone asks the same, without a network.
      await page.evaluate("navigator.serviceWorker.ready.then(() => 0)");
      const link = page.url();
      playground.stop();
      await page.goto("about:blank");
      await page.goto(link);
      await until("offline", async () => /by JavaScript[^]*by JavaScript/.test(await text()));
      assert.match(await page.getByLabel(/^A sentence/).inputValue(), /^to .* whom _$/);

      await assertUsable(page);
      assert.deepEqual(complaints, []);

      // Nothing can be sent elsewhere, and nothing else can run: the page's policy says so.
      for (
        const [attempt, directive] of [
          ['fetch("https://example.org/").catch(() => {})', "connect-src"],
          [
            'document.body.append(Object.assign(document.createElement("script"), { text: "0" }))',
            "script-src-elem",
          ],
          ['document.body.append(Object.assign(new Image(), { src: "https://example.org/" }))', "img-src"],
        ] as const
      ) {
        const refused = await page.evaluate(`new Promise((resolve) => {
          addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true });
          ${attempt};
        })`);
        assert.equal(refused, directive);
      }
    } finally {
      await browser.close();
    }
  },
});

Deno.test({
  name: "the page never stands still: nothing that visitors do keeps it busy for 50 ms",
  ...IN_BROWSER,
  async fn() {
    await using playground = await Playground.start();
    const dropped = `${playground.folder}/huge.txt`;
    await Deno.writeTextFile(dropped, "a ".repeat(11e6));
    const tasks = await longestTasks({
      ...{ url: playground.url, sentences: ["to _ _ _", "we must _ the _ ."] },
      ...{ pasted: madeUpText(20_000), dropped, text: madeUpText(400), states: 8 },
    });
    assert.equal(Object.keys(tasks).length, 8);
    // Processor time, as the clock counts what other work on the machine takes too.
    assert.ok(Object.values(tasks).every(({ processor }) => processor < 50), JSON.stringify(tasks));
  },
});
