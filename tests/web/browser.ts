import assert from "node:assert/strict";
import { createRequire } from "node:module";
import "axe-core/package.json" with { type: "json" };
import { type Browser, chromium, type Page } from "playwright-core";
import { needs } from "../needs.ts";

/** Where the browser is. */
export const CHROMIUM: string = Deno.env.get("RETORT_CHROMIUM") ?? "/usr/bin/chromium";

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

/** Flags with which a browser does nothing but what it is asked. */
export const FLAGS: readonly string[] = [
  ...["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
  ...["--disable-sync", "--no-first-run"],
];

/** A browser without a window. */
export async function launch(): Promise<Browser> {
  return await chromium.launch({
    executablePath: CHROMIUM,
    args: [...FLAGS],
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
  return (await faults(page)).filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ text }) => text);
}

/** What axe-core finds on a page by some rules, by all when they are left out. */
async function faults(
  page: Page,
  rules?: readonly string[],
): Promise<{ readonly impact: string; readonly text: string }[]> {
  if (!await page.evaluate("'axe' in globalThis")) {
    await page.evaluate(
      await Deno.readTextFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js")),
    );
  }
  const options = { resultTypes: ["violations"], ...(rules === undefined ? {} : { runOnly: rules }) };
  const { violations } = await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.slice(0, 3).map((node) => ({
      impact,
      text: `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`,
    }))
  );
}

/** Rules about colours: all that another theme changes. */
const COLOURS = ["color-contrast", "link-in-text-block"];

/** Fails unless axe-core finds nothing on a page in light, in dark and on a phone, which it fits; leaves it dark and narrow. */
export async function assertUsable(page: Page, name = "the page"): Promise<void> {
  const clean = async (way: string, rules?: readonly string[]) =>
    assert.deepEqual((await faults(page, rules)).map(({ text }) => text), [], `${name} ${way}`);
  await clean("in light");
  await page.locator("#theme").selectOption("dark");
  await clean("in dark", COLOURS);
  await page.setViewportSize({ width: 360, height: 800 });
  assert.ok(await fits(page), `nothing of ${name} is cut off on a phone`);
  await clean("on a phone");
}

/** True when the page is no wider than its window: nothing is cut off on a phone. */
export async function fits(page: Page): Promise<boolean> {
  return await page.evaluate("document.documentElement.scrollWidth <= innerWidth");
}
