import { createRequire } from "node:module";
import { parseHTML } from "linkedom";
import { fileNameOf } from "../../runner/logs.ts";
import { figureText } from "../../foundation/figure.ts";
import { curveText, drawCurves } from "../parts/plot.ts";
import { type Chart, seriesStyles } from "../view/curves.ts";
import type { ReportModel } from "./model.ts";
import { drawRunGraph } from "../view/run_graph.ts";

const WIDTH = 640, HEIGHT = 340;

/** Scale of PNGs relative to the SVG's 72 dots per inch: 3 gives 216, which prints well at the usual size. */
const ZOOM = 3;

/** Figures of a report for a paper, by name without extension, as SVG that needs no style sheet. */
export async function figuresOf(model: ReportModel): Promise<Map<string, string>> {
  const figures = new Map<string, string>();
  figures.set("graph", await drawRunGraph(model.view.nodes, () => undefined));
  for (const chart of model.view.charts) {
    figures.set(figureName(`${chart.stage} ${chart.metric}`), curveFigure(chart));
  }
  for (const { name, previews } of [...model.outputs, ...model.pictures]) {
    for (const { file, preview } of previews) {
      if (preview.kind !== "picture" || !file.endsWith(".svg")) continue;
      const text = await (await fetch(preview.url)).text();
      figures.set(figureName(`${name} ${file.slice(0, -4)}`), text);
    }
  }
  return figures;
}

function figureName(text: string): string {
  return fileNameOf(text.replaceAll(/[^\w.-]+/g, "-"));
}

/** A chart on white with its legend below. */
export function curveFigure(chart: Chart): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const plot = drawCurves(document as unknown as Document, chart, { width: WIDTH, height: HEIGHT });
  return figureText({
    plot,
    title: curveText(chart),
    width: WIDTH,
    height: HEIGHT,
    legend: [...seriesStyles(chart.series)],
  });
}

/**
 * Returns a function that renders SVG to PNG, with a bundled font so that pictures do not depend on the machine's fonts.
 */
export async function pngMaker(): Promise<(svg: string) => Uint8Array> {
  const { initWasm, Resvg } = await import("@resvg/resvg-wasm");
  // Imported only for its folder: the import ensures that the package is installed.
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
