import assert from "node:assert/strict";
import { DOMParser } from "linkedom";
import { charts } from "../../stages/charts/codec.ts";
import { lineChart } from "../../stages/charts/line_chart.ts";
import { languageCharts } from "../../stages/text/language_chart.ts";
import { inPlace, runHere } from "./in_place.ts";

/** The picture as XML; fails where it is not well-formed enough to be drawn. */
function parsed(svg: string) {
  const { documentElement } = new DOMParser().parseFromString(svg, "image/svg+xml");
  assert.equal(documentElement?.tagName, "svg");
  return documentElement!;
}

Deno.test("a chart has its points, spreads, levels, axes and legend, and needs no style sheet", async () => {
  const svg = await lineChart({
    title: "What <b>grows</b> & why",
    x: { label: "hidden states", log: 2 },
    y: { label: "perplexity (per token)" },
    series: [
      { label: "random", points: [{ x: 128, y: 300, low: 290, high: 310 }, { x: 64, y: 350 }] },
      { label: "<distilled>", points: [{ x: 64, y: 320 }, { x: 128, y: 250 }] },
    ],
    levels: [{ label: "bigram", y: 280 }],
  });
  const root = parsed(svg);
  assert.equal(root.querySelectorAll("circle").length, 4);
  const words = [...root.querySelectorAll("text")].map((text) => text.textContent);
  for (const word of ["hidden states", "perplexity (per token)", "64", "128", "bigram", "random"]) {
    assert.ok(words.includes(word), `${word} is not in ${words}`);
  }
  assert.ok(svg.includes("&lt;distilled&gt;") && svg.includes("What &lt;b&gt;grows&lt;/b&gt; &amp; why"));
  assert.ok(!svg.includes("var(--") && !svg.includes("<style"));
  // 64 states stand left of 128, 250 below 350.
  const dots = [...root.querySelectorAll("circle")].map((dot) => [
    Number(dot.getAttribute("cx")),
    Number(dot.getAttribute("cy")),
  ]);
  const [left, right] = dots as [[number, number], [number, number]];
  assert.ok(left[0] < right[0] && left[1] < right[1]);
});

const table = {
  budget: 2,
  rows: [
    { arm: "random", states: 64, seed: 0, atBudget: 400, valid: 350, test: 340 },
    { arm: "random", states: 64, seed: 1, atBudget: 420, valid: 352, test: 338 },
    { arm: "random", states: 128, seed: 0, atBudget: null, valid: 330, test: 320 },
    { arm: "lvd", states: 64, seed: 0, atBudget: 380, valid: 300, test: 290 },
  ].map((row) => ({
    ...row,
    start: 900,
    best: row.valid,
    bestEpoch: 2,
    epochs: row.arm === "lvd" ? 2 : 3,
    converged: row.seed === 0,
  })),
  floors: [
    { model: "unigram", valid: 967, test: 914 },
    { model: "interpolated bigram", valid: 325, test: 301 },
  ],
};

Deno.test("charts of language models: seeds spread, what has no value is left out, levels near enough are drawn", async () => {
  await inPlace(async (place) => {
    const made = await runHere(languageCharts, { table }, { corpus: "a text" });
    const [test, , budget] = made.charts;
    assert.deepEqual(test.chart.series, [
      { label: "random", points: [{ x: 64, y: 339, low: 338, high: 340, open: true }, { x: 128, y: 320 }] },
      { label: "lvd", points: [{ x: 64, y: 290 }] },
    ]);
    assert.deepEqual(test.chart.levels, [{ label: "interpolated bigram", y: 301 }]);
    // After the budget EM went on for one arm, for the other it was over.
    assert.deepEqual(budget.chart.series.map(({ points }: { points: unknown }) => points), [
      [{ x: 64, y: 410, low: 400, high: 420, open: true }],
      [{ x: 64, y: 380 }],
    ]);
    const artifact = await place.write(charts, made.charts);
    assert.deepEqual(artifact.files.map(({ name }) => name).toSorted(), [
      "pictures.json",
      "test.svg",
      "valid-at-budget.svg",
      "valid.svg",
    ]);
    const read = await place.read(charts, artifact);
    assert.equal(
      read[0]!.caption,
      "Test perplexity on a text after EM, by hidden states (hollow: not converged)",
    );
    const figure = parsed(await read[0]!.text());
    const dots = [...figure.querySelectorAll("svg svg circle")];
    assert.deepEqual(dots.map((dot) => dot.getAttribute("fill") === "#ffffff"), [true, false, false]);
    assert.equal(
      figure.querySelector("circle + text:last-child")?.textContent,
      "not converged",
      "the figure says so itself",
    );
  });
});

Deno.test("names that cannot be files are refused", async () => {
  await inPlace(async (place) => {
    const { charts: [{ chart }] } = await runHere(languageCharts, { table }, { corpus: "a text" });
    await assert.rejects(place.write(charts, [{ name: "../up", chart }]), /cannot name a chart/);
    await assert.rejects(place.write(charts, [{ name: "a", chart }, { name: "a", chart }]), /the same name/);
  });
});
