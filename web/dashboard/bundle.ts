import { bundleForBrowsers } from "../bundle.ts";

/** The scripts of the dashboard. */
export interface PageScripts {
  /** What runs before anything else. */
  readonly first: string;
  /** What every page begins with. */
  readonly page: string;
  /** Names of the pieces that it cannot begin without. */
  readonly needed: readonly string[];
  /** Names of the pieces that every page but the list of runs needs too. */
  readonly others: readonly string[];
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
  const first = await bundleForBrowsers([new URL("./page/first.ts", import.meta.url)], "iife");
  const page = pieces.get("main.js")!;
  pieces.delete("main.js");
  const [others, { imports }] = [...pieces].find(([name]) => name.startsWith("other_pages-"))!;
  return {
    first: first.get("first.js")!.text,
    page: page.text,
    needed: page.imports,
    others: [others, ...imports].filter((name) => !page.imports.includes(name)),
    pieces: new Map([...pieces].map(([name, { text }]) => [name, text])),
    worker: worker.get("worker.js")!.text,
  };
}
