import assert from "node:assert/strict";
import fc from "fast-check";
import { sourcesIn } from "./architecture/modules.ts";
import { ROOT } from "./command.ts";
import { type Counterexample, decoded, encoded, holds, type PropertyPlace, tryOut } from "./property.ts";

const PLACE: PropertyPlace = { file: "tests/runner/key_test.ts", test: ["it's so"], property: 1 };
const HEAD = { test: "it's so", property: 1, why: "" };

/** What a failing property says. */
async function failure(
  corpus: readonly Counterexample[],
  property: fc.IRawProperty<unknown>,
): Promise<string> {
  try {
    await tryOut(PLACE, corpus, property);
  } catch (error) {
    return (error as Error).message;
  }
  assert.fail("the property holds");
}

const small = () => fc.property(fc.nat(), (n) => assert.ok(n < 100));

Deno.test("a property that fails says how to see it again, and how to keep what failed it", async () => {
  const message = await failure([], small());
  assert.match(message, /Counterexample: \[100\]/);
  const [, command, file, entry] =
    /\nAgain: (.*)\n.*keep the counterexample in (\S+):\n(.*)$/.exec(message) ?? [];
  assert.equal(
    command,
    `RETORT_SEED=${
      Deno.env.get("RETORT_SEED") || 2203
    } deno test --allow-all --no-check tests/runner/key_test.ts --filter 'it'\\''s so'`,
  );
  assert.equal(file, "tests/corpus/runner/key.json");
  assert.deepEqual(JSON.parse(entry!), { ...HEAD, why: "what was wrong", values: [100] });
});

Deno.test("what is kept is tried first: values, and draws whose values have no form in JSON", async () => {
  const tried: number[] = [];
  const watch = fc.property(fc.nat(), (n) => void tried.push(n));
  await tryOut(PLACE, [{ ...HEAD, values: [7] }, { ...HEAD, property: 2, values: [8] }], watch);
  assert.deepEqual([tried[0], tried.length, tried.includes(8)], [7, 101, false]);

  const wrapped = fc.asyncProperty(fc.nat().map((n) => new Map([["n", n]])), async (map) => {
    await Promise.resolve();
    assert.ok(map.get("n")! < 100);
  });
  const entry = JSON.parse((await failure([], wrapped)).split("\n").at(-1)!);
  assert.deepEqual(Object.keys(entry), ["test", "property", "why", "seed", "path"]);
  const again = await failure([entry], wrapped);
  assert.match(again, /Property failed after 1 tests/);
  assert.match(again, /Counterexample: \[new Map\(\[\["n",100\]\]\)\]/);
});

Deno.test("RETORT_SEED draws other values; without it every run draws the same", () => {
  const draw = (seed?: string) => {
    const values: number[] = [];
    if (seed !== undefined) Deno.env.set("RETORT_SEED", seed);
    try {
      tryOut(PLACE, [], fc.property(fc.nat(), (n) => void values.push(n)));
    } finally {
      if (before === undefined) Deno.env.delete("RETORT_SEED");
      else Deno.env.set("RETORT_SEED", before);
    }
    return values;
  };
  const before = Deno.env.get("RETORT_SEED");
  assert.deepEqual(draw(), draw());
  assert.deepEqual(draw("2204"), draw("2204"));
  assert.notDeepEqual(draw("2204"), draw("2203"));
  assert.throws(() => draw("tomorrow"), /RETORT_SEED is "tomorrow"/);
});

Deno.test("what a counterexample holds comes back from JSON, or is refused", (test) => {
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(NaN, Infinity, -Infinity, -0, undefined, null, true, "$", ""),
    fc.double(),
    fc.bigInt(),
    fc.uint8Array(),
    fc.string(),
    fc.string({ unit: fc.constantFrom("a", "\ud800", "\udc00") }),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, leaf, fc.array(tie("value")), tie("record")),
    record: fc.dictionary(fc.string().filter((key) => key !== "__proto__"), tie("value"), {
      noNullPrototype: true,
    }),
  }));
  holds(
    test,
    fc.property(value, (value) => {
      let written: string;
      try {
        written = JSON.stringify(encoded(value));
      } catch {
        assert.match(fc.stringify(value), /"\$":/);
        return;
      }
      assert.deepEqual(decoded(JSON.parse(written)), value);
    }),
  );
  for (const one of [new Map(), new Date(0), () => 1, { $: "NaN" }, Object.create(null), Symbol()]) {
    assert.throws(() => encoded(one), /no JSON/);
  }
});

Deno.test("every property goes through tests/property.ts", () => {
  const raw = sourcesIn("tests").filter((file) => !file.startsWith("tests/property")).filter((file) =>
    /\bfc\s*\.(assert|check|configureGlobal)\b|import \{[^}]*\b(assert|check)\b[^}]*\} from "fast-check"/
      .test(Deno.readTextFileSync(`${ROOT}/${file}`))
  );
  assert.deepEqual(raw, [], "call `holds(test, property)`: it takes the seed of all, and keeps what failed");
});

Deno.test("every counterexample that is kept belongs to a test that there is", () => {
  const kept = [...sourcesIn("tests/corpus", /\.json$/)];
  assert.ok(kept.length > 0);
  for (const file of kept) {
    const stem = file.replace("tests/corpus/", "tests/").replace(/\.json$/, "");
    const source = [`${stem}_test.ts`, `${stem}.ts`].map((path) => `${ROOT}/${path}`).find(exists);
    assert.ok(source !== undefined, `${file}: there is no ${stem}_test.ts`);
    const text = Deno.readTextFileSync(source);
    const entries: Counterexample[] = JSON.parse(Deno.readTextFileSync(`${ROOT}/${file}`));
    for (const { test, why } of entries) {
      assert.ok(test.split(" > ").every((title) => text.includes(title)), `${file}: no test "${test}"`);
      assert.ok(why.length > 10, `${file}: "${test}" does not say what was wrong`);
    }
  }
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
