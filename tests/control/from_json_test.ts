import assert from "node:assert/strict";
import {
  all,
  anyOf,
  atLeast,
  atMost,
  type Constraint,
  constraintFromJson,
  equalAutomata,
  exactly,
  inOrder,
  jsonSchema,
  matches,
  not,
  phrase,
  words,
} from "../../control/mod.ts";

Deno.test("constraints of JSON are those of functions", () => {
  const same: [unknown, Constraint][] = [
    [" dog", phrase(" dog")],
    [{ phrase: "a" }, phrase("a")],
    [{ inOrder: [{ anyOf: [" dog", " cat"] }, " ball"] }, inOrder(anyOf(" dog", " cat"), " ball")],
    [{ all: ["a", { not: "b" }] }, all("a", not("b"))],
    [{ words: [2, 3] }, words(2, 3)],
    [{ words: 4 }, words(4)],
    [{ exactly: [2, "a"] }, exactly(2, "a")],
    [{ atLeast: [2, { anyOf: ["a", "b"] }] }, atLeast(2, anyOf("a", "b"))],
    [{ atMost: [1, "a"] }, atMost(1, "a")],
    [{ matches: "^[a-c]+$" }, matches(/^[a-c]+$/)],
    [{ jsonSchema: { type: "boolean" } }, jsonSchema({ type: "boolean" })],
  ];
  for (const [json, expected] of same) {
    const made = constraintFromJson(json);
    assert.ok(equalAutomata(made.automaton, expected.automaton), JSON.stringify(json));
    assert.equal(made.label, expected.label.replace(/(?<=\/)u?\)$/, "u)"));
  }
});

Deno.test("what is no constraint is refused", () => {
  const refused: [unknown, string, RegExp][] = [
    [7, "control/argument", /a constraint is 7/],
    [{}, "control/argument", /a constraint is/],
    [{ words: 1, not: "a" }, "control/argument", /expected a text or an object of one name/],
    [["a"], "control/argument", /a constraint is/],
    [{ anyof: ["a"] }, "control/argument", /`anyof` is no constraint/],
    [{ toString: ["a"] }, "control/argument", /`toString` is no constraint/],
    [{ matches: "(" }, "control/regex", /matches/],
    [{ words: ["a"] }, "control/argument", /number of words/],
    [{ words: [1, null] }, "control/argument", /greatest number of words is null/],
    [{ words: [1, 2, 3] }, "control/argument", /`words` has 3 arguments, expected 1 or 2/],
    [{ words: [] }, "control/argument", /`words` has 0 arguments/],
    [{ exactly: [2, "a", "b"] }, "control/argument", /`exactly` has 3 arguments, expected 2/],
    [{ atLeast: 2 }, "control/argument", /`atLeast` has 1 arguments, expected 2/],
    [{ not: ["a"] }, "control/argument", /a constraint is \["a"\]/],
  ];
  for (const [json, code, message] of refused) {
    assert.throws(() => constraintFromJson(json), { code, message });
  }
});
