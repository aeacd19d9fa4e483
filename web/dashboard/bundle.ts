import { bundleForBrowsers } from "../bundle.ts";

/** Bundles the page's script and the shared worker's script. */
export async function bundlePage(): Promise<{ readonly page: string; readonly worker: string }> {
  const folder = new URL("./page/", import.meta.url);
  const scripts = await bundleForBrowsers([new URL("main.tsx", folder), new URL("worker.ts", folder)], "esm");
  return { page: scripts.get("main.js")!, worker: scripts.get("worker.js")! };
}
