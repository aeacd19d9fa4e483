import assert from "node:assert/strict";
import { nameInWords } from "../../foundation/format.ts";
import { pathToFileURL } from "node:url";
import type { AnyCodec } from "../../runner/codec.ts";
import { lineChart } from "../../stages/charts/line_chart.ts";
import { densityTable } from "../../stages/density/table.ts";
import { rowColumns, rowTable } from "../../stages/rows/codecs.ts";
import { columnScores } from "../../stages/rows/score_columns.ts";
import { plainSpace } from "../../datasets/images/mod.ts";
import { imageTable } from "../../stages/images/image_table.ts";
import { completions } from "../../stages/text/complete_text.ts";
import { clusterTable } from "../../stages/text/describe_clusters.ts";
import { languageTable } from "../../stages/text/language_table.ts";
import { type Chart, mergeAlike, type Series, seriesStyles, stepTicks } from "../../web/view/curves.ts";
import { armRoles, roleOf } from "../../web/view/roles.ts";
import { viewRun } from "../../web/view/run.ts";
import { Records } from "../../runner/records/records.ts";
import { Store } from "../../runner/store/store.ts";
import { SHOWN_AS, shownTables } from "../../web/view/shown_tables.ts";
import { variantGroups } from "../../web/view/variants.ts";
import { command, fixture, Folder } from "../command.ts";
import { IN_BROWSER, launch, open } from "./browser.ts";

Deno.test("curves have the pipeline's own names, and more only where these do not tell nodes apart", () => {
  const node = (name: string, stage: string, params = {}) => ({
    ...{ run: "r", position: 0, name, stage, params, state: "ran" as const, key: null, reasons: [] },
    ...{ started: null, seconds: null, log: null, error: null, code: null, engine: null },
  });
  const edge = (of: string, input: string, source: string, output = input) => ({
    node: of,
    input,
    source,
    output,
  });
  const names = ["random", "distilled"].flatMap((arm) => [8, 16].map((states) => ({ arm, states })));
  const nodes = names.flatMap(({ arm, states }) => [
    node(`start ${arm} ${states}`, arm === "random" ? "start.random" : "start.counted", { states }),
    node(`em ${arm} ${states}`, "em"),
    node(`valid ${arm} ${states}`, "score"),
    node(`test ${arm} ${states}`, "score"),
  ]);
  const edges = names.flatMap(({ arm, states }) => [
    edge(`em ${arm} ${states}`, "circuit", `start ${arm} ${states}`),
    ...["valid", "test"].flatMap((split) => [
      edge(`${split} ${arm} ${states}`, "circuit", `em ${arm} ${states}`),
      edge(`${split} ${arm} ${states}`, "tokens", "text", split),
    ]),
  ]);
  const arms = new Map(
    names.flatMap(({ arm, states }) =>
      ["em", "valid", "test"].map((what) =>
        [`${what} ${arm} ${states}`, {
          arm: arm === "random" ? "random start" : arm,
          setting: `${states} states`,
        }] as const
      )
    ),
  );
  const groups = variantGroups(nodes, edges, () => undefined, arms);
  const labels = new Map(
    groups.flatMap(({ variants }) => [...variants].map(([name, one]) => [name, one.label])),
  );
  assert.equal(labels.get("em random 8"), "random start, 8 states");
  assert.equal(labels.get("em distilled 16"), "distilled, 16 states");
  assert.equal(labels.get("test distilled 16"), "distilled, 16 states, tokens=test");
});

Deno.test("an arm has one colour in all charts; what only stands beside is grey", () => {
  const headline = {
    ...{ metric: "m", direction: "lower" as const, baseline: "tree, 32 latents", arms: {}, values: [] },
    subject: "distilled, 64 clusters",
  };
  const roles = armRoles(headline, ["grown", "tree", "distilled"]);
  assert.deepEqual(roles, { grown: 2, tree: 1, distilled: 0 });
  const many = Object.values(armRoles(headline, ["distilled", "tree", ..."abcdefghijkl"]));
  assert.deepEqual(many, [0, 1, 2, 3, 4, 5, 6, 2, 3, 4, 5, 6, 2, 3]);
  assert.equal(roleOf(roles, { arm: "tree, 16 latents", role: "arm" }), 1);
  assert.equal(roleOf(roles, { arm: "published", role: "reference" }), 7);
  const ofNoNode = (["subject", "baseline", "arm"] as const).map((role) =>
    roleOf(roles, { arm: "no node's", role })
  );
  assert.deepEqual(ofNoNode, [0, 1, 7]);
  const series = (label: string, role?: number): Series => ({
    node: label,
    label,
    points: [],
    ...(role !== undefined && { role }),
  });
  const styles = seriesStyles([
    series("tree, 16", 1),
    series("distilled", 0),
    series("tree, 32", 1),
    series("other"),
  ]);
  assert.deepEqual([...styles.values()].map(({ colour }) => colour), [1, 0, 1, 7]);
  assert.notEqual(styles.get("tree, 16")!.dash, styles.get("tree, 32")!.dash);
});

Deno.test("metrics that are equal up to a constant are one chart; axes have whole steps", () => {
  const chart = (metric: string, of: (x: number) => number, stage = "em"): Chart => ({
    stage,
    metric,
    unit: "step",
    series: [{ node: "n", label: "l", points: [3, 2, 1.5, 1.25].map((x, i) => [i, of(x)] as const) }],
  });
  const merged = mergeAlike([
    chart("bits", (x) => x),
    chart("log-likelihood", (x) => -x * 22.18),
    chart("shifted", (x) => x + 7),
    chart("squared", (x) => x * x),
    chart("bits", (x) => x, "other"),
  ]);
  assert.deepEqual(merged.map(({ stage, metric, alike }) => [stage, metric, alike ?? []]), [
    ["em", "bits", ["log-likelihood", "shifted"]],
    ["em", "squared", []],
    ["other", "bits", []],
  ]);
  const steps = (...points: number[]): Series => ({
    node: "n",
    label: "l",
    points: points.map((x) => [x, 1] as const),
  });
  assert.deepEqual(stepTicks([steps(0, 1, 2, 3, 4)]), [0, 1, 2, 3, 4]);
  assert.deepEqual(stepTicks([steps(0, 13)]), [0, 5, 10]);
  assert.deepEqual(stepTicks([steps(1, 1200)]), [200, 400, 600, 800, 1000, 1200]);
  assert.equal(stepTicks([steps(0, 0.5)]), undefined, "steps that are no whole numbers");
});

Deno.test("values of known codecs are tables in words, with no name of a JSON key in their heads", () => {
  const codecs: AnyCodec[] = [
    ...[languageTable, clusterTable, completions, densityTable, imageTable],
    ...[rowTable, rowColumns, columnScores],
  ];
  assert.deepEqual(
    Object.keys(SHOWN_AS).sort(),
    codecs.map(({ name, version }) => `${name} ${version}`).sort(),
  );
  const row = {
    arm: "distilled",
    states: 8,
    seed: 0,
    start: 9,
    atBudget: 5,
    best: 4,
    bestEpoch: 2,
    epochs: 3,
  };
  const value = {
    budget: 4,
    rows: [{ ...row, converged: false, valid: 4, test: 4.25 }, {
      ...row,
      seed: 1,
      converged: true,
      valid: 4,
      test: null,
    }],
    floors: [{ model: "bigram", valid: 3, test: 3 }],
  };
  const [table] = shownTables({ codec: "language-table", version: 2 }, value)!;
  assert.ok(!table!.head.some((title) => /[a-z][A-Z]/.test(title)), table!.head.join());
  assert.deepEqual(table!.rows[0]!.slice(0, 4), ["distilled", "8", "2", "9.0\n9.0 to 9.0"]);
  assert.equal(table!.rows[0]![6], "1 of 2 not converged");
  assert.equal(table!.rows[0]![8], "infinite\n4.3 to infinite");
  assert.equal(shownTables({ codec: "language-table", version: 1 }, value), undefined, "another version");
  const model = {
    arm: "tree",
    setting: "4 latents",
    figure: { bits: 3.25, images: 5, space: { ...plainSpace(2, 2, 3), transform: "ycbcr-lossy" } },
    standardError: 0.01,
    parameters: 1234,
    converged: true,
    course: { before: 3, epochs: 9, bestEpoch: 7, atBudget: null, valid: 3.5 },
  };
  const [figures] = shownTables({ codec: "image-table", version: 2 }, { budget: 6, rows: [model] } as never)!;
  assert.equal(figures!.head[3], "valid by epoch 6");
  assert.deepEqual(figures!.numeric, [2, 3, 4, 5, 6, 7]);
  assert.deepEqual(figures!.rows, [
    ["tree", "4 latents", "1,234", "–", "3.500*", "3 + 7 of 9", "3.250", "0.010", "converged"],
  ]);
  const rows = { title: "Rows", head: ["word", "size"], rows: [["a", "≈ -1.5"], ["b", ""]] };
  assert.deepEqual(shownTables({ codec: "row-table", version: 1 }, rows)![0]!.numeric, [1]);
  const score = { column: "x", type: "real", rows: 4, alone: 2, given: 0.51234, bits: -1e-9 };
  const [scores] = shownTables({ codec: "column-scores", version: 1 }, { columns: [score] })!;
  assert.deepEqual(scores!.rows, [["x", "real", "4", "2", "0.512", "0.00"]]);
  const blank = [
    { word: "<unk>", probability: 0.5 },
    { word: "make", probability: 0.25 },
    { word: "be", probability: 0.125 },
  ];
  const [completed] = shownTables({ codec: "completions", version: 1 }, {
    completions: [{ given: "we _", drawn: ["we be"], blanks: [blank] }],
  })!;
  assert.deepEqual(completed!.rows, [[
    "we be",
    "25.0 %  make\n12.5 %  be\n50.0 %  words that the vocabulary lacks",
  ]]);
  const column = { name: "x", type: "categorical", states: [..."abcdefgh"], typical: "a", missing: 1 };
  const [columns] = shownTables({ codec: "row-columns", version: 1 }, {
    rows: 9,
    columns: [column],
    skipped: ["id"],
  })!;
  assert.deepEqual(columns!.rows, [["x", "categorical", "8: a, b, c, d, e, f, …", "1"]]);
  assert.equal(columns!.note, "Left out: id.");
});

Deno.test({
  name: "a report of sixty nodes prints on at most ten pages, the answer on the first",
  ...IN_BROWSER,
  async fn() {
    using folder = new Folder();
    const rates = Array.from({ length: 30 }, (_, i) => (i + 1) / 1000);
    const set = [`rates=${JSON.stringify(rates)}`, "steps=5"].flatMap((one) => ["--set", one]);
    const run = await command("run", [fixture("shown"), "--store", folder.store, "--jobs", "0", ...set]);
    assert.equal(run.code, 0, run.stderr);
    const out = `${folder.path}/report.html`;
    assert.equal((await command("report", ["latest", "--store", folder.store, "--out", out])).code, 0);
    const browser = await launch();
    try {
      const { page } = await open(browser, pathToFileURL(out).href);
      const pdf = new TextDecoder("latin1").decode(await page.pdf({ format: "A4" }));
      const pages = pdf.match(/\/Type\s*\/Page\b/g)?.length ?? 0;
      assert.ok(pages >= 1 && pages <= 10, `${pages} pages`);
      await page.emulateMedia({ media: "print" });
      const top = await page.locator(".verdict").evaluate((node: Element) =>
        node.getBoundingClientRect().top
      );
      assert.ok(top < 900);
    } finally {
      await browser.close();
    }
  },
});

Deno.test("Results show what a stage chose, also where it came from the cache", async () => {
  using folder = new Folder();
  const args = [fixture("asked"), "--store", folder.store, "--jobs", "0"];
  assert.equal((await command("run", args)).code, 0);
  assert.equal((await command("run", args)).code, 0);
  const store = Store.open(folder.store);
  using records = new Records(store, { readOnly: true });
  const [again] = records.runs({ limit: 1 });
  const view = viewRun(store, records, again!);
  assert.ok(view.nodes.every(({ state }) => state === "cached"));
  const table = view.tables.find(({ stage }) => stage === "asked.fit")!;
  assert.deepEqual(table.choices, ["epoch"]);
  assert.deepEqual(table.rows.map(({ label, chosen }) => [label, ...chosen]), [["random start", "4"], [
    "counted",
    "4",
  ]]);
  // Two metrics that are equal up to a constant, four nodes: one chart with two colours.
  assert.deepEqual(view.charts.map(({ alike }) => alike?.length), [1]);
  assert.deepEqual([...new Set(view.charts[0]!.series.map(({ role }) => role))].sort(), [0, 1]);
});

Deno.test("charts that stages draw give the baseline the colour that it has on pages", async () => {
  const line = (label: string) => ({ label, points: [{ x: 1, y: 1 }, { x: 2, y: 2 }] });
  const series = ["random", "distilled", "noise"].map(line);
  const svg = await lineChart({
    title: "t",
    x: { label: "x" },
    y: { label: "y" },
    series,
    baseline: "random",
  });
  const colours = [...svg.matchAll(/stroke="(#[0-9a-f]{6})" stroke-width="2"/g)].map(([, colour]) => colour);
  assert.deepEqual(colours, ["#d55e00", "#0072b2", "#00805e"], "in the order of the legend");
});

Deno.test("names of metrics are words for people", () => {
  const words = ["score.bitsPerToken", "perplexity", "smoothing.weight", "top_five", "nll", "perBLEU"].map(
    nameInWords,
  );
  assert.deepEqual(words, ["bits per token", "perplexity", "weight", "top five", "nll", "perBLEU"]);
});
