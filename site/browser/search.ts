/// <reference lib="dom" />
import MiniSearch from "minisearch";
import type { SearchEntry } from "../search_index.ts";

const SHOWN = 12;

/** Makes a search field work: sections of all pages, the best first, as a list of links below it. */
export function connectSearch(query: HTMLInputElement): void {
  const found = document.querySelector<HTMLElement>("#found")!;
  const count = document.querySelector<HTMLElement>("#found-count")!;
  query.closest<HTMLElement>(".search")!.hidden = false;
  let ready: Promise<MiniSearch<SearchEntry>> | undefined;
  const index = () => ready ??= loadIndex(query.dataset.up!);

  const show = async () => {
    const asked = query.value.trim();
    if (asked === "") return hide();
    const search = await index();
    if (asked !== query.value.trim()) return; // More was typed meanwhile.
    const results = search.search(asked);
    const best = results.slice(0, SHOWN);
    found.replaceChildren(
      ...best.length === 0 ? [nothing(asked)] : best.map((one) => {
        const { url, title, page, text } = one as unknown as SearchEntry;
        const link = document.createElement("a");
        link.href = query.dataset.up + url;
        link.append(
          line("strong", title),
          " ",
          line("span", page, "faint"),
          line("p", excerpt(text, one.terms)),
        );
        return link;
      }),
    );
    found.hidden = false;
    count.textContent = results.length === 1 ? "1 result" : `${results.length} results`;
  };
  const hide = () => {
    found.hidden = true;
    count.textContent = "";
  };

  query.addEventListener("focus", () => void index());
  query.addEventListener("input", () => void show());
  query.addEventListener("keydown", (event) => {
    const links = [...found.querySelectorAll("a")];
    if (event.key === "Enter") links[0]?.click();
    if (event.key === "ArrowDown") {
      event.preventDefault();
      links[0]?.focus();
    }
  });
  found.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const links = [...found.querySelectorAll("a")];
    const to = links.indexOf(document.activeElement as HTMLAnchorElement) + step;
    (links[to] ?? query).focus();
  });
  found.addEventListener("click", hide);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !found.hidden) {
      hide();
      query.focus();
    }
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      query.focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !query.parentElement!.contains(event.target)) hide();
  });
}

/** The index, made of the script that has all sections: it is large, so it is loaded when it is wanted. */
async function loadIndex(up: string): Promise<MiniSearch<SearchEntry>> {
  const script = document.createElement("script");
  script.src = `${up}assets/search_index.js`;
  await new Promise((resolve, reject) => {
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });
  const search = new MiniSearch<SearchEntry>({
    fields: ["title", "page", "text"],
    storeFields: ["url", "title", "page", "text"],
    // Names are found by their parts as well: `hcltFromSamples` by `samples`.
    tokenize: (text) =>
      text.split(/[^\p{L}\p{N}_]+/u).flatMap((word) => [
        ...new Set([word, ...word.split(/_|(?<=[a-z0-9])(?=[A-Z])/)]),
      ]),
    searchOptions: {
      ...{ prefix: true, fuzzy: 0.15, combineWith: "AND", boost: { title: 4, page: 1.5 } },
      // A section that is called by the very word comes before those that have it among others.
      boostDocument: (_, term, stored) => String(stored?.title).toLowerCase() === term ? 4 : 1,
    },
  });
  search.addAll((globalThis as unknown as { searchEntries: SearchEntry[] }).searchEntries);
  return search;
}

function line(tag: string, text: string, name = ""): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name !== "") element.className = name;
  return element;
}

function nothing(asked: string): HTMLElement {
  return line("p", `Nothing is found for “${asked}”.`);
}

/** The place of a text where the first of the words stands. */
function excerpt(text: string, words: readonly string[]): string {
  const small = text.toLowerCase();
  const places = words.map((word) => small.indexOf(word)).filter((place) => place >= 0);
  const from = Math.max(0, Math.min(...places, text.length) - 40);
  const start = from === 0 || places.length === 0 ? 0 : text.indexOf(" ", from) + 1;
  return `${start === 0 ? "" : "… "}${text.slice(start, start + 160)}${
    text.length > start + 160 ? " …" : ""
  }`;
}
