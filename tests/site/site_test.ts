import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { lexer, parser } from "marked";
import type { Browser } from "playwright-core";
import { buildSite } from "../../site/site.ts";
import { sources } from "../../site/pages.ts";
import { linkTerms, termsOf } from "../../site/terms.ts";
import { entries } from "../../site/api/entries.ts";
import { Folder, ROOT } from "../command.ts";
import { pages } from "../docs/code_blocks.ts";
import { assertUsable, IN_BROWSER, launch, open } from "../web/browser.ts";
import { until } from "../web/serving.ts";

const folder = new Folder();
globalThis.addEventListener("unload", () => folder[Symbol.dispose]());
const site = join(folder.path, "site");
const built = await buildSite(site);

const GLOSSARY = sources().find(({ file }) => file === "docs/glossary.md")!;

/** Every file of the site by its path, HTML as text. */
const files = new Map<string, string>();
(function walk(under: string) {
  for (const { name, isDirectory } of Deno.readDirSync(join(site, under))) {
    const path = under === "" ? name : `${under}/${name}`;
    if (isDirectory) walk(path);
    else files.set(path, /\.(html|css|js)$/.test(name) ? Deno.readTextFileSync(join(site, path)) : "");
  }
})("");
const html = [...files].filter(([path]) => path.endsWith(".html"));

function idsOf(text: string): Set<string> {
  return new Set([...text.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!));
}

const ids = new Map(html.map(([path, text]) => [path, idsOf(text)]));

/** Why an address on a page leads nowhere, or undefined. */
function faultOf(page: string, address: string): string | undefined {
  if (/^https:\/\/[\w.-]+/.test(address)) return undefined;
  if (/^[a-z]+:/i.test(address) || address.startsWith("/")) return "neither relative nor https";
  const [path, fragment] = address.split("#") as [string, string | undefined];
  const to = path === "" ? page : join(dirname(page), path).replaceAll("\\", "/");
  if (!files.has(to)) return `there is no ${to}`;
  if (fragment !== undefined && !ids.get(to)?.has(decodeURIComponent(fragment))) {
    return `${to} has no #${fragment}`;
  }
  return undefined;
}

Deno.test("every page of the docs, and every export, is on the site", () => {
  assert.equal(built.pages, html.length);
  assert.ok(built.bytes > 1e6 && built.bytes < 30e6, `${built.bytes} bytes`);
  for (const file of pages().filter((file) => file.startsWith("docs/"))) {
    assert.ok(files.has(`${file.slice("docs/".length, -".md".length)}.html`), file);
  }
  for (const { specifier, module } of entries()) {
    const of = html.filter(([path]) => path.startsWith(`api/${specifier.replaceAll("/", "-")}/`));
    const named = new Set(of.flatMap(([path]) => [...ids.get(path)!]));
    const source = Deno.readTextFileSync(join(ROOT, module));
    const exported = [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap((match) =>
      match[1]!.split(",").map((name) => name.trim().replace(/^type /, "").split(" as ").at(-1)!)
    ).filter((name) => name !== "");
    assert.deepEqual(exported.filter((name) => !named.has(name)), [], specifier);
    assert.ok(named.size > 3, `${specifier} has ${named.size}`);
  }
});

Deno.test("every link of every page leads to a page and a place in it", () => {
  const faults = html.flatMap(([page, text]) =>
    [...text.matchAll(/\s(?:href|src)="([^"]*)"/g)].map((match) => match[1]!.replaceAll("&amp;", "&"))
      .flatMap((address) => {
        const fault = faultOf(page, address);
        return fault === undefined ? [] : [`${page}: ${address}: ${fault}`];
      })
  );
  assert.deepEqual(faults, []);
  assert.equal(faultOf("index.html", "nowhere.html"), "there is no nowhere.html");
  assert.match(faultOf("index.html", "circuits.html#nowhere")!, /has no #nowhere/);
});

Deno.test("guides and tutorials link terms of the glossary where they are first used, and say what they mean", () => {
  const linked = html.map(([page, text]) =>
    [page, [...text.matchAll(/<a class="term" href="([^"]*)" title="([^"]+)">/g)]] as const
  ).filter(([, links]) => links.length > 0);
  for (const [page, links] of linked) {
    const addresses = links.map(([, address]) => address!);
    assert.equal(new Set(addresses).size, addresses.length, `${page}: a term is linked once`);
    assert.ok(addresses.every((address) => /^(?:\.\.\/)?glossary\.html#/.test(address)), page);
  }
  const on = new Map(
    linked.map(([page, links]) => [page, links.map(([, address]) => address!.split("#")[1])]),
  );
  assert.ok(on.get("tutorials/texts.html")!.includes("vocabulary"));
  assert.ok(on.get("circuits.html")!.includes("m-step"));
  assert.ok(!on.has("glossary.html") && !on.has("results.html") && on.size > 15, [...on.keys()].join());
  const terms = termsOf([{
    ...GLOSSARY,
    text: "### EM\n\nLearning: more.\n\n### seed\n\nNo.\n\n### latent variable\n\nA.",
  }]);
  const tokens = lexer("# EM\n\n`EM`, them, [EM](x), **EM** of latent\nvariables, EM, seeds");
  linkTerms(tokens, { ...GLOSSARY, file: "docs/tutorials/a.md" }, terms);
  assert.match(
    parser(tokens),
    /<h1>EM<\/h1>\n<p><code>EM<\/code>, them, <a href="x">EM<\/a>, <strong><a href="\.\.\/glossary\.md#em" title="Learning\.">EM<\/a><\/strong> of <a href="[^"]*#latent-variable" title="A\.">latent\nvariables<\/a>, EM, seeds<\/p>/,
  );
});

Deno.test("every result of the search leads to a page and a place in it; nothing is asked of other hosts", () => {
  assert.doesNotMatch(files.get("api/index.html")!, /<dd> *<span/, "every module says what it holds");
  const script = files.get("assets/search_index.js")!;
  const found = JSON.parse(script.slice("globalThis.searchEntries=".length, -";\n".length)) as {
    url: string;
  }[];
  assert.ok(found.length > 800, `${found.length} sections`);
  const faults = found.flatMap(({ url }) => faultOf("index.html", url) ?? []);
  assert.deepEqual(faults, []);
  for (const [path, text] of html) {
    assert.doesNotMatch(text, /<(?:script|img|link|iframe|source)[^>]*(?:src|href)="(?:https?:)?\/\//, path);
    assert.doesNotMatch(
      text,
      /<script(?![^>]*\ssrc=)|\sstyle="|\son\w+="/,
      `${path} has code or style of its own`,
    );
  }
  const addresses = [...files.get("assets/site.css")!.matchAll(/url\(([^)]*)\)/g)].map((match) => match[1]);
  assert.ok(
    addresses.length >= 3 && addresses.every((address) => files.has(`assets/${JSON.parse(address!)}`)),
  );
});

Deno.test("the site has no colours but those of the other pages", () => {
  const layout = Deno.readTextFileSync(join(ROOT, "site/site.css"));
  assert.doesNotMatch(layout, /#[0-9a-f]{3,8}\b(?!\s*[{,>:.])|\b(?:rgb|hsl|oklch|light-dark|color-mix)a?\(/i);
});

/** Serves the site below a path, as a host that has other things beside it. */
function serve(): { url: string; end: () => Promise<void> } {
  const types: Record<string, string> = { html: "text/html", css: "text/css", js: "text/javascript" };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    if (!path.startsWith("/some/place/")) return new Response("", { status: 404 });
    try {
      const type = types[path.split(".").at(-1)!] ?? "application/octet-stream";
      return new Response(await Deno.readFile(join(site, path.slice("/some/place/".length))), {
        headers: { "content-type": path.endsWith(".svg") ? "image/svg+xml" : type },
      });
    } catch {
      return new Response("", { status: 404 });
    }
  });
  return { url: `http://127.0.0.1:${server.addr.port}/some/place/`, end: () => server.shutdown() };
}

/** Pages with what readers look for on them. */
const LOOKED_FOR: Readonly<Record<string, readonly RegExp[]>> = {
  "index.html": [/In a clone of this repository/, /They start from random parameters/],
  "reports.html": [/Who can reach it/, /The Hugging Face Hub/],
  "playground.html": [/playground/i],
  "tutorials/texts.html": [/init/, /answer/],
  "tutorials/images.html": [/init/, /answer/],
  "glossary.html": [/suffix/i, /window/i, /\barm\b/i, /flows/, /plan/, /materialise/, /HCLT/],
  "coming_from.html": [/PyJuice/, /DVC/, /It has, Retort has not/],
  "api/index.html": [/retort\/circuits/],
};

/** From the first page by its links: pictures that are there, tutorials, the glossary, a comparison with others, the API. */
async function findsItsWay(browser: Browser, top: string): Promise<void> {
  const { page, complaints } = await open(browser, `${top}index.html`);
  const linked = await page.evaluate(
    `[...document.querySelectorAll("a")].map((one) => one.href.split("#")[0])`,
  );
  for (const [path, patterns] of Object.entries(LOOKED_FOR)) {
    assert.ok((linked as string[]).includes(top + path), `the first page has a link to ${path}`);
    await page.goto(top + path);
    const text = await page.innerText("main");
    for (const pattern of patterns) assert.match(text, pattern, path);
    // Pictures are asked for when they are near the window.
    await page.evaluate(`for (const one of document.querySelectorAll("article img")) one.loading = "eager"`);
    await until(
      `the pictures of ${path}`,
      () =>
        page.evaluate(`[...document.querySelectorAll("article img")].every((one) => one.naturalWidth > 0)`),
    );
  }
  await page.goto(`${top}reports.html`);
  const pictures = await page.evaluate(`[...document.querySelectorAll("article img")].map((one) => one.src)`);
  for (const one of ["report", "runs", "compare", "explorer"]) {
    assert.ok((pictures as string[]).some((src) => src.includes(`page-${one}-`)), `a picture: ${one}`);
  }
  assert.deepEqual(complaints, []);
  await page.close();
}

Deno.test({
  name:
    "in a browser the site works below any path and from a disk, in both themes, on a phone, with a search",
  ...IN_BROWSER,
  async fn() {
    const served = serve();
    const browser = await launch();
    try {
      for (const top of [served.url, `${pathToFileURL(site).href}/`]) {
        const { page, complaints, asked } = await open(browser, `${top}circuits.html`);
        await page.locator("#query").fill("hclt");
        await page.locator("#found a").first().waitFor();
        await page.keyboard.press("ArrowDown");
        const first = await page.evaluate("document.activeElement.href") as string;
        await page.keyboard.press("Enter");
        await page.waitForURL(first);
        assert.match(first, /api\/retort-circuits\/circuits-structures\.html#hclt$/);
        await page.locator("#theme").selectOption("dark");
        await page.goto(`${top}index.html`);
        assert.equal(await page.evaluate("document.documentElement.dataset.theme"), "dark", "it is kept");
        const picture = page.locator("article img").first();
        await picture.scrollIntoViewIfNeeded();
        await until(
          "the picture",
          () => page.evaluate("document.querySelector('article img').naturalWidth > 0"),
        );
        await page.locator("#query").fill("qqqqzzzz");
        await page.getByText("Nothing is found").waitFor();
        await page.keyboard.press("Escape");
        assert.equal(await page.locator("#found").isVisible(), false);
        assert.deepEqual(asked.filter((url) => !url.startsWith(top)), []);
        assert.deepEqual(complaints, []);
        await page.close();
      }
      await findsItsWay(browser, served.url);
      // One page of each kind: axe takes seconds for each.
      for (const path of ["index.html", "engines.html", "api/retort-engines/kernels.html"]) {
        const { page, complaints } = await open(browser, served.url + path);
        assert.deepEqual(complaints, [], path);
        await assertUsable(page);
        await page.locator("details.pages > summary").click();
        await page.getByRole("link", { name: "Circuits", exact: true }).waitFor();
        await page.close();
      }
    } finally {
      await browser.close();
      await served.end();
    }
  },
});
