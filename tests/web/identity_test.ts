import assert from "node:assert/strict";
import sharp from "sharp";
import { ALL_COLOURS, COLOURS, REFERENCE } from "../../foundation/palette.ts";
import { fontRules, pageFonts, stylesheet } from "../../web/stylesheet.ts";
import { IN_BROWSER, launch } from "./browser.ts";

/** `[light, dark]` of every colour of the style sheet. */
async function colours(): Promise<Map<string, readonly [string, string]>> {
  const found = (await stylesheet()).matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);/g);
  return new Map([...found].map(([, name, light, dark]) => [name!, [light!, dark!]]));
}

/** Relative luminance as WCAG 2.2 defines it. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(colour.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

Deno.test("texts are read and arms are seen on every surface, in light and dark", async () => {
  const known = await colours();
  const on = (ink: string, ground: string, least: number) =>
    [0, 1].forEach((theme) => {
      const found = contrast(known.get(ink)![theme]!, known.get(ground)![theme]!);
      assert.ok(
        found >= least,
        `${ink} on ${ground}, ${theme === 0 ? "light" : "dark"}: ${found.toFixed(2)}`,
      );
    });
  for (const ground of ["page", "card", "panel"]) {
    for (const ink of ["text", "faint", "link", "good-text", "bad-text"]) on(ink, ground, 4.5);
  }
  for (const ground of ["good", "busy", "bad", "odd", "calm", "brand-soft"]) on("text", ground, 4.5);
  for (const ground of ["page", "card"]) {
    // What is no text needs 3:1 (WCAG 1.4.11).
    on("brand", ground, 3);
    for (let i = 0; i <= REFERENCE; i++) on(`series-${i}`, ground, 3);
  }
});

Deno.test("colours of arms are written once, and no arm has the colour of the brand", async () => {
  const known = await colours();
  ALL_COLOURS.forEach(({ light, dark }, i) => assert.deepEqual(known.get(`series-${i}`), [light, dark]));
  assert.ok(!known.has(`series-${ALL_COLOURS.length}`));
  const brand = known.get("brand")!;
  for (const { light, dark } of COLOURS) assert.ok(light !== brand[0] && dark !== brand[1]);
});

Deno.test({
  name: "in the dark a drawing on white has the ground of its card, and lines that are seen on it",
  ...IN_BROWSER,
  async fn() {
    const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">` +
      `<rect width="40" height="20" fill="white"/><rect width="20" height="20" fill="black"/></svg>`;
    const browser = await launch();
    try {
      const page = await browser.newPage({ colorScheme: "light" });
      const pixels = async () => {
        const image = sharp(await page.locator("img").screenshot());
        const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
        const at = (
          x: number,
        ) => [...data.subarray(3 * (10 * info.width + x), 3 * (10 * info.width + x) + 3)];
        return { line: at(10), ground: at(30) };
      };
      await page.setContent(
        `<html data-theme="dark"><style>${await stylesheet()}</style><div class="output">` +
          `<img alt="drawn" src="data:image/svg+xml,${encodeURIComponent(drawing)}"></div></html>`,
      );
      const card = (await colours()).get("card")![1];
      assert.deepEqual(await pixels(), {
        line: [255, 255, 255],
        ground: [1, 3, 5].map((i) => parseInt(card.slice(i, i + 2), 16)),
      });
      await page.evaluate("document.documentElement.dataset.theme = 'light'");
      assert.deepEqual(await pixels(), { line: [0, 0, 0], ground: [255, 255, 255] });
    } finally {
      await browser.close();
    }
  },
});

Deno.test("fonts are there and named in the style sheet", async () => {
  const [fonts, style] = [await pageFonts(), await stylesheet()];
  assert.equal(fonts.length, 3);
  for (const { bytes, family } of fonts) {
    assert.equal(new TextDecoder().decode(bytes.slice(0, 4)), "wOF2");
    assert.ok(style.includes(`"${family}"`), family);
  }
  assert.match(fontRules(fonts, ({ file }) => `fonts/${file}`), /url\("fonts\/source-serif-4\.woff2"\)/);
});
