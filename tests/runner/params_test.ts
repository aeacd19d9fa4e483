import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { assignParams, checkParams } from "../../runner/params.ts";
import { holds } from "../property.ts";

const SCHEMA = z.object({
  epochs: z.int().min(1).default(3),
  name: z.string().default("x"),
  optimiser: z.object({ rate: z.number().default(0.1), momentum: z.number().optional() }).default({
    rate: 0.1,
  }),
  weights: z.record(z.string(), z.number()).default({}),
  layers: z.array(z.object({ units: z.int() })).default([]),
});

function faultsOf(value: unknown): string[] {
  const result = checkParams(SCHEMA, value);
  return result.ok ? [] : result.faults;
}

Deno.test("defaults are filled in", () => {
  assert.deepEqual(checkParams(SCHEMA, {}), {
    ok: true,
    params: { epochs: 3, name: "x", optimiser: { rate: 0.1 }, weights: {}, layers: [] },
  });
});

Deno.test("unknown parameters are faults at any depth, with the nearest name; records know every name", () => {
  assert.deepEqual(faultsOf({ epoch: 3 }), ["unknown parameter `epoch`; did you mean `epochs`?"]);
  assert.deepEqual(faultsOf({ optimiser: { rat: 1 } }), [
    "unknown parameter `optimiser.rat`; did you mean `optimiser.rate`?",
  ]);
  assert.deepEqual(faultsOf({ layers: [{ units: 1 }, { units: 2, unit: 3 }] }), [
    "unknown parameter `layers[1].unit`; did you mean `layers[1].units`?",
  ]);
  assert.match(faultsOf({ zzzzzzzz: 1 })[0]!, /the parameters are epochs, name, optimiser, weights, layers/);
  assert.deepEqual(faultsOf({ weights: { anything: 1 } }), []);
  assert.deepEqual(faultsOf({ constructor: 1 }).length, 1, "names of Object's own are no parameters");
});

Deno.test("wrong values name the path and what was expected; all faults at once", () => {
  const faults = faultsOf({ epochs: 0.5, name: 3, optimiser: { rate: "fast" } });
  assert.equal(faults.length, 3);
  assert.match(faults[0]!, /parameter `epochs`: .*expected int/);
  assert.match(faults[1]!, /parameter `name`: .*expected string, received number/);
  assert.match(faults[2]!, /parameter `optimiser\.rate`: .*expected number, received string/);
});

Deno.test("what is not plain JSON after the schema is refused", () => {
  const schema = z.object({ at: z.string().transform((text) => new Date(text)) });
  const result = checkParams(schema, { at: "2020-01-01" });
  assert.deepEqual(result, { ok: false, faults: ["parameters must be plain JSON, but `at` is a Date"] });
});

Deno.test("--set reads JSON, and text where the schema wants text", () => {
  const set = (...texts: string[]) => assignParams(SCHEMA, {}, texts);
  assert.deepEqual(set("epochs=7", "name=7", "optimiser.rate=1e-3").params, {
    epochs: 7,
    name: "7",
    optimiser: { rate: 0.001 },
  });
  assert.deepEqual(set(`layers=[{"units":2}]`).params, { layers: [{ units: 2 }] });
  assert.deepEqual(set("name=a=b").params, { name: "a=b" });
  assert.deepEqual(set("epochs=many").params, { epochs: "many" }, "the schema then says what is wrong");
  for (const text of ["epochs", "=3", ".a=3", "a..b=3", "__proto__.x=1"]) {
    assert.match(set(text).faults[0]!, /expected name=value/, text);
  }
  assert.equal(({} as { x?: number }).x, undefined);
});

Deno.test("any JSON value that is set at a path arrives there", (test) => {
  holds(
    test,
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1, maxLength: 4 }),
      fc.jsonValue(),
      (path, value) => {
        const open = z.looseObject({});
        const { params } = assignParams(open, {}, [`${path.join(".")}=${JSON.stringify(value)}`]);
        const found = path.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], params);
        assert.deepEqual(found, JSON.parse(JSON.stringify(value)));
      },
    ),
  );
});

Deno.test("a whole number that would become another one is refused, in --set, in literals and in defaults", () => {
  const schema = z.object({
    n: z.number().default(0),
    deep: z.object({ list: z.array(z.number()) }).default({ list: [] }),
    text: z.string().default(""),
    any: z.unknown().optional(),
  });
  for (
    const text of [
      "n=9007199254740993",
      "deep.list=[1, 9007199254740993]",
      `any={"a": 18446744073709551615}`,
      "n=1e400",
    ]
  ) {
    const { params, faults } = assignParams(schema, {}, [text]);
    assert.equal(faults.length, 1, text);
    assert.match(
      faults[0]!,
      /^--set .*: the number \S+ (?:would become \d+|is too large): give it as a string/,
    );
    assert.doesNotMatch(JSON.stringify(params), /\d{5}/);
  }
  assert.deepEqual(assignParams(schema, {}, ["text=9007199254740993", `any="9007199254740993"`, "n=1e300"]), {
    params: { text: "9007199254740993", any: "9007199254740993", n: 1e300 },
    faults: [],
  });
  const refused = (schema: z.ZodType, value: unknown) => {
    const result = checkParams(schema, value);
    assert.ok(!result.ok);
    assert.match(result.faults[0]!, /parameter `.*`: 9007199254740992 is beyond 2\^53.*give it as a string/);
  };
  const literal = 9007199254740993;
  refused(schema, { n: literal });
  refused(schema, { deep: { list: [1, literal] } });
  refused(schema, { any: { a: [literal] } });
  refused(z.object({ n: z.number().default(literal) }), {});
  refused(z.object({ n: z.coerce.string() }), { n: literal });
  assert.match(
    (checkParams(z.object({ n: z.unknown() }), { n: 1n }) as { faults: string[] }).faults[0]!,
    /bigint: give it as a string/,
  );
  assert.ok(checkParams(schema, { n: 9007199254740991, deep: { list: [1e300, -0, 1e18] } }).ok);
});
