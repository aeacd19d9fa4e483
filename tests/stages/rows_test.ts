import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { dump } from "npyjs";
import {
  EmTraining,
  hcltFromSamples,
  isObserved,
  logLikelihood,
  ReferenceEvaluator,
  ReferenceLearner,
  type Samples,
  samplesFromRows,
  sourceOf,
} from "../../circuits/mod.ts";
import { maximumSpanningTree, mutualInformation } from "../../circuits/structures/chow_liu.ts";
import { RetortError } from "../../foundation/errors.ts";
import { files } from "../../runner/codecs/files.ts";
import { askRows } from "../../stages/rows/ask_rows.ts";
import { type RowColumn, rowVariables } from "../../stages/rows/codecs.ts";
import { drawTree, treeEdges } from "../../stages/rows/draw_tree.ts";
import { fillRows } from "../../stages/rows/fill_rows.ts";
import { guessMissing } from "../../stages/rows/guesses.ts";
import { loadTable } from "../../stages/rows/load_table.ts";
import { rowTree } from "../../stages/rows/row_tree.ts";
import { scoreColumns } from "../../stages/rows/score_columns.ts";
import { tableFile } from "../../stages/rows/table_file.ts";
import { inPlace, runHere } from "./in_place.ts";

const FIXTURES = new URL("../fixtures/tables/", import.meta.url).pathname;

/** What `rows.load` makes of a file of that name and content. */
async function load(name: string, content: string | Uint8Array, params: unknown = {}) {
  // deno-lint-ignore no-explicit-any -- tests know what the stage returns
  let made: any;
  await inPlace(async (place) => {
    const input = await place.read(files, await place.write(files, { [name]: content }));
    made = await runHere(loadTable, { files: input }, params);
  });
  return made;
}

const lines = (count: number, row: (i: number) => unknown[]) =>
  Array.from({ length: count }, (_, i) => row(i).join(",")).join("\n");

/** Every row as text, missing cells empty. */
const rowsOf = (samples: Samples) =>
  Array.from({ length: samples.count }, (_, s) =>
    Array.from(
      { length: samples.variables },
      (_, v) => isObserved(samples, s, v) ? samples.values[s * samples.variables + v] : "",
    ).join(","));

Deno.test("CSV, parquet and npy tables become columns with their types, their words and their missing cells", async () => {
  const text = "colour,size,wet,day\n" +
    lines(
      40,
      (i) => [["red", "blue"][i % 2], i === 3 ? "" : i / 4, i % 3 ? "no" : "yes", `2020-01-${10 + i % 9}`],
    );
  for (const [name, content] of [["t.csv", text], ["t.csv.gz", gzipSync(text)]] as const) {
    const { columns, rows } = await load(name, content);
    assert.deepEqual(columns, {
      rows: 40,
      skipped: [],
      columns: [
        { name: "colour", type: "categorical", states: ["blue", "red"], typical: "red", missing: 0 },
        { name: "size", type: "real", decimals: 2, typical: "4.98", missing: 1 },
        { name: "wet", type: "categorical", states: ["no", "yes"], typical: "no", missing: 0 },
        { name: "day", type: "date", time: false, typical: "2020-01-14", missing: 0 },
      ],
    });
    assert.deepEqual(rowsOf(rows).slice(2, 4), ["1,0.5,0,18273", "0,,1,18274"]);
  }
  const parquet = await Deno.readFile(`${FIXTURES}mixed.parquet`);
  const { columns } = await load("m.parquet", parquet, { types: { tags: "skip", count: "count" } });
  assert.deepEqual(
    columns.columns.map(({ name, type, missing }: RowColumn) => `${name} ${type} ${missing}`),
    ["sure categorical 6", "code categorical 0", "count count 0", "size real 1", "day date 0", "at date 0"],
  );
  assert.deepEqual(columns.skipped, ["tags"]);
  const npy = new Uint8Array(
    dump(Float64Array.from({ length: 60 }, (_, i) => i === 1 ? NaN : i / 4), [30, 2]),
  );
  const made = await load("a.npy", npy);
  assert.deepEqual(made.columns.columns.map(({ name, type }: RowColumn) => `${name} ${type}`), [
    "x0 real",
    "x1 real",
  ]);
  assert.deepEqual(rowsOf(made.rows).slice(0, 2), ["0,", "0.5,0.75"]);
});

Deno.test("a row's split depends on its own cells: not on order, other rows or types; equal rows are spread", async () => {
  const row = (i: number) => [`w${i % 7}`, i / 8, i % 5 === 0 ? 0 : 1];
  const all = Array.from({ length: 300 }, (_, i) => i);
  const text = (order: number[]) => "a,b,c\n" + order.map((i) => row(i).join(",")).join("\n");
  const parts = async (order: number[], params = {}) => {
    const { train, valid, test } = await load("t.csv", text(order), params);
    return [train, valid, test].map((part) => rowsOf(part).map((row) => row.split(",")[1]).sort());
  };
  const first = await parts(all);
  assert.deepEqual(await parts(all.toReversed()), first);
  assert.deepEqual(
    await parts(all, { types: { a: "skip" } }).then((p) => p.map((one) => one.length)),
    first.map((p) => p.length),
  );
  const fewer = await parts(all.slice(0, 200));
  assert.deepEqual(fewer[2], first[2]!.filter((b) => Number(b) < 25));
  assert.ok(
    first[0]!.length > 200 && first[1]!.length > 10 && first[2]!.length > 10,
    `${first.map((p) => p.length)}`,
  );
  // Four different rows, a hundred times each: all of them in every split.
  const { train, valid, test } = await load("t.csv", `a,b\n${lines(400, (i) => [i % 2, (i >> 1) % 2])}`);
  for (const part of [train, valid, test]) assert.equal(new Set(rowsOf(part)).size, 4);
});

Deno.test("tables of which nothing can be learned are refused, with a code, the place and what to set", async () => {
  const fine = lines(40, (i) => [["x", "y"][i % 2], i / 4]);
  const npy = new Uint8Array(dump(Float32Array.of(1, 2, 3, 4), [2, 2]));
  const cube = new Uint8Array(dump(new Float32Array(40 * 4), [40, 2, 2]));
  const parquet = await Deno.readFile(`${FIXTURES}mixed.parquet`);
  const refused: [name: string, content: string | Uint8Array, code: string, message: RegExp, hint: RegExp][] =
    [
      ["t.csv", "", "rows/too-few", /t\.csv has 0 rows: at least 20/, /split/],
      ["t.csv", "a,b\n1,x", "rows/too-few", /t\.csv has 1 row: at least 20/, /split/],
      [
        "t.csv",
        `a,a\n${fine}`,
        "table/column-types",
        /column `a`: another column has its name/,
        /a name of its own/,
      ],
      [
        "t.csv",
        `a,b,c\n${lines(40, (i) => ["x", i / 4, ""])}`,
        "table/column-types",
        /`a`: all its values are equal \(`x`\)\n.*`c`: all its cells are missing/,
        /'types={"a":"skip","c":"skip"}'/,
      ],
      [
        "t.csv",
        `it's,b\n${lines(40, (i) => [i % 4, i / 4])}`,
        "table/column-types",
        /`it's`: its whole numbers may be states or quantities/,
        /'types={"it'\\''s":"categorical"}'/,
      ],
      [
        "t.csv",
        `a,b\n${lines(40, (i) => [i % 4 || "n/a", i / 4])}`,
        "table/column-types",
        /`a`: it has words \(`n\/a`\) and numbers \(1\)/,
        /types/,
      ],
      [
        "t.csv",
        `a,b\n${lines(2000, (i) => [`k${i}`, i / 4])}`,
        "table/column-types",
        /`a`: it has 2000 different values, and a column has at most 1000 states/,
        /"a":"skip"/,
      ],
      ["t.csv", `a,b\n${fine}\n1`, "table/syntax", /t\.csv is not valid CSV: /, /as many cells/],
      [
        "t.csv",
        parquet,
        "table/files",
        /t\.csv is not what its name says: expected CSV, and it begins as parquet/,
        /Rename/,
      ],
      [
        "t.csv",
        new Uint8Array([0x50, 0x4b, 3, 4, 0, 0]),
        "text/encoding",
        /t\.csv: it is a zip archive/,
        /Unpack/,
      ],
      ["t.parquet", fine, "table/files", /expected parquet, and it begins as nothing of that kind/, /Rename/],
      [
        "t.parquet",
        parquet.subarray(0, 900),
        "table/syntax",
        /t\.parquet: it cannot be read as parquet/,
        /whole/,
      ],
      ["t.npy", fine, "table/files", /expected npy/, /Rename/],
      ["t.npy", npy, "rows/too-few", /2 rows/, /split/],
      [
        "t.npy",
        cube,
        "table/syntax",
        /t\.npy has the shape \[40, 2, 2\], expected \[rows, columns\]/,
        /reshape/,
      ],
      ["t.npy", cube.subarray(0, 400), "table/syntax", /t\.npy/, /./],
      ["t.xlsx", "x", "table/files", /t\.xlsx: what kind of table is it/, /\.csv, \.tsv, \.parquet or \.npy/],
    ];
  for (const [name, content, code, message, hint] of refused) {
    await assert.rejects(load(name, content), (error: RetortError) => {
      assert.ok(error instanceof RetortError, `${name}: ${error}`);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.match(error.hint ?? "", hint);
      return true;
    });
  }
  await assert.rejects(
    load("t.csv", `a,b\n${fine}`, { types: { a: "skip", b: "skip" } }),
    /every column is skipped/,
  );
  await assert.rejects(
    load("t.csv", `a,b\n${fine}`, { shares: { train: 1, valid: 0, test: 0 } }),
    /of 40 rows none fell into `valid` and `test`/,
  );
  await assert.rejects(load("t.csv", `a,b\n${fine}`, { types: { c: "real" } }), /there is no column `c`/);
});

Deno.test("a table is found by its path, or as the only one of a folder", async () => {
  const folder = await Deno.makeTempDir({ prefix: "retort-rows-" });
  const locate = (path: string) =>
    (tableFile.definition.locate as (given: { params: { path: string } }) => Promise<{ name: string }[]>)({
      params: { path },
    });
  try {
    await assert.rejects(locate(folder), { code: "table/files", message: /holds no table \*\.csv/ });
    await assert.rejects(locate(`${folder}/none.csv`), { code: "table/files", message: /there is no file/ });
    await Deno.writeTextFile(`${folder}/note.txt`, "x");
    await Deno.writeTextFile(`${folder}/a.CSV`, "x");
    assert.deepEqual((await locate(folder)).map(({ name }) => name), ["a.CSV"]);
    await Deno.writeTextFile(`${folder}/b.npy`, "x");
    await assert.rejects(locate(folder), { code: "table/files", message: /holds 2 tables: a\.CSV, b\.npy/ });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Columns of states, and rows where each column mostly copies the one before. */
const COLUMNS: RowColumn[] = [["a", 2], ["b", 3], ["c", 2], ["d", 2]].map(([name, states]) => ({
  name: name as string,
  type: "categorical",
  states: Array.from({ length: states as number }, (_, k) => `${name}${k}`),
  typical: "",
  missing: 0,
}));
const ROWS = Array.from({ length: 120 }, (_, i) => {
  const a = i % 2,
    b = i % 7 === 0 ? 2 : a,
    c = i % 5 === 0 ? 1 - a : Number(b > 0),
    d = i % 3 === 0 ? c : (i >> 3) % 2;
  return [a, b, c, d];
});
const columns = { rows: 120, columns: COLUMNS, skipped: [] };
const stored = (samples: Samples) => ({ ...samples, all: () => Promise.resolve(samples) });

Deno.test("the Chow-Liu tree of states comes to what the counts of its pairs say; its edges are the best ones", async () => {
  const train = samplesFromRows(ROWS);
  const { circuit } = await runHere(rowTree, { columns, train: stored(train) }, {
    kind: "chow-liu",
    latents: 3,
  });
  const best = maximumSpanningTree(mutualInformation(rowVariables(COLUMNS), train), 4);
  const edges = treeEdges(circuit).map(([from, to]) => `${from} ${to}`).sort();
  assert.deepEqual(edges, [...best.parents].flatMap((p, v) => p < 0 ? [] : [`${p} ${v}`]).sort());
  const learner = new ReferenceLearner(circuit);
  const training = new EmTraining(learner, { train: sourceOf(train) }, { epochs: 3, batchSize: 64 });
  while (!training.done) await training.step();
  const fitted = await training.result();
  const logs = await logLikelihood(new ReferenceEvaluator(fitted), train);
  // Entropies of conditional frequencies, counted by hand.
  const entropy = (keys: string[]) =>
    [...Map.groupBy(keys, (key) => key).values()].reduce(
      (sum, { length }) => sum - length / keys.length * Math.log(length / keys.length),
      0,
    );
  const wanted = COLUMNS.reduce((sum, _, v) => {
    const parent = best.parents[v]!;
    if (parent < 0) return sum + entropy(ROWS.map((row) => `${row[v]}`));
    return sum + entropy(ROWS.map((row) => `${row[parent]} ${row[v]}`)) -
      entropy(ROWS.map((row) => `${row[parent]}`));
  }, 0);
  assert.ok(Math.abs(logs.reduce((a, b) => a + b, 0) / 120 + wanted) < 1e-5);
  const { charts } = await runHere(drawTree, { circuit, columns, train: stored(train) });
  for (const { name } of COLUMNS) assert.match(charts[0].svg, new RegExp(`>${name}<`));
  assert.match(charts[0].svg, /^[^]*<svg/);
});

Deno.test("models of all kinds are over the table's columns, and start near its rows", async () => {
  const mixed: RowColumn[] = [
    COLUMNS[0]!,
    { name: "n", type: "count", typical: "", missing: 0 },
    { name: "x", type: "real", decimals: 1, typical: "", missing: 0 },
    { name: "t", type: "date", time: false, typical: "", missing: 0 },
  ];
  const rows = ROWS.map(([a], i) => [a!, 3 * a! + i % 2, 1000 + 50 * a! + i % 9, 18000 + i]);
  const train = samplesFromRows(rows);
  const of = { rows: 120, columns: mixed, skipped: [] };
  for (const kind of ["independent", "chow-liu", "hidden"]) {
    const { circuit } = await runHere(rowTree, { columns: of, train: stored(train) }, { kind, latents: 3 });
    assert.deepEqual(circuit.variables.map(({ kind }: { kind: string }) => kind), [
      "categorical",
      "count",
      "real",
      "real",
    ]);
    const logs = await logLikelihood(new ReferenceEvaluator(circuit), train);
    assert.ok(logs.every((log) => log > -60 && log < 0), `${kind}: ${logs.slice(0, 5)}`);
  }
});

Deno.test("guesses are the exact conditionals, whatever else is missing", async () => {
  const train = samplesFromRows(ROWS);
  const circuit = hcltFromSamples({ variables: rowVariables(COLUMNS), samples: train }, {
    latents: 3,
    seed: 4,
  });
  const evaluator = new ReferenceEvaluator(circuit);
  const asked = samplesFromRows([[null, 1, 0, null], [1, null, null, null], [0, 0, 1, 0]]);
  const found = await guessMissing(evaluator, COLUMNS, asked);
  assert.deepEqual(found.map(({ row, column }) => [row, column]), [[0, 0], [0, 3], [1, 1], [1, 2], [1, 3]]);
  const likelihood = async (row: (number | null)[]) =>
    Math.exp((await logLikelihood(evaluator, samplesFromRows([row])))[0]!);
  for (const { row, column, value, probability } of found) {
    const given = Array.from(
      { length: 4 },
      (_, v) => isObserved(asked, row, v) ? asked.values[row * 4 + v]! : null,
    );
    const joint = [];
    for (const k of COLUMNS[column]!.states!.keys()) joint.push(await likelihood(given.with(column, k)));
    assert.equal(joint.indexOf(Math.max(...joint)), value);
    assert.ok(Math.abs(probability! - joint[value]! / await likelihood(given)) < 1e-6);
  }
});

Deno.test("missing cells are filled in, rows that miss nothing stay; questions are answered in the table's words", async () => {
  const train = samplesFromRows(ROWS);
  const circuit = hcltFromSamples({ variables: rowVariables(COLUMNS), samples: train }, {
    latents: 3,
    seed: 4,
  });
  const rows = samplesFromRows([[0, 2, 1, 0], [null, 1, 0, 1]]);
  const { table, filled } = await runHere(fillRows, { circuit, columns, rows: stored(rows) });
  const [head, first, second] = table["filled.csv"].split("\n");
  assert.deepEqual([head, first], ["a,b,c,d", "a0,b2,c1,d0"]);
  assert.match(second, /^a[01],b1,c0,d1$/);
  assert.equal(filled.rows.length, 1);
  assert.match(filled.rows[0].join(","), /^≈ a[01] \(\d+ %\),b1,c0,d1$/);
  const ask = (questions: unknown) => runHere(askRows, { circuit, columns }, { questions });
  const { answers } = await ask([{ b: "b1", d: "d0" }, {}]);
  assert.equal(answers.rows.length, 6);
  assert.match(answers.rows[0].join(","), /^1,likeliest,≈ a\d \(\d+ %\),b1,≈ c\d \(\d+ %\),d0$/);
  assert.match(answers.rows[1].join(","), /^1,drawn,a\d,b1,c\d,d0$/);
  await assert.rejects(ask([{ bb: "b1" }]), {
    code: "circuit/unknown-variable",
    message: /no column `bb`; did you mean `b`/,
  });
  await assert.rejects(ask([{ b: "b9" }]), {
    code: "samples/value",
    message: /column `b`: there is no state "b9"/,
  });
});

Deno.test("what others say of a column: a copy is guessed, and gains all its bits; a coin gains none", async () => {
  const rows = Array.from({ length: 64 }, (_, i) => [i % 2, i % 2, (i >> 1) % 2]);
  const three: RowColumn[] = ["a", "b", "coin"].map((name) => ({ ...COLUMNS[0]!, name }));
  const train = samplesFromRows(rows);
  const { circuit } = await runHere(
    rowTree,
    { columns: { rows: 64, columns: three, skipped: [] }, train: stored(train) },
    { kind: "chow-liu", latents: 2 },
  );
  const training = new EmTraining(new ReferenceLearner(circuit), { train: sourceOf(train) }, {
    epochs: 3,
    batchSize: 64,
  });
  while (!training.done) await training.step();
  const { scores } = await runHere(scoreColumns, {
    circuit: await training.result(),
    columns: { rows: 64, columns: three, skipped: [] },
    data: stored(train),
  });
  const near = (x: number, y: number) => assert.ok(Math.abs(x - y) < 1e-3, `${x} ${y}`);
  for (const [i, [alone, given, bits]] of [[0.5, 1, 1], [0.5, 1, 1], [0.5, 0.5, 0]].entries()) {
    near(scores.columns[i].alone, alone!);
    near(scores.columns[i].given, given!);
    near(scores.columns[i].bits, bits!);
  }
});
