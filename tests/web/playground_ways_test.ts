/// <reference lib="dom" />
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { openImageModel } from "../../browser/image_model.ts";
import { openTextModel } from "../../browser/text_model.ts";
import { assertUsable, IN_BROWSER, launch, open } from "./browser.ts";
import { Playground, smallImages, smallModel } from "./playground.ts";
import { until } from "./serving.ts";

Deno.test({
  name: "a text goes on so that it holds words, by keyboard alone, as under Deno; a link asks the same",
  ...IN_BROWSER,
  async fn() {
    await using playground = await Playground.start();
    const browser = await launch();
    try {
      const { page, complaints, asked } = await open(browser, playground.url);
      const text = async () => await page.innerText("main");
      await page.getByRole("button", { name: "Hold to words" }).press("Enter");
      await page.getByLabel("A text begins").fill("we must");
      await page.getByLabel("and must hold").fill("people, american");
      await until(
        "an answer",
        async () => /all\("people", "american"\) has a probability of/.test(await text()),
        60,
      );
      await using model = await openTextModel(smallModel("one", 1).bytes, { engine: "reference" });
      const wanted = await model.goOn(["people", "american"], { begun: "we must", tokens: 16, list: 8 });
      const drawn = await page.getByRole("region", { name: "Drawn" }).locator("li").allInnerTexts();
      assert.deepEqual(drawn, wanted.drawn.map((more) => `we must${more}`));
      assert.ok(drawn.every((one) => one.includes("people") && one.includes("american")));
      const [{ text: token, probability, alone }] = wanted.next as [typeof wanted.next[number]];
      const share = (p: number) => `${(100 * p).toFixed(2)} %`;
      assert.equal(
        await page.locator(".next tbody tr").first().innerText(),
        `${JSON.stringify(token)}\t${share(probability)}\t${share(alone)}\t`,
      );
      await page.locator(".next .word").first().press("Enter");
      assert.equal(await page.getByLabel("A text begins").inputValue(), `we must${token}`);

      // What reads more than phrases is loaded when it is typed.
      const reads = () => asked.some((url) => url.includes("/from_text-"));
      assert.ok(!reads());
      await page.getByLabel("and must hold").fill('all(" people", words(2, 6))');
      await until("a constraint", async () => /all\(" people", words\(2, 6\)\) has/.test(await text()));
      assert.ok(reads());
      await page.getByLabel("and must hold").fill("all(");
      await until(
        "what is wrong",
        async () => /the constraint/.test(await page.getByRole("alert").innerText()),
      );
      await page.getByLabel("and must hold").fill("zebra");
      await until("the impossible", async () => /no text/.test(await page.getByRole("alert").innerText()));
      await page.getByLabel("and must hold").fill("");
      await until("no constraint", async () => /anyText has a probability of/.test(await text()));

      const link = page.url();
      assert.match(link, /#ask=constraint&model=one&begun=we\+must\+\S+&holds=$/);
      await page.goto("about:blank");
      await page.goto(link);
      await until("the same", async () => /anyText has a probability of/.test(await text()));
      await assertUsable(page);
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
  },
});

Deno.test({
  name:
    "the hole of an image is painted, also by keyboard, and filled in as under Deno; a link shows the same",
  ...IN_BROWSER,
  async fn() {
    await using playground = await Playground.start();
    const browser = await launch();
    try {
      const { page, complaints } = await open(browser, playground.url);
      const text = async () => await page.innerText("main");
      const shows = async (hidden: Uint8Array, image: number) => {
        await using model = await openImageModel(smallImages("pixels").bytes, { engine: "reference" });
        const answer = await model.fill(image, { hidden, seed: 0 });
        const bits = (answer.bits! / answer.hidden).toPrecision(3);
        await until(
          "an answer",
          async () =>
            (await text()).includes(
              `${answer.hidden} of 16 pixels are hidden; what is really there has ${bits} bits`,
            ),
          60,
        );
        // The greys of the pictures are those of the answer.
        for (
          const [caption, { pixels }] of [["expected values", answer.mean], [
            "draw 2",
            answer.drawn[1]!,
          ]] as const
        ) {
          assert.deepEqual(await greys(page, caption), [...pixels], caption);
        }
      };
      await page.getByRole("button", { name: "Fill in an image" }).press("Enter");
      await shows(new Uint8Array(16).fill(1, 8), 0);
      await page.getByRole("button", { name: "Another image" }).press("Enter");
      await page.getByRole("button", { name: "nothing" }).press("Enter");
      await until("nothing", async () => /nothing is hidden/.test(await text()));
      await page.getByRole("application").focus();
      await page.keyboard.press("Space");
      await page.keyboard.press("Shift+ArrowLeft");
      const hidden = new Uint8Array(16);
      hidden[9] = hidden[10] = 1;
      await shows(hidden, 1);
      const link = page.url();
      assert.match(link, /#ask=image&model=pixels&image=1&hidden=AAY$/);
      await page.goto("about:blank");
      await page.goto(link);
      await shows(hidden, 1);
      await assertUsable(page);

      // A file of one's own that is a model of images is asked the same, from wherever one is.
      await page.getByRole("button", { name: "Fill in words" }).click();
      const own = { name: "mine.retort", mimeType: "", buffer: Buffer.from(smallImages("mine").bytes) };
      await page.getByLabel("A model of yours").setInputFiles(own);
      await page.getByRole("heading", { name: "mine.retort" }).waitFor();
      await shows(hidden, 1);
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
  },
});

/** Grey levels of a picture on the page. */
async function greys(page: Page, caption: string): Promise<number[]> {
  return await page.getByAltText(caption, { exact: true }).evaluate(async (element) => {
    const image = element as HTMLImageElement;
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight),
      context = canvas.getContext("2d")!;
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return [...data].filter((_, i) => i % 4 === 0);
  });
}

Deno.test({
  name:
    "dropped files that are no text, or too much, are refused in words, and texts that are dropped are learned",
  ...IN_BROWSER,
  async fn() {
    await using playground = await Playground.start();
    const browser = await launch();
    try {
      const { page, complaints } = await open(browser, playground.url);
      // The form comes after what the first screen shows.
      await page.locator("#train-text").waitFor();
      const drop = async (name: string, parts: string) => {
        await page.evaluate(`(() => {
          const data = new DataTransfer();
          data.items.add(new File(${parts}, ${JSON.stringify(name)}));
          document.querySelector("#train-text").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
        })()`);
        await page.getByRole("button", { name: "Train", exact: true }).click();
      };
      for (
        const [name, parts, refusal] of [
          ["zeros.bin", "[new Uint8Array(100)]", /zero bytes: it is no text/],
          ["latin.txt", "[Uint8Array.of(97, 0xe9, 32, 98)]", /no text in UTF-8\. Save it as UTF-8/],
          ["short.txt", '["a few words"]', /too few to learn from/],
          [
            "huge.txt",
            "Array(65).fill(new Uint8Array(2 ** 20).fill(97))",
            /65 MiB, and a tab takes 64\. Take a part/,
          ],
          ["long.txt", '["a ".repeat(11e6)]', /22000000 characters, and a tab takes 20000000/],
        ] as const
      ) {
        await drop(name, parts);
        await until(
          name,
          async () => refusal.test(await page.getByRole("alert").allInnerTexts().then((all) => all.join())),
        );
      }
      await drop("fine.txt", '["the old nation keeps peace. ".repeat(400)]');
      await page.getByRole("button", { name: "Save the model" }).waitFor({ timeout: 60_000 });
      await page.getByRole("heading", { name: "Your model: fine.txt" }).waitFor();
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
  },
});
