import assert from "node:assert/strict";
import { z } from "zod";
import { plainSpace } from "../../../datasets/images/mod.ts";
import type { NamedChart } from "../../../stages/charts/codec.ts";
import { lineChart } from "../../../stages/charts/line_chart.ts";
import { imageCharts } from "../../../stages/images/image_chart.ts";
import { imageHeadline, recordParams } from "../../../stages/images/experiment_params.ts";
import { runHere } from "../in_place.ts";

const space = plainSpace(4, 4, 3);
const row = (arm: string, setting: string, bits: number, parameters: number, used = space) => ({
  arm,
  setting,
  figure: { bits, images: 10, space: used },
  standardError: 0.01,
  parameters,
});

async function chartOf(rows: ReturnType<typeof row>[]): Promise<NamedChart> {
  const { charts } = await runHere(imageCharts, { table: { rows } }, {});
  assert.equal(charts.length, 1);
  return charts[0];
}

Deno.test("the chart of image models: an arm a line, repetitions one point with their spread", async () => {
  const { chart } = await chartOf([
    row("tree", "8 latents", 3.5, 1_000_000),
    row("tree", "8 latents", 3.7, 1_000_000),
    row("tree", "16 latents", 3.25, 4_000_000),
    row("distilled", "16 clusters", 3, 2_000_000),
  ]);
  assert.deepEqual(chart.series, [
    { label: "tree", points: [{ x: 1, y: 3.6, low: 3.5, high: 3.7 }, { x: 4, y: 3.25 }] },
    { label: "distilled", points: [{ x: 2, y: 3 }] },
  ]);
  assert.match(chart.title, /4x4x3/);
  assert.equal(chart.y.label, "bits per dimension");
  const words = [...(await lineChart(chart)).matchAll(/<text[^>]*>([^<]+)</g)].map(([, word]) => word);
  assert.ok(words.includes("parameters (millions)") && words.includes("distilled"), words.join());
});

Deno.test("the chart of image models says that colours are lossy, and at which crop", async () => {
  const lossy = { ...space, transform: "ycbcr-lossy" as const };
  const { chart } = await chartOf([row("tree", "8 latents", 3.5, 1_000_000, lossy)]);
  assert.equal(chart.y.label, "bits per dimension (lossy colours)");
  assert.match(chart.title, /ycbcr|YCbCr/);
});

Deno.test("the headline is about the first teacher, against the last tree or, without trees, the last teacher", () => {
  const params = (given: object) => z.object(recordParams).parse(given);
  const { subject, baseline } = imageHeadline(params({ treeLatents: [4, 8], clusters: [16, 4] }));
  assert.deepEqual([subject, baseline], [
    "distilled from autoencoder, 16 clusters of 32 latents",
    "hidden Chow-Liu tree, 8 latents",
  ]);
  assert.equal(
    imageHeadline(params({ treeLatents: [] })).baseline,
    "distilled from random, 256 clusters of 32 latents",
  );
});
