import assert from "node:assert/strict";
import * as fc from "fast-check";
import { CircuitError, parseCsv, readCsv } from "../../circuits/mod.ts";
import { dateOf, daysOf } from "../../circuits/import/columns.ts";
import { holds } from "../property.ts";
import "./truth.ts";

Deno.test("a table's columns are told apart, with names, missing cells and labels", async () => {
  const text = '\uFEFFheight,colour,wet,"a, b"\r\n1.5,red,0,x\r\n\r\n-2e3, blue ,1,"y ""y"""\r\nNA,,?,x\r\n';
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/t.csv`, text);
  const { variables, samples, states } = await readCsv(`${folder}/t.csv`);
  await Deno.remove(folder, { recursive: true });
  assert.deepEqual(variables, [
    { kind: "real", name: "height" },
    { kind: "categorical", name: "colour", states: 2 },
    { kind: "categorical", name: "wet", states: 2 },
    { kind: "categorical", name: "a, b", states: 2 },
  ]);
  assert.deepEqual([...states], [["colour", ["blue", "red"]], ["wet", ["0", "1"]], ["a, b", ["x", 'y "y"']]]);
  const rows = Array.from(
    { length: samples.count },
    (_, s) => variables.map((_, v) => samples.observed![s * 4 + v] === 0 ? null : samples.values[s * 4 + v]),
  );
  assert.deepEqual(rows, [[1.5, 1, 0, 0], [-2000, 0, 1, 1], [null, null, null, 0]]);
});

Deno.test("types settle what whole numbers are; without names columns are numbered", async () => {
  const text = "1;20\n2;-3\n10;20";
  const { variables, samples, states } = await parseCsv(text, {
    delimiter: ";",
    types: { x0: "categorical", x1: "real" },
  });
  assert.deepEqual(variables, [{ kind: "categorical", name: "x0", states: 3 }, { kind: "real", name: "x1" }]);
  assert.deepEqual(states.get("x0"), ["1", "2", "10"]);
  assert.deepEqual([...samples.values], [0, 20, 1, -3, 2, 20]);
});

Deno.test("what is open or wrong in a table is refused, all of it at once", async () => {
  const refused: [string, Parameters<typeof parseCsv>[1], RegExp][] = [
    [
      "n,word\n3,red\n4,5",
      {},
      /column `n`: its whole numbers may be states or quantities[^]*column `word`: it has words \(`red`\) and numbers \(5\)/,
    ],
    ["a\n1.5\nx", { types: { a: "real" } }, /column `a`: it has the word `x`/],
    ["a\n1.5\n0x10", { types: { a: "real" } }, /column `a`: it has the word `0x10`/],
    ["a\n1.5\n0b1", {}, /column `a`: it has words \(`0b1`\) and numbers \(1.5\)/],
    ["a\n1.5", { types: { b: "real" } }, /types: there is no column `b`; there are a/],
    [
      "a\n1.5",
      { types: { a: "float" as "real" } },
      /its type is `float`, expected "categorical", "count", "real", "date", "skip"/,
    ],
    ["a,a\n1.5,2.5", {}, /column `a`: another column has its name/],
    ["a,b\n1.5", {}, /is not valid CSV: /],
    ["a,b", { header: true }, /has no rows/],
    ["", {}, /has no rows/],
  ];
  for (const [text, options, message] of refused) {
    await assert.rejects(parseCsv(text, options), (error: Error) => {
      assert.ok(error instanceof CircuitError, `${error}`);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("any table of numbers comes back with all its digits", async (test) => {
  const cell = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: null });
  await holds(
    test,
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1 }), async (rows) => {
      const text = ["a,b", ...rows.map((row) => row.map((x) => x ?? "NA").join(","))].join("\n");
      const { samples } = await parseCsv(text, { types: { a: "real", b: "real" } });
      rows.flat().forEach((x, i) => {
        if (x === null) assert.equal(samples.observed![i], 0);
        else assert.equal(samples.values[i]! + 0, x + 0);
      });
    }),
  );
});

Deno.test("a column of counts has no bound, and no words, fractions or negative numbers", async () => {
  const types = { n: "count" } as const;
  const { variables, samples } = await parseCsv("n,x\n7,0.5\n,1\n300,2", { types });
  assert.deepEqual(variables, [{ kind: "count", name: "n" }, { kind: "real", name: "x" }]);
  assert.deepEqual([...samples.values], [7, 0.5, 0, 1, 300, 2]);
  for (const odd of ["-1", "0.5", "many"]) {
    await assert.rejects(
      parseCsv(`n,x\n7,0.5\n${odd},1`, { types }),
      new RegExp(`column \`n\`: it has \`${odd}\`, and counts are whole numbers from 0`),
    );
  }
});

Deno.test("dates are days, skipped columns are left out, and `*` is the type of what is open", async () => {
  const text =
    "day,at,id,n,m\n2020-02-29,1970-01-02 12:00,a,5,1\n1970-01-02,1969-12-31T23:00:00+01:00,b,7,0\n";
  const types = { id: "skip", "*": "count" } as const;
  const { variables, samples, types: told } = await parseCsv(text, { types });
  assert.deepEqual(variables.map(({ name, kind }) => `${name} ${kind}`), [
    ...["day real", "at real", "n count", "m categorical"],
  ]);
  assert.deepEqual([...samples.values], [18321, 1.5, 5, 1, 1, -1 / 12, 7, 0]);
  assert.deepEqual([...told.values()], ["date", "date", "skip", "count", "categorical"]);
  assert.equal(dateOf(18321), "2020-02-29");
  assert.equal(dateOf(1.5, true), "1970-01-02T12:00:00Z");
  for (const wrong of ["2021-02-29", "2020-13-01", "2020-01-01T25:00", "01.02.2020", "5"]) {
    assert.ok(Number.isNaN(daysOf(wrong)), wrong);
    await assert.rejects(
      parseCsv(`d\n${wrong}`, { types: { d: "date" } }),
      /and dates are written as 2026-01-31/,
    );
  }
});

Deno.test("delimiters are told by the first row; decimal commas are numbers if said so, else named", async () => {
  for (const delimiter of [",", ";", "\t", "|"]) {
    const text = ["a,b", "1.5,x", "2.5,y"].join("\n").replaceAll(",", delimiter);
    assert.deepEqual(
      (await parseCsv(text)).variables.map(({ kind }) => kind),
      ["real", "categorical"],
      delimiter,
    );
  }
  const text = "a;b\n1,5;2\n2;2,25\n";
  assert.deepEqual([...(await parseCsv(text, { decimal: "," })).samples.values], [1.5, 2, 2, 2.25]);
  await assert.rejects(
    parseCsv(text),
    /column `a`: its numbers have a decimal comma \(`1,5`\): set `decimal`/,
  );
});

Deno.test("names, texts and numbers of rows are no states; the hint has types that settle it all", async () => {
  const rows = Array.from(
    { length: 200 },
    (_, i) => `${i + 7},Name ${i},${i % 3},${i % 40},${i * 1000},${i % 2}`,
  );
  const text = ["row,name,class,age,pay,sex", ...rows].join("\n");
  const error = await parseCsv(text).then(() => undefined, (error) => error as CircuitError);
  assert.equal(error!.code, "table/column-types");
  assert.match(
    error!.message,
    /`name`: 200 of its 200 cells differ \(`Name 0`\): names, texts or numbers of rows/,
  );
  const types = JSON.parse(/types = (\{.*?\})/.exec(error!.hint!)![1]!);
  assert.deepEqual({ ...types }, {
    row: "skip",
    name: "skip",
    class: "categorical",
    age: "count",
    pay: "real",
  });
  assert.equal((await parseCsv(text, { types })).variables.length, 4);
  const many = ["word", ...Array.from({ length: 100_000 }, (_, i) => `w${i}`)].join("\n");
  await assert.rejects(
    parseCsv(many),
    /it has 100000 different values, and a column has at most 1000 states/,
  );
  await assert.rejects(
    parseCsv(many, { types: { word: "categorical" } }),
    /it has 100000 different values, and a column has at most 32768 states/,
  );
});
