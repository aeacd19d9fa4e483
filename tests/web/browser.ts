import assert from "node:assert/strict";
import { createRequire } from "node:module";
import "axe-core/package.json" with { type: "json" };
import { type Browser, chromium, type Page } from "playwright-core";
import { needs } from "../needs.ts";

const CHROMIUM = Deno.env.get("RETORT_CHROMIUM") ?? "/usr/bin/chromium";

/** The option of tests that need a browser. */
export const IN_BROWSER: { readonly ignore: boolean } = needs(
  "browser",
  (() => {
    try {
      return Deno.statSync(CHROMIUM).isFile;
    } catch {
      return false;
    }
  })(),
);

/** A page with what it complained about. */
export interface Opened {
  readonly page: Page;
  /** Errors of the page and of its console. */
  readonly complaints: string[];
  /** Addresses that it asked for, without data URLs. */
  readonly asked: string[];
}

/** A browser without a window. */
export async function launch(): Promise<Browser> {
  return await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
      ...["--disable-sync", "--no-first-run"],
    ],
  });
}

/** Opens a page and listens to its complaints. */
export async function open(
  browser: Browser,
  url: string,
  options: { dark?: boolean; width?: number } = {},
): Promise<Opened> {
  const page = await browser.newPage({
    viewport: { width: options.width ?? 1200, height: 900 },
    colorScheme: options.dark === true ? "dark" : "light",
  });
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) asked.push(request.url());
  });
  await page.goto(url);
  return { page, complaints, asked };
}

/** What axe-core finds that is serious or critical: rule and element. */
export async function seriousFaults(page: Page): Promise<string[]> {
  const axe = await Deno.readTextFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"));
  const code = `(() => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`;
  const { violations } = await page.evaluate(code) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return violations.filter((one) => one.impact === "serious" || one.impact === "critical").flatMap((one) =>
    one.nodes.slice(0, 3).map((node) => `${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`)
  );
}

/** Fails unless a page has no serious fault in light and dark, and fits a phone; leaves it dark and narrow. */
export async function assertUsable(page: Page): Promise<void> {
  assert.deepEqual(await seriousFaults(page), []);
  await page.locator("#theme").selectOption("dark");
  assert.deepEqual(await seriousFaults(page), []);
  await page.setViewportSize({ width: 360, height: 800 });
  assert.ok(await fits(page), "nothing is cut off on a phone");
}

/** True when the page is no wider than its window: nothing is cut off on a phone. */
export async function fits(page: Page): Promise<boolean> {
  return await page.evaluate("document.documentElement.scrollWidth <= innerWidth");
}
