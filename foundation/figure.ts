/** Figures that stand by themselves: SVG texts with a legend, without a style sheet, on white. */
import { withVisibleMarks } from "./bidi.ts";
import { ALL_COLOURS, type Style } from "./palette.ts";

/** Height of a line of the legend, where it begins, and what is between it and the plot. */
const LINE = 18, LEFT = 60, GAP = 10;

/** What is used of an element, a browser's or another's. */
interface Attributed {
  removeAttribute(name: string): void;
}

/** An SVG element. */
export interface Drawn extends Attributed {
  readonly outerHTML: string;
  querySelectorAll(selector: string): Iterable<Attributed>;
}

/** Attributes of HTML that may hold what those of XML may not: the title says what they say. */
const HTML_ONLY = ["aria-label", "data-label"];

/** What a figure is made of. */
export interface FigureParts {
  /** The plot, an SVG element, which is changed. Colours are `var(--series-N)`. */
  readonly plot: Drawn;
  /** What it shows, for who cannot see it. */
  readonly title: string;
  /** Of the plot. */
  readonly width: number;
  /** Of the plot. */
  readonly height: number;
  /** Labels with their styles; one alone needs no legend. */
  readonly legend: readonly (readonly [string, Style])[];
  /** What hollow points are, in a line of the legend of its own. */
  readonly hollow?: string;
}

/** A plot with its legend below. */
export function figureText({ plot, title, width, height, legend, hollow }: FigureParts): string {
  for (const name of HTML_ONLY) {
    for (const part of [plot, ...plot.querySelectorAll(`[${name}]`)]) part.removeAttribute(name);
  }
  const columns = legend.length > 6 ? 2 : 1;
  const rows = legend.length < 2 ? 0 : Math.ceil(legend.length / columns);
  const named = rows === 0 ? "" : legend.map(([label, style], i) => {
    const x = LEFT + (i % columns) * (width - LEFT) / columns;
    const y = height + GAP + Math.floor(i / columns) * LINE;
    const dash = style.dash === "" ? "" : ` stroke-dasharray="${style.dash}"`;
    return `<line x1="${x}" x2="${x + 28}" y1="${y}" y2="${y}" stroke="var(--series-${style.colour})" ` +
      `stroke-width="2"${dash}/><text x="${x + 36}" y="${y}" dy="0.32em">${
        escapeXml(cut(label, columns))
      }</text>`;
  }).join("");
  const below = height + GAP + rows * LINE;
  const told = hollow === undefined
    ? ""
    : `<circle cx="${
      LEFT + 14
    }" cy="${below}" r="3.5" fill="#ffffff" stroke="#444444" stroke-width="1.75"/>` +
      `<text x="${LEFT + 36}" y="${below}" dy="0.32em">${escapeXml(hollow)}</text>`;
  const whole = rows === 0 && told === "" ? height : below + (told === "" ? 0 : LINE);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${whole}" ` +
    `viewBox="0 0 ${width} ${whole}" color="#1b1f23" fill="#1b1f23" font-size="12" ` +
    `font-family="'Source Sans 3', system-ui, sans-serif"><title>${escapeXml(title)}</title>` +
    `<rect width="100%" height="100%" fill="#ffffff"/>${
      plot.outerHTML.replace(/<style>[\s\S]*?<\/style>/, "").replace(/ font-family="[^"]*"/, "")
    }${named}${told}</svg>\n`;
  return svg.replaceAll(/var\(--series-(\d)\)/g, (_, i: string) => ALL_COLOURS[Number(i)]!.light);
}

function cut(label: string, columns: number): string {
  const limit = columns === 1 ? 90 : 40;
  return label.length > limit ? `${label.slice(0, limit - 1)}…` : label;
}

function escapeXml(text: string): string {
  // deno-lint-ignore no-control-regex -- XML has no way to write them
  const plain = text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "�");
  return withVisibleMarks(plain).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
