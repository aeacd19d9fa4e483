import { dirname, posix } from "node:path";
import GithubSlugger from "github-slugger";
import type { Token, Tokens } from "marked";
import type { PageSource } from "./pages.ts";

const GLOSSARY = "docs/glossary.md";

/** Terms that are common words as well: most of what stands there is not about them. */
const COMMON = new Set(
  ("artifact cached conditional deterministic key node patch piece plan project question reason reference report run sample seed " +
    "smooth state structure suffix unit update variable window worker").split(" "),
);

/** A term of the glossary: what it looks like in a text, and where it is defined. */
export interface Term {
  readonly name: string;
  readonly pattern: RegExp;
  /** Path of the glossary with the fragment, in the repository. */
  readonly address: string;
  /** The first sentence of its definition. */
  readonly meaning: string;
}

/** What a link to a term says besides where it leads. */
export interface TermLink extends Tokens.Link {
  readonly term: true;
}

/** The terms of the glossary that are linked where they are first used, the longest first. */
export function termsOf(sources: readonly PageSource[]): Term[] {
  const page = sources.find(({ file }) => file === GLOSSARY);
  if (page === undefined) return [];
  const slugger = new GithubSlugger();
  const headings = [...page.text.matchAll(/^#+ (.*)\n+([^#\n][^\n]*)?/gm)];
  const terms = headings.flatMap(([heading, name, text = ""]): Term[] => {
    const fragment = slugger.slug(name!);
    if (!heading.startsWith("### ") || COMMON.has(name!)) return [];
    const words = name!.split(" ").map(RegExp.escape).join("\\s+");
    // A name with capitals is one with capitals alone: EM, MAP.
    const flags = name === name!.toLowerCase() ? "i" : "";
    return [{
      name: name!,
      pattern: new RegExp(`(?<![\\w-])${words}(?:e?s)?(?![\\w-])`, flags),
      address: `${GLOSSARY}#${fragment}`,
      meaning: /^.*?[.:](?=\s|$)/.exec(text)?.[0].replaceAll(/[`_*]/g, "").replace(/:$/, ".") ?? "",
    }];
  });
  return terms.sort((a, b) => b.name.length - a.name.length);
}

/** Whether terms are linked on a page: where one learns, not where one looks up. */
export function linksTerms({ part }: PageSource): boolean {
  return part === "Tutorials" || part === "Guides";
}

/** Makes links of the first use of every term in running text, in place. Headings, code, tables and links stay as they are. */
export function linkTerms(tokens: Token[], source: PageSource, terms: readonly Term[]): void {
  const open = new Set(terms);
  const walk = (list: Token[]) => {
    for (let i = 0; i < list.length; i++) {
      const token = list[i]!;
      if (token.type === "list") { for (const item of (token as Tokens.List).items) walk(item.tokens); }
      if (!["paragraph", "text", "strong", "em", "blockquote"].includes(token.type)) continue;
      if ("tokens" in token && token.tokens !== undefined) walk(token.tokens);
      else if (token.type === "text") {
        const pieces = split(token as Tokens.Text);
        list.splice(i, 1, ...pieces);
        i += pieces.length - 1;
      }
    }
  };
  const split = (token: Tokens.Text): Token[] => {
    let first: { term: Term; index: number; text: string } | undefined;
    for (const term of open) {
      const found = term.pattern.exec(token.text);
      if (found !== null && (first === undefined || found.index < first.index)) {
        first = { term, index: found.index, text: found[0] };
      }
    }
    if (first === undefined) return [token];
    open.delete(first.term);
    const { term: { address, meaning }, index, text } = first;
    const piece = (text: string): Tokens.Text => ({ ...token, raw: text, text });
    const link: TermLink = {
      ...{ type: "link", term: true, raw: text, text, tokens: [piece(text)] },
      href: posix.relative(dirname(source.file), address),
      title: meaning,
    };
    const before = token.text.slice(0, index), after = token.text.slice(index + text.length);
    return [...before === "" ? [] : [piece(before)], link, ...after === "" ? [] : split(piece(after))];
  };
  walk(tokens);
}
