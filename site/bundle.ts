import { bundleForBrowsers } from "../web/bundle.ts";

/** The scripts of the site by file name: `theme.js` runs before a page is shown, `site.js` when it is there. */
export async function bundleScripts(): Promise<Map<string, string>> {
  const folder = new URL("./browser/", import.meta.url);
  const scripts = await bundleForBrowsers([new URL("theme.ts", folder), new URL("site.ts", folder)], "iife");
  return new Map([...scripts].map(([name, { text }]) => [name, text]));
}
