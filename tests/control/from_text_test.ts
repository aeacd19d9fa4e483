import assert from "node:assert/strict";
import {
  all,
  anyOf,
  atLeast,
  type Constraint,
  constraintFromText,
  equalAutomata,
  exactly,
  inOrder,
  jsonSchema,
  matches,
  not,
  phrase,
  words,
} from "../../control/mod.ts";

Deno.test("what people type is what functions make", () => {
  const same: [string, Constraint][] = [
    ["peace", phrase("peace")],
    [" we the people ", phrase("we the people")],
    ['" we"', phrase(" we")],
    ['"a \\"b\\""', phrase('a "b"')],
    ['inOrder(anyOf(" dog", " cat"), " ball")', inOrder(anyOf(" dog", " cat"), " ball")],
    [
      'all( inOrder(" a" , " b"),words(7, 12), not(" bad") )',
      all(inOrder(" a", " b"), words(7, 12), not(" bad")),
    ],
    ["words(3)", words(3)],
    ["words(3, Infinity)", words(3, Infinity)],
    ['exactly(2, " very")', exactly(2, " very")],
    ['atLeast(1, not("a"))', atLeast(1, not("a"))],
    ["matches(/^[a-c)/]+$/)", matches(/^[a-c)/]+$/)],
    ['all(matches(/\\(a/u), "b")', all(matches(/\(a/u), "b")],
    [
      'jsonSchema({"type":"object","properties":{"}":{"type":"null"}}})',
      jsonSchema({ type: "object", properties: { "}": { type: "null" } } }),
    ],
    ['{"words": [2, 3]}', words(2, 3)],
  ];
  for (const [text, expected] of same) {
    assert.ok(equalAutomata(constraintFromText(text).automaton, expected.automaton), text);
  }
});

Deno.test("what is no constraint is refused where it stops making sense", () => {
  const refused: [string, string, RegExp][] = [
    ["", "control/argument", /is empty/],
    ['inOrder("a"', "control/argument", /^the constraint ends too early at letter 12, expected `,`$/],
    ['inOrder("a" "b")', "control/argument", /goes on with "\\"b\\"\)" at letter 13, expected `,`/],
    ['near("a")', "control/argument", /`near` is no constraint/],
    ['not("a"))', "control/argument", /goes on with "\)" at letter 9, expected the end/],
    ["not(a)", "control/argument", /at letter 6, expected `\(`/],
    ["words(7, 2)", "control/argument", /from 7 to 2/],
    ["words(1.5)", "control/argument", /is 1.5/],
    ["words(1, 2, 3)", "control/argument", /`words` has 3 arguments, expected 1 or 2/],
    ['atMost(2, "a", "b")', "control/argument", /`atMost` has 3 arguments, expected 2/],
    ['not("a", "b")', "control/argument", /a constraint is/],
    ["matches(a)", "control/argument", /expected a regular expression/],
    ["matches(/(/)", "control/regex", /./],
    ["matches(/(a*)b\\1/)", "control/regex", /ackreference/],
    ['jsonSchema({"type": "object"', "control/argument", /expected JSON in braces/],
    ["jsonSchema({type: 1})", "control/argument", /is no JSON/],
    ['phrase("")', "control/argument", /a phrase is ""/],
    ['"a\\q"', "control/argument", /is no JSON/],
  ];
  for (const [text, code, message] of refused) {
    assert.throws(() => constraintFromText(text), { code, message }, text);
  }
});
