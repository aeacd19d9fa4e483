import { createRequire } from "node:module";

/** The parts of the style sheet in cascade order. */
const PARTS = ["tokens", "base", "parts", "charts", "answer", "compare", "explorer", "print"];

/** The style sheet of reports and the dashboard, without its font. */
export async function stylesheet(): Promise<string> {
  const parts = PARTS.map((part) => Deno.readTextFile(new URL(`./style/${part}.css`, import.meta.url)));
  return (await Promise.all(parts)).join("\n");
}

/**
 * The pages' font, Source Sans 3 (SIL Open Font License): all weights, Latin letters only; other scripts use system
 * fonts.
 */
export async function pageFont(): Promise<Uint8Array<ArrayBuffer>> {
  // Imported only for its folder: the import ensures that the package is installed.
  await import("@fontsource-variable/source-sans-3/package.json", { with: { type: "json" } });
  const path = "@fontsource-variable/source-sans-3/files/source-sans-3-latin-wght-normal.woff2";
  return await Deno.readFile(createRequire(import.meta.url).resolve(path));
}

/** The `@font-face` rule for a font at a URL. */
export function fontRule(url: string): string {
  return `@font-face {
  font-family: "Source Sans 3";
  font-weight: 200 900;
  font-display: swap;
  src: url("${url}") format("woff2");
}
`;
}
