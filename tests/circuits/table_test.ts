import assert from "node:assert/strict";
import fc from "fast-check";
import { CircuitError, parseCsv, recordsOf, samplesFromRecords, stateWords } from "../../circuits/mod.ts";
import { holds } from "../property.ts";

const table = await parseCsv("colour,grade,size\nred,1,1.5\nblue,10,2\nNA,2,NA\n", {
  types: { grade: "categorical" },
});

Deno.test("rows by column name become samples in the words of the table, and come back", () => {
  assert.deepEqual([...stateWords(table)], [["colour", ["blue", "red"]], ["grade", ["1", "2", "10"]]]);
  const samples = samplesFromRecords(table, [
    { size: 3, colour: "red", grade: 10 },
    { colour: null, grade: "2" },
    {},
  ]);
  assert.deepEqual([...samples.values], [1, 2, 3, 0, 1, 0, 0, 0, 0]);
  assert.deepEqual([...samples.observed!], [1, 1, 1, 0, 1, 0, 0, 0, 0]);
  assert.deepEqual(recordsOf(table, samples), [
    { colour: "red", grade: "10", size: 3 },
    { colour: null, grade: "2", size: null },
    { colour: null, grade: null, size: null },
  ]);
  assert.deepEqual(samplesFromRecords(table, []).variables, 3);
});

Deno.test("what was read is what comes back", async (test) => {
  const word = fc.option(fc.stringMatching(/^[a-z]{1,3}$/).filter((text) => text !== "null"), { nil: null });
  const number = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0), {
    nil: null,
  });
  await holds(
    test,
    fc.asyncProperty(fc.array(fc.record({ word, number }), { minLength: 1 }), async (rows) => {
      const lines = rows.map((row) => `${row.word ?? "?"},${row.number ?? "?"}`);
      const read = await parseCsv(["word,number", ...lines].join("\n"), {
        types: { word: "categorical", number: "real" },
      });
      assert.deepEqual(recordsOf(read, read.samples), rows.map((row) => ({ ...row })));
      assert.deepEqual(recordsOf(read, samplesFromRecords(read, rows)), rows.map((row) => ({ ...row })));
    }),
  );
});

Deno.test("names and words that there are not are refused, with the nearest", () => {
  // deno-lint-ignore no-explicit-any -- what its types forbid
  const odd = (x: unknown): any => x;
  const wrong: [() => unknown, RegExp, string][] = [
    [
      () => samplesFromRecords(table, [{}, { color: "red" }]),
      /row 1: there is no column `color`; did you mean `colour`\?/,
      "circuit/unknown-variable",
    ],
    [
      () => samplesFromRecords(table, [{ colour: "rad" }]),
      /row 0, column `colour`: there is no state "rad"; did you mean `red`\?/,
      "samples/value",
    ],
    [() => samplesFromRecords(table, [{ grade: 3 }]), /there is no state 3/, "samples/value"],
    [
      () => samplesFromRecords(table, [{ size: "3" }]),
      /column `size`: expected a number, got the string "3"/,
      "samples/value",
    ],
    [() => samplesFromRecords(table, odd(["red"])), /row 0: expected an object/, "circuit/argument"],
    [
      () => recordsOf({ variables: [] }, table.samples),
      /3 columns, but there are 0 variables/,
      "samples/shape",
    ],
    [
      () => stateWords({ ...table, notes: { states: '{"colour":3}' } }),
      /the note `states` does not list at most 2 words for `colour`/,
      "circuit-file/invalid",
    ],
    [
      () => stateWords({ ...table, notes: { states: "[" } }),
      /the note `states` is not JSON/,
      "circuit-file/invalid",
    ],
  ];
  for (const [call, message, code] of wrong) {
    assert.throws(call, (error: CircuitError) => {
      assert.ok(error instanceof CircuitError, `${error}`);
      assert.match(error.message, message);
      assert.equal(error.code, code);
      return true;
    });
  }
});
