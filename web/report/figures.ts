import { createRequire } from "node:module";
import { parseHTML } from "linkedom";
import { fileNameOf } from "../../runner/logs.ts";
import { COLOURS, curveText, drawCurves, stylesOf } from "../parts/plot.ts";
import type { Chart } from "../view/curves.ts";
import type { ReportModel } from "./model.ts";
import { drawRunGraph } from "../view/run_graph.ts";

const WIDTH = 640, HEIGHT = 340, LINE = 18;

/** Dots an inch are 72 for every unit of the SVG; 3 makes 216, which prints well at the usual size. */
const ZOOM = 3;

/** Figures of a report for a paper: names without endings, and SVG texts that need no style sheet. */
export async function figuresOf(model: ReportModel): Promise<Map<string, string>> {
  const figures = new Map<string, string>();
  figures.set("graph", await drawRunGraph(model.view.nodes, () => undefined));
  for (const chart of model.view.charts) {
    figures.set(
      fileNameOf(`${chart.stage} ${chart.metric}`.replaceAll(/[^\w.-]+/g, "-")),
      curveFigure(chart),
    );
  }
  return figures;
}

/** A chart with its legend below, on white. */
export function curveFigure(chart: Chart): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const plot = drawCurves(document as unknown as Document, chart, { width: WIDTH, height: HEIGHT });
  // Attributes of HTML may hold what those of XML may not: the title says it instead.
  plot.removeAttribute("aria-label");
  for (const group of plot.querySelectorAll("[data-label]")) group.removeAttribute("data-label");
  const styles = [...stylesOf(chart.series.map((one) => one.label))];
  const columns = styles.length > 6 ? 2 : 1;
  const rows = styles.length === 1 ? 0 : Math.ceil(styles.length / columns);
  const legend = rows === 0 ? "" : styles.map(([label, style], i) => {
    const x = 60 + (i % columns) * (WIDTH - 60) / columns, y = HEIGHT + 10 + Math.floor(i / columns) * LINE;
    const dash = style.dash === "" ? "" : ` stroke-dasharray="${style.dash}"`;
    return `<line x1="${x}" x2="${x + 28}" y1="${y}" y2="${y}" stroke="var(--series-${style.colour})" ` +
      `stroke-width="2"${dash}/><text x="${x + 36}" y="${y}" dy="0.32em">${
        escapeXml(cut(label, columns))
      }</text>`;
  }).join("");
  const height = HEIGHT + rows * LINE + (rows > 0 ? 10 : 0);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
    `viewBox="0 0 ${WIDTH} ${height}" color="#1b1f23" fill="#1b1f23" font-size="12" ` +
    `font-family="'Source Sans 3', system-ui, sans-serif"><title>${
      escapeXml(curveText(chart))
    }</title><rect width="100%" height="100%" fill="#ffffff"/>` +
    `${
      plot.outerHTML.replace(/<style>[\s\S]*?<\/style>/, "").replace(/ font-family="[^"]*"/, "")
    }${legend}</svg>\n`;
  return svg.replaceAll(/var\(--series-(\d)\)/g, (_, i: string) => COLOURS[Number(i)]!.light);
}

function cut(label: string, columns: number): string {
  const limit = columns === 1 ? 90 : 40;
  return label.length > limit ? `${label.slice(0, limit - 1)}…` : label;
}

function escapeXml(text: string): string {
  // deno-lint-ignore no-control-regex -- XML has no way to write them
  const plain = text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "�");
  return plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Turns SVG texts into PNG files, with a font of its own: machines without fonts give the same pictures. */
export async function pngMaker(): Promise<(svg: string) => Uint8Array> {
  const { initWasm, Resvg } = await import("@resvg/resvg-wasm");
  // Imported for its folder alone: that the package is there is what an import makes sure.
  await import("@expo-google-fonts/source-sans-3/package.json", { with: { type: "json" } });
  const require = createRequire(import.meta.url);
  const font = await Deno.readFile(
    require.resolve("@expo-google-fonts/source-sans-3/400Regular/SourceSans3_400Regular.ttf"),
  );
  await initWasm(await Deno.readFile(require.resolve("@resvg/resvg-wasm/index_bg.wasm")));
  const family = "Source Sans 3";
  return (svg) => {
    const drawing = new Resvg(svg, {
      fitTo: { mode: "zoom", value: ZOOM },
      background: "white",
      font: { fontBuffers: [font], defaultFontFamily: family, sansSerifFamily: family },
    });
    return drawing.render().asPng();
  };
}
