import { createRequire } from "node:module";

/** The parts of the style sheet in the order in which they apply. */
const PARTS = ["tokens", "base", "parts", "charts", "answer", "compare", "explorer", "print"];

/** The style sheet of reports and the dashboard, without its font. */
export async function stylesheet(): Promise<string> {
  const parts = PARTS.map((part) => Deno.readTextFile(new URL(`./style/${part}.css`, import.meta.url)));
  return (await Promise.all(parts)).join("\n");
}

/** The pages' font, Source Sans 3 (SIL Open Font License): all weights of Latin letters; others are the system's. */
export async function pageFont(): Promise<Uint8Array<ArrayBuffer>> {
  // Imported for its folder alone: that the package is there is what an import makes sure.
  await import("@fontsource-variable/source-sans-3/package.json", { with: { type: "json" } });
  const path = "@fontsource-variable/source-sans-3/files/source-sans-3-latin-wght-normal.woff2";
  return await Deno.readFile(createRequire(import.meta.url).resolve(path));
}

/** The rule that makes a font known by its address. */
export function fontRule(url: string): string {
  return `@font-face {
  font-family: "Source Sans 3";
  font-weight: 200 900;
  font-display: swap;
  src: url("${url}") format("woff2");
}
`;
}
