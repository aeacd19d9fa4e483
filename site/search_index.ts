import type { Page } from "./frame.tsx";

/** What the search looks through: a section of a page. */
export interface SearchEntry {
  readonly id: number;
  /** Address from the top of the site. */
  readonly url: string;
  readonly title: string;
  /** Title of the page, where it is another. */
  readonly page: string;
  readonly text: string;
}

/**
 * The script that hands the sections of all pages to the search. A script and no JSON: pages that are opened from a disk
 * may not fetch, but may have scripts.
 */
export function searchIndex(pages: readonly Page[]): string {
  const found: SearchEntry[] = [];
  for (const { path, title, sections } of pages) {
    if (sections.length === 0) found.push({ id: found.length, url: path, title, page: "", text: "" });
    for (const section of sections) {
      const top = section.level === 1;
      found.push({
        id: found.length,
        url: top ? path : `${path}#${section.id}`,
        title: section.title,
        page: top ? "" : title,
        text: section.text,
      });
    }
  }
  return `globalThis.searchEntries=${JSON.stringify(found)};\n`;
}
