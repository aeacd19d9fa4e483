import assert from "node:assert/strict";
import fc from "fast-check";
import { parseExactJson, roundedInteger } from "../../foundation/exact_json.ts";
import { holds } from "../property.ts";

Deno.test("numbers that a double can stand for are read as JSON reads them", (test) => {
  const texts = [
    ...["0", "-0", "1", "-7", "0.1", "1e3", "1e-3", "3.14159265358979323846", "1e300", "1e-300", "5e-324"],
    ...[
      "9007199254740991",
      "9007199254740992",
      "9007199254740994",
      "-9007199254740992",
      "18446744073709551616",
    ],
    ...[
      "1e22",
      "1e23",
      "100000000000000000000000",
      "590295810358705700000",
      "9007199254740992.5",
      "1.7976931348623157e308",
    ],
    ...["0e999", "0.0", "1.50e+10", "12345678901234567e-10"],
  ];
  for (const text of texts) assert.equal(parseExactJson(text), JSON.parse(text), text);
  holds(
    test,
    fc.property(fc.jsonValue(), fc.double({ noNaN: true, noDefaultInfinity: true }), (value, number) => {
      const text = JSON.stringify({ value, number, list: [number] });
      assert.deepEqual(parseExactJson(text), JSON.parse(text));
    }),
  );
});

Deno.test("numbers that a double cannot stand for are refused with what to do, wherever they stand", (test) => {
  const texts = [
    ...[
      "9007199254740993",
      "-9007199254740993",
      "9007199254740993.0",
      "9.007199254740993e15",
      "90071992547409930e-1",
    ],
    ...[
      "18446744073709551615",
      "100000000000000000000001",
      "1e400",
      "-1e400",
      "1e-400",
      `0.${"0".repeat(400)}1`,
      "9".repeat(400),
    ],
  ];
  for (const text of texts) {
    for (const whole of [text, `[${text}]`, `{"a": {"b": [1, ${text}]}}`]) {
      assert.throws(
        () => parseExactJson(whole),
        (error) =>
          error instanceof RangeError && error.message.includes(text) &&
          error.message.includes("give it as a string"),
      );
    }
    assert.deepEqual(parseExactJson(`{"a": "${text}"}`), { a: text });
  }
  assert.throws(() => parseExactJson("{"), SyntaxError);
  // Every whole number beyond 2^53 that its double is not, against exact arithmetic.
  holds(
    test,
    fc.property(fc.bigInt(2n ** 53n, 2n ** 64n), (whole) => {
      const kept = BigInt(Number(whole)) === whole || String(Number(whole)) === String(whole);
      if (kept) assert.equal(parseExactJson(String(whole)), Number(whole));
      else assert.throws(() => parseExactJson(String(whole)), RangeError);
    }),
  );
});

Deno.test("whole numbers beyond 2^53 that a literal may have been rounded to are found, others are not", () => {
  for (const number of [9007199254740992, 2 ** 60, -(2 ** 53), 18446744073709552000]) {
    assert.deepEqual(roundedInteger({ a: [1, { b: number }] }), { path: "a.1.b", number });
    assert.deepEqual(roundedInteger(number), { path: "", number });
  }
  for (
    const number of [9007199254740991, 1e16, 1e18, 1e20, 1e21, 1e300, 1.5e300, Number.MAX_VALUE, 0.1, -0]
  ) {
    assert.equal(roundedInteger({ a: [number], b: String(2 ** 60) }), undefined);
  }
});
