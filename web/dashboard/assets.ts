import { createHash } from "node:crypto";
import { fontRules, pageFonts, stylesheet } from "../stylesheet.ts";
import { iconUrl } from "../view/wordmark.ts";
import { answer, contentPolicy } from "./access.ts";
import { bundlePage } from "./bundle.ts";

/** Scripts, style sheet and fonts, by addresses that change with what they hold. */
export interface Assets {
  /** The page that asks for them. */
  page(): Response;
  /** The one at a path with its query; undefined where there is none. */
  at(path: string): Response | undefined;
}

interface Asset {
  readonly name: string;
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/**
 * Makes everything that pages are made of except data. Browsers keep it, compiled scripts included: a page opens without asking
 * for anything but its data, and a new version has new addresses.
 */
export async function makeAssets(): Promise<Assets> {
  const { first, page, needed, others, pieces, worker } = await bundlePage();
  const known = new Map<string, Asset>();
  const add = (asset: Asset) => {
    const address = `${asset.name}?${createHash("sha256").update(asset.body).digest("hex").slice(0, 16)}`;
    known.set(asset.name, asset);
    return address;
  };
  const files = await pageFonts();
  const addresses = new Map(
    files.map((font) => [font, add({ name: font.file, type: "font/woff2", body: font.bytes })]),
  );
  const fonts = fontRules(files, (font) => addresses.get(font)!);
  const own = await Deno.readTextFile(new URL("./dashboard.css", import.meta.url));
  const style = add({
    ...{ name: "style.css", type: "text/css; charset=utf-8", body: `${fonts}${await stylesheet()}\n${own}` },
  });
  const script = (name: string, body: string) => add({ name, type: "text/javascript; charset=utf-8", body });
  for (const [name, body] of pieces) script(name, body);
  const html = shell({
    first,
    script: script("page.js", page),
    worker: script("worker.js", worker),
    style,
    needed,
    others,
    read: files.map((font) => addresses.get(font)!),
  });
  // The one script that stands in the page itself: no other that somebody puts there is run.
  const digest = createHash("sha256").update(first).digest("base64");
  const headers = { "content-security-policy": contentPolicy(`'sha256-${digest}'`) };
  return {
    page: () => answer(html, "text/html; charset=utf-8", { headers }),
    at(path) {
      const asset = known.get(path);
      return asset && answer(asset.body, asset.type, { headers: KEPT });
    },
  };
}

/** The address has the secret and a digest: nobody else's cache keeps it, and it never changes. */
const KEPT = { "cache-control": "private, max-age=31536000, immutable" };

/** The page's HTML. The worker's name depends on its code, so a page never uses a worker of another version. */
function shell(
  { first, script, worker, style, needed, others, read }: {
    /** Text of the script that runs before anything else has come. */
    first: string;
    script: string;
    worker: string;
    style: string;
    /** Scripts that the first one imports. */
    needed: readonly string[];
    /** Scripts that all pages but the list need beside them: the first script asks for these when it knows which page it is. */
    others: readonly string[];
    /** Fonts, which every page is read in. */
    read: readonly string[];
  },
): string {
  // Asked for together: otherwise a browser learns of scripts from the first one, and of fonts when it has drawn without them.
  const ahead = [
    ...needed.map((name) => `<link rel="modulepreload" href="${name}">`),
    ...read.map((name) => `<link rel="preload" as="font" type="font/woff2" crossorigin href="${name}">`),
  ];
  return `<!doctype html>
<html lang="en" data-worker="${worker}" data-others="${others.join(" ")}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Retort</title>
<script>${first}</script>
<link rel="icon" href="${iconUrl()}">
<link rel="stylesheet" href="${style}">
${ahead.join("\n")}
</head>
<body>
<div id="root"><p class="page">loading …</p></div>
<script type="module" src="${script}"></script>
</body>
</html>
`;
}
