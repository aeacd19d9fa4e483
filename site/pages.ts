import { existsSync } from "node:fs";
import { basename } from "node:path";
import { REPOSITORY } from "./repository.ts";

/** A Markdown file of the repository that is a page of the site. */
export interface PageSource {
  /** Path in the repository. */
  readonly file: string;
  /** Path of the page on the site. */
  readonly path: string;
  readonly part: Part;
  /** Its first heading. */
  readonly title: string;
  readonly text: string;
}

/** Parts of the navigation, in order. */
export const PARTS = ["Start", "Tutorials", "Guides", "Reference", "API", "Results", "Project"] as const;
export type Part = typeof PARTS[number];

/** The order of pages in each part; pages of `docs/` that are not named stand at the end of the guides. */
const ORDER: Partial<Record<Part, readonly string[]>> = {
  Start: ["README.md"],
  Tutorials: inFolder("docs/tutorials", "texts images rows stage circuit"),
  Guides: inFolder(
    "docs",
    "pipelines running growing temporary accepting shards text distillation control images playground library circuits engines webgpu reports permissions",
  ),
  Reference: inFolder("docs", "glossary errors coming_from"),
  Results: inFolder("docs", "results results_images performance"),
  Project: ["docs/architecture.md", "CONTRIBUTING.md", "CHANGELOG.md", "RELEASE.md", "SECURITY.md"],
};

function inFolder(folder: string, names: string): string[] {
  return names.split(" ").map((name) => `${folder}/${name}.md`);
}

/** All pages that are written by hand, in the order of the navigation. */
export function sources(): PageSource[] {
  const named = new Map(
    PARTS.flatMap((part) => (ORDER[part] ?? []).map((file, place) => [file, { part, place }] as const)),
  );
  const files = [
    ...[...named.keys()].filter((file) => !file.startsWith("docs/")),
    ...markdownIn("docs"),
    ...markdownIn("docs/tutorials"),
  ];
  const placed = files.map((file) => ({
    file,
    ...named.get(file) ??
      {
        part: file.startsWith("docs/tutorials/") ? "Tutorials" as const : "Guides" as const,
        place: Infinity,
      },
  }));
  placed.sort((a, b) =>
    PARTS.indexOf(a.part) - PARTS.indexOf(b.part) || (a.place === b.place ? 0 : a.place - b.place)
  );
  return placed.map(({ file, part }) => {
    const text = Deno.readTextFileSync(`${REPOSITORY}/${file}`);
    const title = /^# (.*)$/m.exec(text)?.[1];
    if (title === undefined) throw new Error(`${file} has no title: a line that begins with "# "`);
    return { file, path: pathOf(file), part, title: title.replaceAll("`", ""), text };
  });
}

function markdownIn(folder: string): string[] {
  const path = `${REPOSITORY}/${folder}`;
  const names = existsSync(path) ? [...Deno.readDirSync(path)].map((entry) => entry.name) : [];
  return names.filter((name) => name.endsWith(".md")).sort().map((name) => `${folder}/${name}`);
}

/** `README.md` is the first page, `docs/a/b.md` is `a/b.html`, what lies beside README lies beside it here. */
function pathOf(file: string): string {
  if (file === "README.md") return "index.html";
  return file.startsWith("docs/")
    ? `${file.slice("docs/".length, -".md".length)}.html`
    : `${basename(file, ".md").toLowerCase()}.html`;
}
