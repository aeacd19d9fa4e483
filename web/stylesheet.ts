import { createRequire } from "node:module";
import { ALL_COLOURS } from "../foundation/palette.ts";

/** The parts of the style sheet in cascade order. */
const PARTS = ["tokens", "base", "parts", "charts", "answer", "compare", "explorer", "print"];

/**
 * The style sheet of everything that people look at (reports, the dashboard, the documentation), without its fonts: see
 * {@link fontRules}.
 */
export async function stylesheet(): Promise<string> {
  const parts = PARTS.map((part) => Deno.readTextFile(new URL(`./style/${part}.css`, import.meta.url)));
  return [...await Promise.all(parts), seriesRule()].join("\n");
}

/**
 * Colours of arms, the same in every chart and on every page: `--series-0` the subject, `--series-1` the baseline,
 * `--series-7` references.
 */
function seriesRule(): string {
  const colours = ALL_COLOURS.map(({ light, dark }, i) => `  --series-${i}: light-dark(${light}, ${dark});`);
  return `:root {\n${colours.join("\n")}\n}\n`;
}

/** A font of the pages. */
export interface PageFont {
  /** Name of its file. */
  readonly file: string;
  readonly family: string;
  /** The weights it has, as CSS says it. */
  readonly weights: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const FAMILIES = [
  { family: "Source Sans 3", name: "source-sans-3", weights: "200 900" },
  { family: "Source Serif 4", name: "source-serif-4", weights: "200 900" },
  { family: "Source Code Pro", name: "source-code-pro", weights: "200 900" },
] as const;

/**
 * The pages' fonts (SIL Open Font License): all weights, Latin letters only; other scripts use system fonts.
 */
export async function pageFonts(): Promise<PageFont[]> {
  // Imported only for their folders: the imports ensure that the packages are installed.
  await Promise.all([
    import("@fontsource-variable/source-sans-3/package.json", { with: { type: "json" } }),
    import("@fontsource-variable/source-serif-4/package.json", { with: { type: "json" } }),
    import("@fontsource-variable/source-code-pro/package.json", { with: { type: "json" } }),
  ]);
  const { resolve } = createRequire(import.meta.url);
  return await Promise.all(FAMILIES.map(async ({ family, name, weights }) => ({
    ...{ file: `${name}.woff2`, family, weights },
    bytes: await Deno.readFile(
      resolve(`@fontsource-variable/${name}/files/${name}-latin-wght-normal.woff2`),
    ),
  })));
}

/** The `@font-face` rules of fonts, each at the address that `urlOf` gives. */
export function fontRules(fonts: readonly PageFont[], urlOf: (font: PageFont) => string): string {
  return fonts.map((font) =>
    `@font-face {
  font-family: "${font.family}";
  font-weight: ${font.weights};
  font-display: swap;
  src: url("${urlOf(font)}") format("woff2");
}
`
  ).join("");
}
