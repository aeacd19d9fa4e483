import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { bundleForBrowsers } from "../bundle.ts";
import { fontRules, pageFonts, stylesheet } from "../stylesheet.ts";
import { markSvg } from "../view/wordmark.ts";
import { playgroundHtml } from "./html.ts";
import type { OfferedModel } from "./page/protocol.ts";

/** A model that the page offers, with its file. */
export interface PlaygroundModel extends Omit<OfferedModel, "file"> {
  /** The file, of `encodeTextModel`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What was built. */
export interface BuiltPlayground {
  readonly files: number;
  readonly bytes: number;
}

/** Files that the page asks for when it needs them, and that are not kept beforehand. */
const LATER = /^assets\/.*\.wasm$/;

/**
 * Builds the playground into a folder of static files, for any host and path. Other files in the folder are left alone.
 *
 * @param models the first is the one that the page begins with.
 */
export async function buildPlayground(
  out: string,
  models: readonly PlaygroundModel[],
): Promise<BuiltPlayground> {
  const files = new Map<string, string | Uint8Array<ArrayBuffer>>();
  const page = new URL("./page/", import.meta.url);
  const scripts = await bundleForBrowsers([new URL("main.tsx", page), new URL("worker.ts", page)], "esm");
  const early = await bundleForBrowsers(
    [new URL("first.ts", page), new URL("service_worker.ts", page)],
    "iife",
  );
  for (const [name, { text }] of scripts) files.set(`assets/${name}`, text);
  files.set("assets/first.js", early.get("first.js")!.text);
  const fonts = await pageFonts();
  for (const font of fonts) files.set(`assets/${font.file}`, font.bytes);
  const own = await Deno.readTextFile(new URL("./playground.css", import.meta.url));
  files.set("assets/style.css", `${fontRules(fonts, ({ file }) => file)}${await stylesheet()}\n${own}`);
  files.set("assets/icon.svg", markSvg());
  const offered = models.map(({ bytes, ...model }): OfferedModel => {
    const file = `models/${model.name}-${digestOf(bytes)}.retort`;
    files.set(file, bytes);
    return { ...model, file };
  });
  files.set("index.html", playgroundHtml(offered, scripts.get("main.js")!.imports));
  // Last, as it knows all others: a change of any of them is a new version.
  const kept = [...files.keys()].filter((path) => !LATER.test(path));
  const version = digestOf(kept.map((path) => digestOf(files.get(path)!)).join());
  files.set(
    "service_worker.js",
    `const VERSION = ${JSON.stringify(version)}, FILES = ${JSON.stringify(["./", ...kept])};\n${
      early.get("service_worker.js")!.text
    }`,
  );
  let bytes = 0;
  for (const [path, content] of files) {
    const data = typeof content === "string" ? new TextEncoder().encode(content) : content;
    bytes += data.length;
    await Deno.mkdir(dirname(join(out, path)), { recursive: true });
    await Deno.writeFile(join(out, path), data);
  }
  return { files: files.size, bytes };
}

function digestOf(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex").slice(0, 12);
}
