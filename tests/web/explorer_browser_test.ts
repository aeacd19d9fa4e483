import assert from "node:assert/strict";
import { command, fixture, Folder } from "../command.ts";
import { assertUsable, IN_BROWSER, launch, open, seriousFaults } from "./browser.ts";
import { Served, until } from "./serving.ts";

Deno.test({
  name: "models are explored by keyboard alone: blanks change as one types, pictures as one paints",
  ...IN_BROWSER,
  async fn() {
    using folder = new Folder();
    const run = await command("run", [fixture("explored"), "--store", folder.store]);
    assert.equal(run.code, 0, run.stderr);
    await using served = await Served.start(folder.store);
    const browser = await launch();
    try {
      const { page, complaints } = await open(browser, served.url);
      const text = async () => await page.innerText("main");
      const follow = async (link: string) => {
        await page.locator("main a", { hasText: link }).first().focus();
        await page.keyboard.press("Enter");
      };
      // From the run by its outputs to the model of text.
      await page.locator("td a").first().focus();
      await page.keyboard.press("Enter");
      await until("the run", async () => /Outputs/.test(await text()));
      await follow("language:circuit");
      await follow("Explore this model");
      const field = page.getByLabel(/^Sentence/);
      assert.equal(await field.inputValue(), "to _ or not", "what the run itself has filled in");
      await field.focus();
      const typed = async (sentence: string) => {
        await page.keyboard.press("Control+A");
        await page.keyboard.type(sentence);
      };
      const top = async () => await page.locator(".blank tbody").first().innerText();
      await typed("to _");
      await until("one blank", async () => /1 blank; the 3 tokens/.test(await text()));
      const before = await top();
      assert.match(before, /%/);
      assert.match(await text(), /Drawn/);
      await typed("to _ or not");
      await until("it changed", async () => await top() !== before);
      await typed("to _ whom _");
      await until("two blanks", async () => /Blank 2[\s\S]*/.test(await text()));
      assert.match(await text(), /read as unknown: whom/);
      assert.deepEqual(await seriousFaults(page), []);

      // Words that the vocabulary does not have are told beside the list, and what is asked stands in the address.
      assert.equal(await page.locator(".word", { hasText: "<unk>" }).count(), 0);
      // Drawn often enough that such words are among them.
      for (let i = 0; i < 40 && await page.locator(".texts em").count() === 0; i++) {
        const before = await page.locator(".texts").innerText();
        await page.getByRole("button", { name: "Draw others" }).press("Enter");
        await until("others", async () => await page.locator(".texts").innerText() !== before);
      }
      assert.match(await page.locator(".texts").innerText(), /some word/);
      assert.doesNotMatch(await page.innerText("main"), /<unk>/);
      assert.match(await text(), /is on words that the vocabulary does not have/);
      assert.match(await page.locator("h1").innerText(), /^text$/, "as the pipeline returns it");
      assert.match(page.url(), /sentence=to\+_\+whom\+_/);
      await page.getByLabel("the likeliest filling").press("Space");
      await until("the likeliest filling", async () => /likeliest of known words/.test(await text()));
      await page.reload();
      await until("the same is asked", async () => /Blank 2/.test(await text()));
      assert.equal(await field.inputValue(), "to _ whom _");
      assert.ok(await page.getByLabel("the likeliest filling").isChecked());
      await page.locator(".example").first().waitFor();
      const example = await page.locator(".example").first().innerText();
      assert.match(example, /_/);
      await page.locator(".example").first().press("Enter");
      assert.equal(await field.inputValue(), example);
      await typed("to _ whom _");
      await until(
        "two blanks again",
        async () => /Blank 2[\s\S]*read as unknown|read as unknown[\s\S]*Blank 2/.test(await text()),
      );

      // A word put into its blank; markup in the vocabulary is a word like others.
      assert.ok(await page.locator(".word", { hasText: "<script>" }).count() > 0);
      await page.locator(".blank").first().locator(".word", { hasText: "be" }).focus();
      await page.keyboard.press("Enter");
      assert.equal(await field.inputValue(), "to be whom _");
      assert.equal(await page.evaluate("document.activeElement.id"), "sentence");
      await typed("to be or not to be or not _");
      await until(
        "the refusal",
        async () => /has 11 tokens with its ends[\s\S]*shorten it/.test(await text()),
      );

      // Texts under a constraint: what may come next changes as one types, and grows into a text by the keyboard.
      await page.getByLabel("texts under a constraint").press("Space");
      await until(
        "the first constraint",
        async () => /words\(4, 8\) has a probability of/.test(await text()),
      );
      await page.getByLabel(/^Constraint/).focus();
      await typed('inOrder("to", " not")');
      await until("another", async () => /inOrder\("to", " not"\) has a probability of/.test(await text()));
      assert.match(await text(), /6 of 7 may come next|5 of 7 may come next/);
      await page.locator(".word", { hasText: '"to"' }).focus();
      await page.keyboard.press("Enter");
      await until("it is added", async () => /after 1 token;/.test(await text()));
      assert.equal(await page.getByLabel(/^Text so far/).inputValue(), "to");
      assert.match(page.url(), /ask=control&constraint=inOrder/);
      assert.deepEqual(await seriousFaults(page), []);
      await assertUsable(page);
      await page.reload();
      await until("the same is asked", async () => /after 1 token;/.test(await text()));
      await page.getByLabel(/^Constraint/).focus();
      await typed('not("to")');
      await until("a prompt that breaks it", async () => /the prompt breaks not\("to"\)/.test(await text()));
      await typed('inOrder("to"');
      await until("the refusal", async () => /ends too early at letter 13, expected `,`/.test(await text()));
      await typed('" whom"');
      await until("what cannot be", async () => /cannot spell it/.test(await text()));

      // Models of images: what is hidden changes with arrows and the space bar, and what may be there with it.
      for (const model of ["over-pixels:circuit", "over-patches:model"]) {
        await page.goto(`${served.url}#/runs`);
        await follow("20");
        await follow(model);
        await follow("Explore this model");
        await until("an answer", async () => /4 of 16 pixels are hidden/.test(await text()));
        const mean = async () => await page.getByAltText("expected values").getAttribute("src");
        const first = await mean();
        await page.getByRole("application").focus();
        for (const key of ["ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowUp", "Space", "Shift+ArrowRight"]) {
          await page.keyboard.press(key);
        }
        await until("two more are hidden", async () => /6 of 16 pixels are hidden/.test(await text()));
        assert.notEqual(await mean(), first);
        await page.keyboard.press("Space");
        await until("one is shown", async () => /5 of 16 pixels are hidden/.test(await text()));
        assert.match(await page.locator("#painting-at").innerText(), /row 1, column 2, seen/);
      }
      // Another model of the same run beside it; the address carries image, mask and both models.
      const beside = page.getByRole("group", { name: "Beside it" }).getByRole("checkbox").first();
      await beside.press("Space");
      await until("both answer", async () => await page.getByAltText(/^expected values by/).count() === 2);
      const hidden = new URL(page.url()).hash;
      assert.match(hidden, /set=\w+&image=0&hidden=[\w-]+&with=\w+/);
      await page.reload();
      await until(
        "both answer again",
        async () => await page.getByAltText(/^expected values by/).count() === 2,
      );
      assert.equal(new URL(page.url()).hash, hidden);
      assert.match(await text(), /test \(other images\)/);
      await beside.press("Space");

      // With a pointer as well.
      await page.getByRole("button", { name: "nothing" }).click();
      await until("nothing is hidden", async () => /nothing is hidden/.test(await text()));
      const box = (await page.getByRole("application").boundingBox())!;
      await page.mouse.move(box.x + 10, box.y + 10);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width - 10, box.y + 10, { steps: 8 });
      await page.mouse.up();
      await until("the row is hidden", async () => /4 of 16 pixels are hidden/.test(await text()));
      await assertUsable(page);
      assert.notEqual(await page.title(), "broken", "no markup from runs is run");
      // Refused questions are complaints of the browser's own.
      assert.deepEqual(complaints.filter((one) => !/status of 422/.test(one)), []);
    } finally {
      await browser.close();
    }
  },
});
