import { dirname, join } from "node:path";
import { fontRules, pageFonts, stylesheet } from "../web/stylesheet.ts";
import { markSvg } from "../web/view/wordmark.ts";
import { documentedModules } from "./api/doc.ts";
import { entries } from "./api/entries.ts";
import { apiPages } from "./api/pages.ts";
import { bundleScripts } from "./bundle.ts";
import { type Page, pageHtml } from "./frame.tsx";
import { Links } from "./links.ts";
import { renderMarkdown } from "./markdown.ts";
import { PARTS, sources } from "./pages.ts";
import { REPOSITORY } from "./repository.ts";
import { searchIndex } from "./search_index.ts";
import { linksTerms, linkTerms, termsOf } from "./terms.ts";

/** What was built. */
export interface Built {
  readonly pages: number;
  readonly bytes: number;
}

/**
 * Builds the documentation as a static site: the pages in Markdown, the API from doc comments, a search index.
 *
 * @param out folder that is written into; other files there are left alone.
 * @throws Error where a page links to a file that is not there.
 */
export async function buildSite(out: string): Promise<Built> {
  const written = sources();
  const links = new Links(written);
  const terms = termsOf(written);
  const exported = entries();
  const [modules, scripts] = await Promise.all([
    documentedModules(exported.map(({ module }) => module)),
    bundleScripts(),
  ]);
  const guides: Page[] = written.map((source) => {
    const { html, sections } = renderMarkdown(
      source.text,
      (address) => links.resolve(source, address),
      linksTerms(source) ? (tokens) => linkTerms(tokens, source, terms) : undefined,
    );
    return { path: source.path, part: source.part, title: source.title, html, sections };
  });
  const api: Page[] = apiPages(exported, modules).map((page) => ({ ...page, part: "API" }));
  const pages = [...guides, ...api];
  const listed = PARTS.flatMap((part) =>
    pages.filter((page) => page.part === part && page.under === undefined)
  );
  const files = new Map<string, string | Uint8Array>(
    pages.map((page) => [page.path, pageHtml(page, listed)]),
  );
  for (const [path, file] of links.files) files.set(path, await Deno.readFile(join(REPOSITORY, file)));
  for (const [path, script] of scripts) files.set(`assets/${path}`, script);
  files.set("assets/search_index.js", searchIndex(pages));
  const fonts = await pageFonts();
  for (const font of fonts) files.set(`assets/${font.file}`, font.bytes);
  const layout = await Deno.readTextFile(new URL("./site.css", import.meta.url));
  files.set("assets/site.css", `${fontRules(fonts, ({ file }) => file)}${await stylesheet()}\n${layout}`);
  files.set("assets/icon.svg", markSvg());
  let bytes = 0;
  for (const [path, content] of files) {
    const data = typeof content === "string" ? new TextEncoder().encode(content) : content;
    bytes += data.length;
    await Deno.mkdir(dirname(join(out, path)), { recursive: true });
    await Deno.writeFile(join(out, path), data);
  }
  return { pages: pages.length, bytes };
}
