import assert from "node:assert/strict";
import { styleText } from "node:util";
import { inlineText, jsonText, tableText } from "../../foundation/text.ts";

Deno.test("tables: columns of numbers to the right, colours and lines inside cells do not disturb them", () => {
  const red = styleText("red", "bad", { validateStream: false });
  assert.equal(
    tableText(["NAME", "N", "WHY"], [["a", "1", "ok"], [red, "20", "two\nlines"], ["c", "–", ""]]),
    ["NAME   N  WHY", "a      1  ok", `${red}   20  two`, "          lines", "c      –"].join("\n"),
  );
  assert.equal(tableText([], [["name", "x"], ["longer", "y z"]]), "name    x\nlonger  y z");
  assert.equal(tableText(["A"], []), "A");
  assert.equal(tableText([], []), "");
});

Deno.test("JSON as text: names and values, lists of objects as tables, the rest indented", () => {
  assert.equal(jsonText(0.123456789), "0.123457");
  assert.equal(jsonText([1, 2.5, -3]), "1, 2.5, -3");
  assert.equal(jsonText(["one", "two"]), "one\ntwo");
  assert.equal(jsonText({}), "");
  assert.equal(
    jsonText({
      best: "b",
      loss: 1.5,
      rows: [{ label: "a", loss: 10, steps: 7 }, { label: "b", loss: 1.525, note: null }],
      inside: { list: [[1], { x: [] }] },
      ratio: 0.25,
    }),
    [
      "best  b",
      "loss  1.5",
      "rows",
      "  label    loss  steps  note",
      "  a      10.000      7",
      "  b       1.525         –",
      "inside",
      "  list",
      "    1",
      "      1",
      "    2",
      "      x",
      "ratio  0.25",
    ].join("\n"),
  );
});

Deno.test("a value stands on one line only when it is flat and short", () => {
  assert.equal(inlineText({ perplexity: 12.3456789, tokens: 7 }), "perplexity 12.3457, tokens 7");
  assert.equal(inlineText("word"), "word");
  assert.equal(inlineText([]), "[]");
  for (const long of ["x".repeat(101), "two\nlines", [1], { rows: [] }, { text: "y".repeat(100) }]) {
    assert.equal(inlineText(long), undefined);
  }
});
