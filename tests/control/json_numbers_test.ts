import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { RandomStream } from "../../circuits/random.ts";
import { accepts, jsonSchema } from "../../control/mod.ts";
import { doubleAbove } from "../../control/constraints/json_numbers.ts";
import { holds } from "../property.ts";
import { drawnTexts } from "./drawn_texts.ts";

const automatonOf = (schema: object) => jsonSchema(schema).automaton;
const NUMBER = automatonOf({ type: "number" }), INTEGER = automatonOf({ type: "integer" });

/** All doubles that are finite: of any bits, and those that people write. */
const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 1000),
  fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: -330, max: 304 })).map(([a, e]) =>
    Number(`${a}e${e}`)
  ),
  fc.maxSafeInteger(),
  fc.constantFrom(
    ...[0, -0, 1e21, 1e20, 123456789012345680000, 1e-6, 1e-7, 5e-324, 2 ** -1022, Number.MAX_VALUE],
    ...[Number.MAX_SAFE_INTEGER, 2 ** 53, 0.1 + 0.2, 1 / 3, 4.4e-323, 2.5e-323],
  ),
);

Deno.test("every finite double is a number as JSON.stringify writes it, and an integer if it is whole", (t) => {
  holds(
    t,
    fc.property(doubles, (x) => {
      for (const value of [x, -x, Math.round(x)]) {
        const text = JSON.stringify(value);
        assert.ok(accepts(NUMBER, text), text);
        assert.equal(accepts(INTEGER, text), Number.isInteger(value), text);
      }
    }),
    { numRuns: 3000 },
  );
});

Deno.test("what JSON.stringify writes of no number is none", () => {
  const odd = [
    "-0",
    "-",
    "",
    "00",
    "01",
    "+1",
    "1.",
    ".5",
    "1.0",
    "1.50",
    "0.0",
    "-0.0",
    "1e5",
    "1E21",
    "1e21",
  ];
  const long = ["1e+20", "1.0e+21", "1.10e+21", "0.0000001", "1e-6", "10e+21", "1e+021", "1e400", "1e+400"];
  const out = ["1e+309", "1.8e+308", "1e-324", "3e-324", "1e-400", "1.234e-323", "1000000000000000000000"];
  const digits = ["0.123456789012345678", "123456789012345678", "1.23456789012345678e+30"];
  for (const text of [...odd, ...long, ...out, ...digits, "Infinity", "NaN", "0x1"]) {
    assert.ok(!accepts(NUMBER, text), text);
    assert.ok(!accepts(INTEGER, text), text);
  }
});

Deno.test("what is drawn is written as it is read, and zod accepts it", () => {
  const types: [z.ZodType<number>, exact: boolean][] = [
    [z.number(), false],
    [z.int(), true],
    [z.int32(), true],
    [z.uint32(), true],
    [z.number().min(0).max(1), false],
    [z.number().positive().lt(0.3), false],
    [z.number().gt(-2.5).lte(1e22), false],
    [z.number().min(-1e-7).max(3e-300), false],
    [z.number().min(0).max(100).multipleOf(0.01), true],
    [z.int().min(-17).lt(340), true],
    [z.int().gt(-9007199254740000), true],
  ];
  const random = new RandomStream(3);
  for (const [type, isExact] of types) {
    const schema = z.toJSONSchema(type);
    const automaton = automatonOf(schema);
    let short = 0;
    for (const text of drawnTexts(automaton, 400, random)) {
      const x = JSON.parse(text) as number;
      assert.ok(Number.isFinite(x) && type.safeParse(x).success, `${JSON.stringify(schema)}: ${text}`);
      assert.ok(accepts(automaton, JSON.stringify(x)), text);
      // Of 16 and 17 digits the last may be those of another number that is read as the same double.
      const [digits, exponent] = x.toExponential().replace(/^-?(.*)/, "$1").replace(".", "").split("e");
      const written = text.replace(/e.*|[-.]/g, "").replace(/^0+|0+$/g, "").length;
      if (!isExact && (written > 15 || Number(exponent) < -300 && written > Number(exponent) + 324)) continue;
      short++;
      assert.equal(JSON.stringify(x), text, digits);
    }
    assert.ok(short > 100, `${JSON.stringify(schema)}: ${short}`);
  }
});

Deno.test("limits are kept to the last digit, by integers and by numbers", (t) => {
  const near = (
    x: number,
  ) => [x, doubleAbove(x), -doubleAbove(-x), Math.round(x), x + 1, x - 1, 2 * x, x / 10];
  holds(
    t,
    fc.property(doubles, doubles, fc.array(doubles, { maxLength: 5 }), (a, b, others) => {
      const [low, high] = a <= b ? [a, b] : [b, a];
      const values = [...near(low), ...near(high), ...near((low + high) / 2), ...others, 0];
      const finite = values.filter((x) => Number.isFinite(x));
      for (const type of ["integer", "number"]) {
        const schemas: [object, (x: number) => boolean][] = [
          [{ type, minimum: low, maximum: high }, (x) => low <= x && x <= high],
          [{ type, exclusiveMinimum: low, maximum: high }, (x) => low < x && x <= high],
          [{ type, exclusiveMaximum: high }, (x) => x < high],
          [{ type, minimum: low, exclusiveMaximum: 0, maximum: 1 }, (x) => low <= x && x < 0],
        ];
        for (const [schema, isWithin] of schemas) {
          const allowed = finite.filter((x) => isWithin(x) && (type === "number" || Number.isInteger(x)));
          let automaton;
          try {
            automaton = automatonOf(schema);
          } catch (error) {
            assert.match(String(error), /its limits exclude each other/);
            assert.deepEqual(allowed, []);
            continue;
          }
          for (const x of finite) {
            assert.equal(accepts(automaton, JSON.stringify(x)), allowed.includes(x), `${x}`);
          }
        }
      }
    }),
    { numRuns: 6 },
  );
});

Deno.test("multiples of 0.01 have two digits after the point, and no exponent below it", () => {
  const cents = automatonOf({ type: "number", multipleOf: 0.01, minimum: -1 });
  for (const text of ["0", "-0.99", "12.3", "12.34", "1e+21", "-1"]) assert.ok(accepts(cents, text), text);
  for (const text of ["0.001", "12.345", "1e-7", "-1.01"]) assert.ok(!accepts(cents, text), text);
  assert.ok(!accepts(automatonOf({ type: "number", multipleOf: 1 }), "0.5"));
});
