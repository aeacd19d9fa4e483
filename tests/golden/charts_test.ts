import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { lineChart } from "../../stages/charts/line_chart.ts";
import { drawGraph } from "../../foundation/drawn_graph.ts";
import { drawCurves, drawHistogram } from "../../web/parts/plot.ts";
import { checkGolden } from "../golden.ts";
import { iconUrl, wordmarkSvg } from "../../web/view/wordmark.ts";

/** SVG with an element a line. */
function lines(svg: string): string {
  return svg.replaceAll("><", ">\n<");
}

function page(): Document {
  return parseHTML("<!doctype html><html><body></body></html>").document as unknown as Document;
}

Deno.test("golden: a chart of lines with spreads, hollow points and levels", async () => {
  const svg = await lineChart({
    title: "Test perplexity against hidden states",
    x: { label: "hidden states", log: 2 },
    y: { label: "perplexity (per token)" },
    series: [
      { label: "random", points: [{ x: 64, y: 350, open: true }, { x: 128, y: 300, low: 290, high: 310 }] },
      { label: "<distilled>", points: [{ x: 64, y: 320 }, { x: 128, y: 250, open: true }] },
    ],
    levels: [{ label: "bigram", y: 280 }],
  });
  checkGolden("line_chart.svg", lines(svg));
});

Deno.test("golden: curves of a metric with a gap, and a histogram", () => {
  const series = [
    { node: "a", label: "seed 0", points: [[1, 10], [2, 5], [3, null], [4, 2.5]] },
    { node: "b", label: "seed 1", points: [[1, 12], [4, 2]] },
  ] as const;
  const chart = { stage: "train.em", metric: "loss [nats/token]", unit: "epoch", series };
  const curves = drawCurves(page(), chart, { width: 480, height: 240, logarithmic: true });
  checkGolden("curves.svg", lines(curves.outerHTML));
  const histogram = drawHistogram(page(), { from: -1, to: 3, counts: [2, 0, 7, 1] }, "weights");
  checkGolden("histogram.svg", lines(histogram.outerHTML));
});

Deno.test("golden: the picture of a graph", async () => {
  const node = (label: string, classes: string) => ({
    label,
    classes,
    fill: "#ffffff",
    tooltip: `${label}?`,
  });
  const nodes = [node("load", "cached"), node("train <em>\nepochs=3", "ran"), node("table", "failed")];
  const svg = await drawGraph("a pipeline", nodes, [
    { from: 0, to: 1, label: "text" },
    { from: 1, to: 2, label: "model" },
  ]);
  checkGolden("graph.svg", svg);
});

Deno.test("the wordmark in docs/pictures is that of the pages, and needs no font", () => {
  checkGolden("../../../docs/pictures/wordmark.svg", wordmarkSvg());
  assert.doesNotMatch(wordmarkSvg(), /<text/);
  assert.match(decodeURIComponent(iconUrl()), /^data:image\/svg\+xml,<svg xmlns/);
});
