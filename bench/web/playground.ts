import type { Page } from "playwright-core";
import { encodeTextModel } from "../../browser/model_file.ts";
import { hmm } from "../../circuits/mod.ts";
import { launch } from "../../tests/web/browser.ts";
import { longestTask } from "../../tests/web/page_tasks.ts";
import { buildPlayground } from "../../web/playground/build.ts";
import { serveFolder } from "../../web/playground/serve.ts";
import { type Figure, figure, milliseconds } from "../measure.ts";
import { tokensText } from "./tab_training.ts";

const ROUNDS = 5, STATES = 128, WORDS = 4000, TOKENS = 100_000;

/**
 * The playground in Chromium: what is loaded before the first answer, how long it takes with a cache and without, later answers,
 * and the longest time that the page stood still while it was loaded, took a text and learned. The model has the size of the page's
 * own, with random parameters: its time does not depend on them.
 */
export async function measurePlayground(folder: string): Promise<Figure[]> {
  const words = ["<unk>", "<eos>", ...Array.from({ length: WORDS - 2 }, (_, i) => `w${i}`)];
  const circuit = hmm({ length: 32, states: STATES, symbols: WORDS, seed: 1 });
  const sentence = "w1 w2 _ w3 w4 w5 w6";
  const { bytes } = encodeTextModel({
    circuit,
    vocabulary: { kind: "words", words, unknown: 0, end: 1 },
    story: { title: "model", provenance: [], examples: [] },
  }, 8);
  await buildPlayground(folder, [{ kind: "text", name: "model", title: "model", beside: null, bytes }]);
  const listener = await serveFolder(folder);
  const url = `http://127.0.0.1:${listener.port}/#sentence=${encodeURIComponent(sentence)}`;
  const browser = await launch();
  try {
    const answered = async (page: Page) =>
      await page.locator('[data-answered="yes"]').waitFor({ timeout: 60_000 });
    const cold: number[] = [], warm: number[] = [], later: number[] = [];
    let loaded = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const scripts = new Map<string, number>();
      page.on("response", async (response) => {
        if (response.url().endsWith(".js")) scripts.set(response.url(), (await response.body()).length);
      });
      cold.push(
        await milliseconds(async () => {
          await page.goto(url);
          await answered(page);
        }),
      );
      loaded = [...scripts.values()].reduce((sum, size) => sum + size, 0);
      await page.evaluate("navigator.serviceWorker.ready.then(() => 0)");
      await page.goto("about:blank");
      warm.push(
        await milliseconds(async () => {
          await page.goto(url);
          await answered(page);
        }),
      );
      for (const word of ["w7", "w8", "w9"]) {
        await page.locator("#sentence").fill(`w1 w2 _ w3 ${word} w5 w6`);
        await page.waitForTimeout(1500);
        later.push(Number(/(\d+) ms/.exec(await page.locator("[data-answered]").innerText())![1]));
      }
      await context.close();
    }
    const text = tokensText(TOKENS);
    const page = await browser.newPage();
    await page.addInitScript(() => {
      const longest = { longest: 0 };
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest.longest = Math.max(longest.longest, duration);
      }).observe({ type: "longtask" });
      Object.assign(globalThis, { stalls: longest });
    });
    await page.goto(url);
    await answered(page);
    const busy = await longestTask(browser, page, async () => {
      await page.getByLabel("A text", { exact: true }).fill(text);
      await page.getByRole("combobox", { name: "Hidden states" }).selectOption(String(STATES));
      await page.getByRole("button", { name: "Train", exact: true }).click();
      await page.getByText(/epoch 2, perplexity/).waitFor({ timeout: 600_000 });
    });
    const stall = await page.evaluate("stalls.longest") as number;
    return [
      figure("JavaScript before the first answer", "kB", [loaded / 1000], { atMost: 200 }),
      figure("first answer, nothing cached", "ms", cold, { atMost: 6000 }),
      figure("first answer, from the cache", "ms", warm, { atMost: 2000 }),
      figure(`a later answer, ${STATES} states`, "ms", later, { atMost: 100 }),
      figure("longest task of the page, by the clock; 0 if none is over 50 ms", "ms", [stall], {
        atMost: 50,
      }),
      figure("longest task of the page once it is loaded, processor time", "ms", [busy], { atMost: 50 }),
    ];
  } finally {
    await browser.close();
    listener.close();
  }
}
