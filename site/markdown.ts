import GithubSlugger from "github-slugger";
import { Marked, type Token, type Tokens } from "marked";
import { escapeHtml, highlighted } from "./code.ts";

/** A part of a page that begins with a heading: what a link or a search result leads to. */
export interface PageSection {
  /** Fragment of the address: as GitHub makes it of the heading. */
  readonly id: string;
  readonly level: number;
  readonly title: string;
  /** Everything in it as plain text, without its heading. */
  readonly text: string;
}

/** A rendered page. */
export interface Rendered {
  readonly html: string;
  readonly sections: readonly PageSection[];
}

/** Where a link or picture of a page leads. */
export interface Target {
  readonly href: string;
  /** What the page there is called: stands in the place of a file's name. */
  readonly title?: string;
}

/** Where an address leads on the site; undefined where the site has no place for it. */
export type ResolveLink = (address: string) => Target | undefined;

/**
 * Renders Markdown (GitHub's flavour). Code is highlighted, tables and code scroll on narrow screens, headings have
 * the fragments that GitHub gives them.
 *
 * @param change what is done to the tokens once sections are known: they hold what was written.
 */
export function renderMarkdown(
  text: string,
  resolve: ResolveLink,
  change: (tokens: Token[]) => void = () => {},
): Rendered {
  const slugger = new GithubSlugger();
  const marked = new Marked({ gfm: true });
  const tokens = marked.lexer(text);
  const sections: { id: string; level: number; title: string; text: string }[] = [];
  for (const token of tokens) {
    if (token.type === "heading") {
      const title = plainText([token]);
      sections.push({ id: slugger.slug(title), level: (token as Tokens.Heading).depth, title, text: "" });
    } else if (sections.length > 0) {
      const section = sections.at(-1)!;
      section.text = `${section.text} ${plainText([token])}`.replaceAll(/\s+/g, " ").trim();
    }
  }
  change(tokens);
  let next = 0;
  marked.use({
    renderer: {
      heading({ tokens, depth }) {
        const { id } = sections[next++]!;
        const anchor = depth === 1
          ? ""
          : ` <a class="anchor" href="#${id}" aria-hidden="true" tabindex="-1">#</a>`;
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}${anchor}</h${depth}>\n`;
      },
      // Pictures without words are for those who read the file elsewhere: here the wordmark is on every page.
      html: ({ text }) =>
        /^<img [^>]*alt=""/.test(text) ? "" : text.replaceAll(
          /\b(src|href)="([^"]*)"/g,
          (_, name: string, address: string) => `${name}="${escapeHtml(resolve(address)?.href ?? address)}"`,
        ),
      code: ({ text, lang }) => codeBlock(text, lang ?? ""),
      link(token) {
        const { href, title, tokens } = token;
        const to = resolve(href);
        const isFile = /^[\w/.-]+\.md$/.test(plainText(tokens));
        const content = isFile && to?.title !== undefined
          ? escapeHtml(to.title)
          : this.parser.parseInline(tokens);
        if (to === undefined) return content;
        const hint = title ? ` title="${escapeHtml(title)}"` : "";
        const kind = "term" in token ? ' class="term"' : "";
        return `<a${kind} href="${escapeHtml(to.href)}"${hint}>${content}</a>`;
      },
      image({ href, text }) {
        return `<img src="${escapeHtml(resolve(href)?.href ?? href)}" alt="${
          escapeHtml(text)
        }" loading="lazy">`;
      },
      table(token) {
        const row = (cells: readonly Tokens.TableCell[], tag: string) =>
          `<tr>${
            cells.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("")
          }</tr>`;
        const label = plainText(token.header.flatMap((cell) => cell.tokens));
        return `<div class="wide" role="region" tabindex="0" aria-label="Table: ${
          escapeHtml(label)
        }"><table>` +
          `<thead>${row(token.header, "th")}</thead>` +
          `<tbody>${token.rows.map((cells) => row(cells, "td")).join("\n")}</tbody></table></div>\n`;
      },
    },
  });
  return { html: marked.parser(tokens), sections };
}

/** A block of code, highlighted where its language is known. */
export function codeBlock(code: string, language: string): string {
  const kind = language.split(/\s/)[0]!;
  const name = kind === "sh" ? "Commands" : kind === "text" || kind === "" ? "Text" : "Code";
  return `<pre class="code ${escapeHtml(kind)}" tabindex="0" role="group" aria-label="${name}"><code>${
    highlighted(code.trimEnd(), kind)
  }</code></pre>\n`;
}

/** What a reader sees of tokens, without marks. */
function plainText(tokens: readonly Token[]): string {
  return tokens.map((token): string => {
    if (token.type === "table") {
      const { header, rows } = token as Tokens.Table;
      return [header, ...rows].flat().map((cell) => plainText(cell.tokens)).join(" ");
    }
    if (token.type === "list") {
      return (token as Tokens.List).items.map((item) => plainText(item.tokens)).join(" ");
    }
    if (token.type === "image") return (token as Tokens.Image).text;
    if (token.type === "br" || token.type === "space") return " ";
    if ("tokens" in token && token.tokens !== undefined) return plainText(token.tokens);
    return "text" in token ? unescaped(String(token.text)) : "";
  }).join("");
}

/** Marked leaves references such as `&amp;` in texts. */
function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll(
    "&#39;",
    "'",
  )
    .replaceAll("&amp;", "&");
}
