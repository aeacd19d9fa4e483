import assert from "node:assert/strict";
import fc from "fast-check";
import type { JsonValue } from "../../foundation/canonical.ts";
import { readableParts, readableText } from "../../foundation/readable.ts";
import { holds } from "../property.ts";

Deno.test("values read without brackets and quotes", () => {
  const texts: [JsonValue, string][] = [
    ["a b", "a b"],
    [0.1 + 0.2, "0.3"],
    [true, "true"],
    [null, "–"],
    [[], "none"],
    [{}, "none"],
    [[0, 0.5, 1], "0, 0.5, 1"],
    [{ from: 0.5, to: 0.05 }, "from 0.5, to 0.05"],
    [{ kind: "anneal", step: { from: 1 } }, "kind anneal, step (from 1)"],
    [
      [{ arm: "random", states: 8 }, { arm: "distilled", states: 8 }],
      "arm random, states 8; arm distilled, states 8",
    ],
    [[[1, 2], [3]], "(1, 2); (3)"],
  ];
  for (const [value, text] of texts) assert.equal(readableText(value), text);
});

Deno.test("parts have the paths that lead to them, and nothing is left out", async (test) => {
  assert.deepEqual(readableParts({ rows: [{ arm: "random", states: 8 }], weights: [0, 1], none: {} }), [
    ["rows[0].arm", "random"],
    ["rows[0].states", 8],
    ["weights", [0, 1]],
    ["none", {}],
  ]);
  /** Follows a path through a value. */
  const at = (value: JsonValue, path: string) =>
    [...path.matchAll(/\[(\d+)\]|[^.[\]]+/g)].reduce<unknown>(
      (inside, [key, index]) => (inside as Record<string, unknown>)[index ?? key],
      value,
    );
  const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.integer(),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie("tree"), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));
  await holds(
    test,
    fc.property(tree, (value) => {
      const parts = readableParts(value);
      assert.ok(parts.length > 0);
      assert.equal(new Set(parts.map(([path]) => path)).size, parts.length);
      for (const [path, part] of parts) assert.deepEqual(at(value, path), part);
      // Every number of the value is in exactly one part.
      const numbers = (one: unknown) => JSON.stringify(one).match(/-?\d+/g)?.sort() ?? [];
      assert.deepEqual(parts.flatMap(([, part]) => numbers(part)).sort(), numbers(value));
    }),
  );
});
