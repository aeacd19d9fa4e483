import { dirname, posix } from "node:path";
import { REPOSITORY } from "./repository.ts";
import type { Target } from "./markdown.ts";
import type { PageSource } from "./pages.ts";

/** The address of a page or file of the site, seen from one of its pages. */
export function relative(from: string, to: string): string {
  return posix.relative(posix.dirname(from), to);
}

/** Turns addresses in Markdown files of the repository into addresses on the site. */
export class Links {
  /** Files that pages show or link to: their path on the site, and in the repository. */
  readonly files: Map<string, string> = new Map();
  private readonly pages: ReadonlyMap<string, PageSource>;

  constructor(sources: readonly PageSource[]) {
    this.pages = new Map(sources.map((source) => [source.file, source]));
  }

  /**
   * Where an address of a page leads on the site. Files of the repository that are neither pages nor beside them are not
   * on the site: undefined.
   *
   * @throws Error where the repository has no such file.
   */
  resolve(source: PageSource, address: string): Target | undefined {
    if (/^([a-z]+:|#)/.test(address)) return { href: address };
    const [path, fragment] = address.split("#") as [string, string | undefined];
    const file = posix.join(dirname(source.file), path);
    const end = fragment === undefined ? "" : `#${fragment}`;
    const page = this.pages.get(file);
    if (page !== undefined) return { href: relative(source.path, page.path) + end, title: page.title };
    if (!exists(file)) throw new Error(`${source.file} links to ${address}, which is not there`);
    if (!file.startsWith("docs/") && file !== "LICENSE") return undefined;
    const to = file === "LICENSE" ? "LICENSE.txt" : file.slice("docs/".length);
    this.files.set(to, file);
    return { href: relative(source.path, to) + end };
  }
}

function exists(file: string): boolean {
  try {
    return Deno.statSync(`${REPOSITORY}/${file}`).isFile;
  } catch {
    return false;
  }
}
