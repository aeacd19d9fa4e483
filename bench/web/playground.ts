import type { Page } from "playwright-core";
import { encodeTextModel } from "../../browser/model_file.ts";
import { hmm } from "../../circuits/mod.ts";
import { launch } from "../../tests/web/browser.ts";
import type { LongestTask } from "../../tests/web/bare_page.ts";
import { longestTasks } from "../../tests/web/page_tasks.ts";
import { buildPlayground, type PlaygroundModel } from "../../web/playground/build.ts";
import { serveFolder } from "../../web/playground/serve.ts";
import { type Figure, figure, milliseconds } from "../measure.ts";
import { tokensText } from "./tab_training.ts";

const ROUNDS = 5, STATES = 128, WORDS = 4000, TOKENS = 100_000;

/** Characters of the text that is pasted, and of the file that is dropped. */
const PASTED = 5e6, DROPPED = 60e6;

/**
 * The playground in Chromium: what is loaded before the first answer, how long it takes with a cache and without, later answers,
 * and the longest time that the page stood still in all that visitors do. Its two models have the size of the page's own, with random
 * parameters: its time does not depend on them.
 */
export async function measurePlayground(folder: string): Promise<Figure[]> {
  const words = ["<unk>", "<eos>", ...Array.from({ length: WORDS - 2 }, (_, i) => `w${i}`)];
  const model = (name: string, seed: number, beside: string | null): PlaygroundModel => {
    const { bytes } = encodeTextModel({
      circuit: hmm({ length: 32, states: STATES, symbols: WORDS, seed }),
      vocabulary: { kind: "words", words, unknown: 0, end: 1 },
      story: { title: name, provenance: [], examples: [] },
    }, 8);
    return { kind: "text", name, title: name, beside, bytes };
  };
  await buildPlayground(folder, [model("model", 1, "other"), model("other", 2, null)]);
  const listener = await serveFolder(folder);
  const url = `http://127.0.0.1:${listener.port}/#sentence=${encodeURIComponent("w1 w2 _ w3 w4 w5 w6")}`;
  try {
    return [...await answers(url), ...await stalls(url, `${folder}/dropped.txt`)];
  } finally {
    listener.close();
  }
}

/** What is loaded before the first answer, and how long answers take. */
async function answers(url: string): Promise<Figure[]> {
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
    return [
      figure("JavaScript before the first answer", "kB", [loaded / 1000], { atMost: 200 }),
      figure("first answer, nothing cached", "ms", cold, { atMost: 6000 }),
      figure("first answer, from the cache", "ms", warm, { atMost: 2000 }),
      figure(`a later answer, ${STATES} states`, "ms", later, { atMost: 100 }),
    ];
  } finally {
    await browser.close();
  }
}

/** The longest tasks of the page, without a library that drives it and so takes part in them. */
async function stalls(url: string, dropped: string): Promise<Figure[]> {
  const text = tokensText(TOKENS);
  const long = (length: number) => text.repeat(Math.ceil(length / text.length)).slice(0, length);
  await Deno.writeTextFile(dropped, long(DROPPED));
  const tasks: Readonly<Record<string, LongestTask>>[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    tasks.push(
      await longestTasks({
        ...{ url, sentences: ["w1 _ _ w2 _", "w5 _ w7"], pasted: long(PASTED), dropped },
        ...{ text, states: STATES },
      }),
    );
  }
  return Object.keys(tasks[0]!).flatMap((what) =>
    ([["processor time", "processor"], ["by the clock", "clock"]] as const).map(([words, time]) =>
      figure(`longest task while ${what}, ${words}`, "ms", tasks.map((one) => one[what]![time]), {
        atMost: 50,
      })
    )
  );
}
