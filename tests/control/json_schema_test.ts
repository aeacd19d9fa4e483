import assert from "node:assert/strict";
import { accepts, jsonSchema, openControl, shortestText, tokenHmm } from "../../control/mod.ts";
import { byteVocabulary } from "../../datasets/text/vocabulary.ts";
import { randomNumbers } from "./brute_force.ts";
import { languageModelOf } from "./language_models.ts";
import { z } from "zod";
import { allTexts } from "./texts.ts";

Deno.test("JSON of a schema is accepted as JSON.stringify writes it, anything else is not", () => {
  const schema = z.strictObject({
    name: z.string().min(1).max(8),
    age: z.int(),
    score: z.number().optional(),
    kind: z.enum(["cat", "dog"]),
    tags: z.array(z.boolean()).max(2),
    near: z.union([z.null(), z.strictObject({ x: z.literal(3) })]),
  });
  const { automaton } = jsonSchema(z.toJSONSchema(schema));
  const good = { name: 'a"\\é\n', age: -12, score: 1.5e-7, kind: "dog", tags: [true], near: { x: 3 } };
  const valid: unknown[] = [
    good,
    { ...good, score: undefined },
    { ...good, near: null, tags: [] },
    { ...good, age: 0, tags: [true, false] },
  ];
  for (const value of valid) {
    assert.ok(schema.safeParse(JSON.parse(JSON.stringify(value))).success);
    assert.ok(accepts(automaton, JSON.stringify(value)), JSON.stringify(value));
  }
  const invalid: unknown[] = [
    { ...good, name: "" },
    { ...good, name: "123456789" },
    { ...good, age: 1.5 },
    { ...good, kind: "cow" },
    { ...good, tags: [true, true, true] },
    { ...good, near: { x: 4 } },
    { ...good, more: 1 },
    { ...good, age: undefined },
    {},
    [],
  ];
  for (const value of invalid) {
    assert.ok(!schema.safeParse(JSON.parse(JSON.stringify(value))).success);
    assert.ok(!accepts(automaton, JSON.stringify(value)), JSON.stringify(value));
  }
  for (const text of ["", "{", JSON.stringify(good) + "}", JSON.stringify(good).replace("-12", "-012")]) {
    assert.ok(!accepts(automaton, text), text);
  }
  assert.equal(shortestText(automaton), '{"name":"a","age":0,"kind":"cat","tags":[],"near":null}'.length);
});

Deno.test("parts of schemas mean what they say", () => {
  const said: [object, unknown[], unknown[]][] = [
    [{ type: ["integer", "null"] }, [0, 10, -3, null], [0.5, "0", true]],
    [{ const: { a: [1, "x"] } }, [{ a: [1, "x"] }], [{ a: [1] }]],
    [{ enum: [1, "1", null] }, [1, "1", null], ["null", 2]],
    [{ type: "string", pattern: "^[a-c]+$" }, ["abc"], ["abd", ""]],
    [{ type: "string", pattern: "b" }, ["abc"], ["ac"]],
    [{ type: "array", prefixItems: [{ type: "null" }, { type: "boolean" }] }, [[null, true]], [[null], []]],
    [{ type: "array", items: { type: "null" }, minItems: 2 }, [[null, null], [null, null, null]], [[null]]],
    [{ type: "object", properties: { a: { type: "null" }, b: { type: "null" } }, required: ["b"] }, [{
      b: null,
    }, { a: null, b: null }], [{ a: null }, {}, { b: null, a: null }]],
    [{ type: "object", properties: { a: { type: "null" }, b: { type: "null" } } }, [{}, { a: null }, {
      b: null,
    }, { a: null, b: null }], [{ b: null, a: null }]],
    [{ $ref: "#/$defs/x", $defs: { x: { type: "boolean" } } }, [true], [1]],
    [{ type: "string", format: "date" }, ["2026-11-30", "2024-02-29", "2000-02-29"], [
      "2026-13-30",
      "2026-11-31",
      "2026-02-29",
      "1900-02-29",
      "today",
    ]],
    [{ type: "string", format: "time" }, ["23:59:59Z", "00:00:00.5+01:30"], ["24:00:00Z", "01:00:00+29:00"]],
    [z.toJSONSchema(z.email()), ["a.b@c.de"], ["a@b", "a..b@c.de"]],
    [z.toJSONSchema(z.base64()), ["", "QQ==", "QUJD"], ["QQ=", "Q"]],
    [z.toJSONSchema(z.object({ a: z.int().meta({ deprecated: true }) }).readonly()), [{ a: 1 }], [{
      a: 0.5,
    }]],
    // A pattern is about the value: its characters are escaped, and its end is that of the string.
    [{ type: "string", pattern: "^.+$" }, ["a", "\t", "é"], ["", "\u2028"]],
    [{ type: "string", pattern: '^["\\\\]{2}$' }, ['""', "\\\\", '"\\'], ['"', "ab"]],
    [{ type: "string", pattern: "^a|b$" }, ["ac", "cb", "a"], ["ca", "bc"]],
    [{ type: "string", pattern: "^(?:a|b){2,3}$", minLength: 2, maxLength: 8 }, ["ab", "bab"], ["a", "abab"]],
    [{ type: "string", pattern: "\\s" }, ["a b", "a\nb"], ["ab", ""]],
    [{ type: "string", pattern: "^[ab]+$", maxLength: 3 }, ["a", "aba"], ["abab", ""]],
    [{ type: "string", format: "date", minLength: 3 }, ["2026-11-30"], ["abc"]],
    [{ type: "string", enum: ["a", 1, null] }, ["a"], [1, null]],
    // A type beside alternatives holds of each of them.
    [
      {
        type: ["string", "integer"],
        anyOf: [{ type: "string", maxLength: 1 }, { type: "number", minimum: 3 }],
      },
      ["a", 4],
      ["ab", 3.5, 2],
    ],
    [
      {
        type: "string",
        anyOf: [{ $ref: "#/$defs/x" }, { enum: ["abc", 1] }],
        $defs: { x: { maxLength: 1 } },
      },
      ["a", "abc"],
      ["ab", 1],
    ],
    // One of several, and not two.
    [{ oneOf: [{ type: "integer" }, { type: "number", minimum: 2 }] }, [1, 2.5], [2, 1.5]],
    [{ oneOf: [{ const: 1 }, { enum: [1, 2] }, { enum: [1, 3] }] }, [2, 3], [1]],
    [{ oneOf: [{ type: "null" }, { type: "boolean" }] }, [null, true], [0]],
    [z.toJSONSchema(z.tuple([])), [[]], [[1]]],
    [{ type: "integer", enum: [1, 1.5, "1"] }, [1], [1.5, "1"]],
    [{ type: "number" }, [0, -1.5, 1e21, 1e-7], ["0", null]],
    [
      {
        type: "array",
        items: {
          type: "object",
          properties: { a: { type: "array", items: { enum: [1, 2] } } },
          required: ["a"],
        },
        maxItems: 2,
      },
      [[], [{ a: [] }], [{ a: [1, 2] }, { a: [2] }]],
      [[{}], [{ a: [3] }], [{ a: [] }, { a: [] }, { a: [] }], { a: [] }],
    ],
  ];
  for (const [schema, good, bad] of said) {
    const { automaton } = jsonSchema(schema);
    for (const value of good) {
      assert.ok(accepts(automaton, JSON.stringify(value)), JSON.stringify([schema, value]));
    }
    for (const value of bad) {
      assert.ok(!accepts(automaton, JSON.stringify(value)), JSON.stringify([schema, value]));
    }
  }
});

Deno.test("a pattern leads out of no string: what is accepted is JSON of the schema, in all short texts", () => {
  const schema = { type: "object", properties: { a: { type: "string", pattern: "^.*$" } }, required: ["a"] };
  const { automaton } = jsonSchema(schema);
  let held = 0;
  for (const inner of allTexts(['"', "\\", ",", ":", "b", "n"], 5)) {
    const text = `{"a":"${inner}"}`;
    let isJson = true;
    try {
      const value = JSON.parse(text) as { a: unknown };
      // `.` is no line break.
      isJson = JSON.stringify(value) === text && !/\n/.test(String(value.a)) &&
        Object.keys(value).length === 1;
    } catch {
      isJson = false;
    }
    if (isJson) held++;
    assert.equal(accepts(automaton, text), isJson, text);
  }
  assert.ok(held > 1000, `${held}`);
});

Deno.test("what is drawn under a schema from a model of bytes is JSON of it, in the spelling of JSON.stringify", async () => {
  const schema = z.strictObject({
    name: z.string().max(4),
    age: z.int().min(0).max(120),
    share: z.number().min(0).max(1).multipleOf(0.01),
    kind: z.enum(["cat", "dog"]),
  });
  const vocabulary = byteVocabulary();
  const numbers = randomNumbers(2, vocabulary.words.length, 12, 1);
  await using control = await openControl(tokenHmm(numbers), vocabulary);
  const plan = await control.plan(jsonSchema(z.toJSONSchema(schema)), { tokens: [0, 80] });
  const drawn = new Set<string>();
  for await (const { text } of plan.draw(languageModelOf(numbers, vocabulary), { count: 60, seed: 2 })) {
    const value = JSON.parse(text) as unknown;
    assert.equal(JSON.stringify(value), text);
    // zod counts halves of characters, JSON Schema whole ones.
    const { name } = value as { name: string };
    assert.ok([...name].length <= 4, text);
    assert.ok(schema.safeParse({ ...value as object, name: name.slice(0, 4) }).success, text);
    drawn.add(text);
  }
  assert.ok(drawn.size > 30, `${drawn.size} texts that differ`);
});

Deno.test("schemas of records with numbers and bounded strings, several side by side, take few steps", () => {
  const record = (kind: string) =>
    z.strictObject({ kind: z.literal(kind), count: z.int(), share: z.number(), name: z.string().max(40) });
  const type = z.discriminatedUnion("kind", [record("a"), record("b"), record("c")]);
  const { automaton } = jsonSchema(z.toJSONSchema(type));
  const value = { kind: "b", count: 3, share: 0.5, name: "é".repeat(40) };
  assert.ok(accepts(automaton, JSON.stringify(value)));
  assert.ok(!accepts(automaton, JSON.stringify({ ...value, name: "é".repeat(41) })));
  const { automaton: mail } = jsonSchema(z.toJSONSchema(z.email().max(60)));
  assert.ok(accepts(mail, '"a@b.cd"') && !accepts(mail, `"a@${"b".repeat(60)}.cd"`));
});

Deno.test("schemas that cannot be followed are refused with the place", () => {
  const refused: [object, RegExp][] = [
    [{ type: "object", properties: { a: { not: { type: "null" } } } }, /`not` at #\/properties\/a/],
    [{ $ref: "#/$defs/x", $defs: { x: { type: "array", items: { $ref: "#/$defs/x" } } } }, /holds itself/],
    [{ $ref: "other.json" }, /other.json/],
    [{ type: "integer", minimum: "3" }, /the `minimum` "3" at #, expected a number/],
    [{ type: "integer", minimum: 3, maximum: 2 }, /no integer at #: its limits exclude each other/],
    [{ type: "number", exclusiveMinimum: 1, maximum: 1 }, /no number at #/],
    [{ type: "integer", minimum: 0.2, maximum: 0.8 }, /no integer at #/],
    [{ type: "number", multipleOf: 5 }, /`multipleOf` 5 at #: only 1, 0.1, 0.01/],
    [{ type: "string", minimum: 3 }, /`minimum` at #, which cannot be followed/],
    [z.toJSONSchema(z.url()), /the format "uri" at #, expected date, .*, or a pattern/],
    [z.toJSONSchema(z.record(z.string(), z.int())), /`propertyNames` at #/],
    [z.toJSONSchema(z.any()), /has no type at #, expected object/],
    [{ type: "thing" }, /"thing"/],
    [{ type: "object" }, /names no properties/],
    [{ type: "array" }, /names no items/],
    [{ type: "string", format: "hostname" }, /"hostname"/],
    [{ type: "string", pattern: "^(?=a)b$" }, /"\^\(\?=a\)b\$" at #: look-around/],
    [
      { type: "string", pattern: "^[ab]{4}$", maxLength: 3 },
      /no string at #: its limits of length and its pattern exclude each other/,
    ],
    [{ type: "string", format: "date", minLength: 11 }, /its limits of length and its format exclude/],
    [{ type: "string", anyOf: [{ type: "integer" }] }, /no type at #\/anyOf\/0 that is allowed there/],
    [{ type: [] }, /no type at #/],
    [{ anyOf: [] }, /nothing to choose from at #\/anyOf/],
    [{ $ref: "#/$defs/x" }, /refers to "#\/\$defs\/x" at #, where there is nothing/],
    [{ $ref: "#/constructor" }, /where there is nothing/],
    [{ $ref: "#/%" }, /refers to "#\/%": URI malformed/],
    [{ type: "array", items: { $id: "x", type: "null" } }, /`\$id` at #\/items/],
    [{ type: "object", properties: { 1: { type: "null" } }, required: [1] }, /requires 1 at #/],
    [{ const: Infinity }, /has Infinity as "const", which JSON lacks/],
    [{ enum: [1n] }, /which JSON lacks/],
    [{ const: undefined }, /no type at #/],
    [{ type: "string", pattern: "(" }, /"\(" at #/],
    [{ type: "string", pattern: 3 }, /the pattern 3 at #/],
    [{ type: "string", enum: [1] }, /no value at #: none is of its type/],
    [{ $ref: "#/$defs/x", maxLength: 2, $defs: { x: { type: "string" } } }, /`maxLength` at #/],
    [{ type: "object", properties: {}, required: ["a"] }, /requires "a" at #, and names no such property/],
    [
      { type: "array", prefixItems: [{ type: "null" }], minItems: 2 },
      /1 prefixItems at #, and from 2 to Infinity/,
    ],
  ];
  for (const [schema, message] of refused) {
    assert.throws(() => jsonSchema(schema), { code: "control/schema", message });
  }
  assert.throws(() => jsonSchema("x" as unknown as object), { code: "control/schema" });
  const round: Record<string, unknown> = { type: "array" };
  round.items = round;
  assert.throws(() => jsonSchema(round), {
    code: "control/schema",
    message: /^the JSON schema is no JSON: /,
  });
});
