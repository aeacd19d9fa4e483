import { bundleForBrowsers } from "../bundle.ts";

/** The scripts of the dashboard. */
export interface PageScripts {
  /** What every page begins with. */
  readonly page: string;
  /** Names of the pieces that it cannot begin without. */
  readonly needed: readonly string[];
  /** Pieces that the page asks for at once or when it needs them, by their names, which change with what they hold. */
  readonly pieces: ReadonlyMap<string, string>;
  /** The shared worker's. */
  readonly worker: string;
}

/** Bundles the page's script, in pieces, and the shared worker's. */
export async function bundlePage(): Promise<PageScripts> {
  // Written out: in the package such files have other names.
  const pieces = await bundleForBrowsers([new URL("./page/main.tsx", import.meta.url)], "esm");
  const worker = await bundleForBrowsers([new URL("./page/worker.ts", import.meta.url)], "esm");
  const page = pieces.get("main.js")!;
  pieces.delete("main.js");
  return {
    page: page.text,
    needed: page.imports,
    pieces: new Map([...pieces].map(([name, { text }]) => [name, text])),
    worker: worker.get("worker.js")!.text,
  };
}
