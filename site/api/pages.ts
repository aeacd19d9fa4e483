import { dirname } from "node:path";
import { escapeHtml } from "../code.ts";
import { codeBlock, type PageSection, renderMarkdown } from "../markdown.ts";
import {
  type Declaration,
  type DocComment,
  type DocMember,
  type DocModule,
  type DocSymbol,
  repositoryPath,
} from "./doc.ts";
import { relative } from "../links.ts";
import { TypeWriter } from "./types.ts";

/** A module that others import. */
export interface ApiEntry {
  /** What an import says: `retort/circuits`. */
  readonly specifier: string;
  /** Path of the module in the repository. */
  readonly module: string;
}

/** A page of the API. */
export interface ApiPage {
  readonly path: string;
  readonly title: string;
  readonly html: string;
  readonly sections: readonly PageSection[];
  /** The page that lists this one, if it is that of a folder. */
  readonly under?: string;
}

/** Where a name of an entry stands. */
interface Place {
  readonly path: string;
  readonly id: string;
}

/** Pages of all entries: of each one that lists its names, and one for each folder that they come from. */
export function apiPages(entries: readonly ApiEntry[], modules: ReadonlyMap<string, DocModule>): ApiPage[] {
  const all = entries.map((entry) => {
    const module = modules.get(entry.module);
    if (module === undefined) throw new Error(`deno doc says nothing of ${entry.module}`);
    const groups = Map.groupBy(
      module.symbols,
      (symbol) => dirname(repositoryPath(symbol.declarations[0]!.location.filename)),
    );
    return { entry, module, groups: [...groups].sort(([a], [b]) => a < b ? -1 : 1) };
  });
  const places = new Map<string, Map<string, Place>>(all.map(({ entry, groups }) => [
    entry.specifier,
    new Map(
      groups.flatMap(([folder, symbols]) =>
        symbols.map(({ name }) => [name, { path: groupPath(entry, folder), id: name }] as const)
      ),
    ),
  ]));
  const placeOf = (name: string, specifier: string): Place | undefined =>
    places.get(specifier)!.get(name) ?? [...places.values()].find((names) => names.has(name))?.get(name);
  const overview: ApiPage = {
    path: "api/index.html",
    title: "Overview",
    html:
      `<h1>API</h1>\n<p>What a project imports, by the module that exports it. The pages are made of the doc comments of the sources.</p>\n<dl class="api">${
        all.map(({ entry, module }) =>
          `<dt><a href="${relative("api/index.html", entryPath(entry))}"><code>${
            escapeHtml(entry.specifier)
          }</code></a></dt>` +
          `<dd>${
            inline(firstParagraph(module.comment))
          } <span class="faint">${module.symbols.length} names</span></dd>`
        ).join("\n")
      }</dl>`,
    sections: [],
  };
  return [
    overview,
    ...all.flatMap(({ entry, module, groups }) => {
      const link = (from: string) => (name: string) => {
        const place = placeOf(name, entry.specifier);
        return place === undefined ? undefined : `${relative(from, place.path)}#${place.id}`;
      };
      return [
        entryPage(entry, module, groups, link(entryPath(entry))),
        ...groups.map(([folder, symbols]) =>
          groupPage(entry, folder, symbols, link(groupPath(entry, folder)))
        ),
      ];
    }),
  ];
}

function entryPath({ specifier }: ApiEntry): string {
  return `api/${specifier.replaceAll("/", "-")}/index.html`;
}

function groupPath({ specifier }: ApiEntry, folder: string): string {
  return `api/${specifier.replaceAll("/", "-")}/${folder.replaceAll("/", "-")}.html`;
}

type Link = (name: string) => string | undefined;

function entryPage(
  entry: ApiEntry,
  module: DocModule,
  groups: readonly (readonly [string, readonly DocSymbol[]])[],
  link: Link,
): ApiPage {
  const lists = groups.map(([folder, symbols]) => {
    const to = relative(entryPath(entry), groupPath(entry, folder));
    const names = symbols.toSorted(byKindAndName).map((symbol) =>
      `<dt><a href="${to}#${symbol.name}"><code>${symbol.name}</code></a> <span class="faint">${
        kindOf(symbol)
      }</span></dt>` +
      `<dd>${inline(firstParagraph(docOf(symbol)), link)}</dd>`
    );
    return `<h2 id="${folder.replaceAll("/", "-")}"><a href="${to}">${
      escapeHtml(folder)
    }</a></h2>\n<dl class="api">${names.join("\n")}</dl>`;
  });
  return {
    path: entryPath(entry),
    title: entry.specifier,
    html: `<h1><code>${escapeHtml(entry.specifier)}</code></h1>\n${
      codeBlock(`import { … } from "${entry.specifier}";`, "ts")
    }${rendered(module.comment, link)}\n${lists.join("\n")}`,
    sections: groups.map(([folder]) => ({
      id: folder.replaceAll("/", "-"),
      level: 2,
      title: folder,
      text: "",
    })),
  };
}

function groupPage(entry: ApiEntry, folder: string, symbols: readonly DocSymbol[], link: Link): ApiPage {
  const writer = new TypeWriter(link);
  const sorted = symbols.toSorted(byKindAndName);
  return {
    path: groupPath(entry, folder),
    title: `${entry.specifier}: ${folder}`,
    under: entryPath(entry),
    html: `<h1><code>${escapeHtml(entry.specifier)}</code>: ${escapeHtml(folder)}</h1>\n${
      sorted.map((symbol) => symbolHtml(symbol, writer, link)).join("\n")
    }`,
    sections: sorted.map((symbol) => ({
      id: symbol.name,
      level: 2,
      title: symbol.name,
      text: plainDoc(symbol),
    })),
  };
}

function symbolHtml(symbol: DocSymbol, writer: TypeWriter, link: Link): string {
  return `<section class="symbol"><h2 id="${symbol.name}"><code>${symbol.name}</code> <span class="faint">${
    kindOf(symbol)
  }</span></h2>\n${
    symbol.declarations.map((one) => declarationHtml(symbol.name, one, writer, link)).join("\n")
  }</section>`;
}

function declarationHtml(name: string, declaration: Declaration, writer: TypeWriter, link: Link): string {
  const { kind, def, jsDoc, location } = declaration;
  const code = (html: string) =>
    `<pre class="code signature" tabindex="0" role="group" aria-label="Signature"><code>${html}</code></pre>`;
  const parts: string[] = [];
  if (kind === "function") parts.push(code(writer.signature("function", name, def)));
  else if (kind === "typeAlias") {
    const word = `<span class="hljs-keyword">type</span> <span class="hljs-title">${name}</span>`;
    parts.push(code(`${word}${writer.typeParameters(def.typeParams)} = ${writer.type(def.tsType!)}`));
  } else if (kind === "variable") {
    const type = def.tsType === undefined ? "" : `: ${writer.type(def.tsType)}`;
    parts.push(
      code(`<span class="hljs-keyword">const</span> <span class="hljs-title">${name}</span>${type}`),
    );
  } else if (kind === "interface" || kind === "class") {
    const above = typeof def.extends === "string"
      ? [{ kind: "typeRef", value: { typeName: def.extends } }]
      : def.extends ?? [];
    const extended = above.length === 0
      ? ""
      : ` <span class="hljs-keyword">extends</span> ${above.map((one) => writer.type(one)).join(", ")}`;
    parts.push(code(
      `<span class="hljs-keyword">${kind}</span> <span class="hljs-title">${name}</span>${
        writer.typeParameters(def.typeParams)
      }${extended}`,
    ));
  }
  parts.push(commentHtml(jsDoc, link));
  const members = [
    ...(def.constructors ?? []).map((one) => ({ ...one, returnType: undefined }) as unknown as DocMember),
    ...def.callSignatures ?? [],
    ...def.properties ?? [],
    ...def.methods ?? [],
  ].filter(({ accessibility }) => accessibility === undefined || accessibility === "public");
  if (members.length > 0 && (kind === "interface" || kind === "class")) {
    parts.push(
      `<dl class="members">${
        members.map((member) =>
          `<dt><code>${writer.member(member)}</code></dt><dd>${commentHtml(member.jsDoc, link)}</dd>`
        ).join("\n")
      }</dl>`,
    );
  }
  const { filename, line } = location;
  return `${parts.join("\n")}\n<p class="faint origin">${escapeHtml(repositoryPath(filename))}:${line}</p>`;
}

/** A doc comment: its text, then what its tags say. */
function commentHtml(comment: DocComment | undefined, link: Link): string {
  if (comment === undefined) return "";
  const tags = comment.tags ?? [];
  const of = (kind: string) => tags.filter((tag) => tag.kind === kind && tag.doc !== undefined);
  const list = (title: string, entries: readonly string[]) =>
    entries.length === 0
      ? ""
      : `<p class="tag">${title}</p>\n<ul>${entries.map((one) => `<li>${one}</li>`).join("\n")}</ul>`;
  return [
    rendered(comment.doc ?? "", link),
    list(
      "Parameters",
      of("param").map(({ name, doc }) => `<code>${escapeHtml(name!)}</code>: ${inline(doc!, link)}`),
    ),
    list("Returns", of("return").map(({ doc }) => inline(doc!, link))),
    list("Throws", of("throws").map(({ doc }) => inline(doc!, link))),
    of("example").map(({ doc }) => `<p class="tag">Example</p>\n${rendered(doc!, link)}`).join("\n"),
    of("deprecated").map(({ doc }) => `<p class="warning">Deprecated: ${inline(doc!, link)}</p>`).join("\n"),
  ].filter((part) => part !== "").join("\n");
}

/** `{@link Name}`, `{@link Name.member shown}`. */
const LINK = /\{@link ([^}|\s]+)(?:[ |]([^}]*))?\}/g;

/** Text of a doc comment with its links to names. */
function rendered(text: string, link: Link): string {
  const linked = text.replaceAll(LINK, (_, name: string, shown: string | undefined) => {
    const to = link(name.split(".")[0]!);
    const label = `\`${shown?.trim() || name}\``;
    return to === undefined ? label : `[${label}](${to})`;
  });
  return renderMarkdown(
    linked,
    (address) => /^(https?:|#|\.\.\/|[\w-]+\.html)/.test(address) ? { href: address } : undefined,
  ).html;
}

/** The same within a line. */
function inline(text: string, link: Link = () => undefined): string {
  return rendered(text, link).trim().replace(/^<p>([\s\S]*)<\/p>$/, "$1");
}

function firstParagraph(text: string): string {
  return text.split(/\n\s*\n/)[0]!;
}

function docOf(symbol: DocSymbol): string {
  return symbol.declarations.map(({ jsDoc }) => jsDoc?.doc ?? "").join(" ");
}

/** The same for the search: without marks. */
function plainDoc(symbol: DocSymbol): string {
  return docOf(symbol).replaceAll(LINK, (_, name: string, shown: string | undefined) => shown?.trim() || name)
    .replaceAll("`", "").replaceAll(/\s+/g, " ").trim();
}

function kindOf({ declarations }: DocSymbol): string {
  const words = { typeAlias: "type", variable: "constant" } as Record<string, string>;
  return [...new Set(declarations.map(({ kind }) => words[kind] ?? kind))].join(", ");
}

const KINDS = ["function", "class", "constant", "interface", "type"];

function byKindAndName(a: DocSymbol, b: DocSymbol): number {
  const rank = (symbol: DocSymbol) => KINDS.indexOf(kindOf(symbol).split(",")[0]!);
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}
