import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalText, digestJson, type JsonObject, notJson } from "../../foundation/canonical.ts";
import { compareComponents, KEY_FORMAT, type KeyComponents, keyOf, reasonText } from "../../runner/key.ts";
import { holds } from "../property.ts";

const BASE: KeyComponents = {
  stage: "train",
  code: { digest: "c1", packages: { zod: "4.6.7 aaaa" }, modules: { "train.ts": "m1", "../lib.ts": "m2" } },
  params: { epochs: 3, optimiser: { rate: 0.1 } },
  inputs: { data: "d".repeat(64), many: ["e".repeat(64), "f".repeat(64)] },
  seed: 1,
  engine: "cpu",
  env: { SCALE: "d1", UNSET: null },
};

/** Changes of one component each, and what the explanation must say. */
const CHANGES: [Partial<KeyComponents>, string][] = [
  [
    { code: { ...BASE.code, digest: "c2", modules: { "train.ts": "m1", "../lib.ts": "m3" } } },
    "code changed: ../lib.ts",
  ],
  [
    { code: { ...BASE.code, packages: { zod: "4.6.8 bbbb" } } },
    "package zod changed: 4.6.7 -> 4.6.8",
  ],
  [{ code: { ...BASE.code, packages: {} } }, "package zod is gone"],
  [{ params: { epochs: 4, optimiser: { rate: 0.1 } } }, "parameter epochs changed: 3 -> 4"],
  [{ params: { epochs: 3, optimiser: { rate: 0.2 } } }, "parameter optimiser.rate changed: 0.1 -> 0.2"],
  [{ params: { epochs: 3, optimiser: { rate: 0.1 }, more: "x" } }, `parameter more changed: unset -> "x"`],
  [{ inputs: { ...BASE.inputs, data: "0".repeat(64) } }, "input data (data) changed: dddddddd -> 00000000"],
  [
    { inputs: { ...BASE.inputs, many: ["f".repeat(64), "e".repeat(64)] } },
    "input many (many) changed: 2 artifacts -> 2 artifacts",
  ],
  [
    { inputs: { ...BASE.inputs, many: ["e".repeat(64)] } },
    "input many (many) changed: 2 artifacts -> 1 artifact",
  ],
  [{ seed: 2 }, "seed changed: 1 -> 2"],
  [{ engine: "webgpu" }, "engine changed: cpu -> webgpu"],
  [{ env: { SCALE: "d2", UNSET: null } }, "environment variable SCALE changed"],
  [{ env: { SCALE: null, UNSET: null } }, "environment variable SCALE is not set any more"],
  [{ env: { SCALE: "d1", UNSET: "d3" } }, "environment variable UNSET is set now"],
  [{ env: { SCALE: "d1", UNSET: null, MORE: null } }, "environment variable MORE is declared now"],
  [{ env: { SCALE: "d1" } }, "environment variable UNSET is declared no more"],
];

Deno.test("every component changes the key, and the explanation names it alone", () => {
  for (const [change, text] of CHANGES) {
    const now = { ...BASE, ...change };
    assert.notEqual(keyOf(now), keyOf(BASE), text);
    assert.deepEqual(compareComponents(BASE, now).map(reasonText), [text]);
  }
  assert.notEqual(keyOf({ ...BASE, stage: "other" }), keyOf(BASE));
  assert.deepEqual(compareComponents(BASE, BASE), []);
});

Deno.test("several changes are all named, in a fixed order", () => {
  const each = CHANGES.reduce<KeyComponents>((all, [change]) => ({ ...all, ...change }), BASE);
  const now = { ...each, code: { ...BASE.code, digest: "c2", packages: {} } };
  const kinds = compareComponents(BASE, now).map((reason) => reason.kind);
  assert.deepEqual(kinds, ["code", "package", "param", "input", "seed", "engine", "env"]);
});

Deno.test("a result of an earlier format of keys is not found", () => {
  const { stage, code, params, inputs, seed, engine } = BASE;
  const rest = { stage, code: code.digest, packages: code.packages, params, inputs, seed, engine };
  assert.notEqual(keyOf(BASE), digestJson({ format: 1, ...rest } as JsonObject));
  const now = { ...BASE, format: KEY_FORMAT, code: { ...code, digest: "c9" } };
  assert.deepEqual(compareComponents(BASE, now).map(reasonText), [
    "keys are made in another way since its last result",
  ]);
  assert.deepEqual(compareComponents(now, now), []);
});

Deno.test("files' digests explain but do not count", () => {
  const moved = { ...BASE, code: { ...BASE.code, modules: { "elsewhere.ts": "m9" } } };
  assert.equal(keyOf(moved), keyOf(BASE));
});

Deno.test("equal JSON values have equal texts whatever the order of their properties; unequal ones differ", (test) => {
  const shuffled = (value: unknown): unknown =>
    typeof value !== "object" || value === null
      ? value
      : Array.isArray(value)
      ? value.map(shuffled)
      : Object.fromEntries(Object.entries(value).reverse().map(([key, item]) => [key, shuffled(item)]));
  holds(
    test,
    fc.property(fc.jsonValue(), (value) => {
      const plain = JSON.parse(JSON.stringify(value));
      assert.equal(canonicalText(shuffled(plain) as JsonObject), canonicalText(plain));
    }),
  );
  holds(
    test,
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const [x, y] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))];
      assert.equal(digestJson(x) === digestJson(y), canonicalText(x) === canonicalText(y));
      assert.deepEqual(JSON.parse(canonicalText(x)), x);
    }),
  );
});

Deno.test("what is not JSON is named with its place", () => {
  assert.equal(notJson({ a: [1, { b: "x" }], c: undefined }), undefined);
  assert.equal(notJson({ a: [1, Number.NaN] }), "`a.1` is NaN");
  assert.equal(notJson(new Map()), "the value is a Map");
  assert.equal(notJson({ a: () => 1 }), "`a` is a function");
  assert.equal(notJson([undefined]), "`0` is undefined");
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  assert.equal(notJson(loop), "`self` contains itself");
  // Halves of characters that UTF-16 writes in two have no place in UTF-8.
  assert.equal(notJson({ a: ["x\u{1f600}"] }), undefined);
  assert.equal(notJson({ a: ["x\ud83d"] }), "`a.0` holds half a character (a lone surrogate)");
  assert.equal(notJson({ a: { "\ude00": 1 } }), "a name in `a` holds half a character (a lone surrogate)");
  const nested = (levels: number, inner: unknown = 1): unknown => {
    for (let level = 0; level < levels; level++) inner = level % 2 === 0 ? [inner] : { b: inner };
    return inner;
  };
  assert.equal(notJson({ a: nested(999) }), undefined);
  for (const levels of [1000, 100_000]) {
    assert.equal(notJson({ a: nested(levels) }), "the value nests deeper than 1,000 levels in `a`");
  }
});

Deno.test("a node that waits for many names the first of them", () => {
  const text = (count: number) =>
    reasonText({ kind: "upstream", nodes: Array.from({ length: count }, (_, i) => `n${i}`) });
  assert.equal(text(1), "waits for n0");
  assert.equal(text(6), "waits for n0, n1, n2, n3, n4, n5");
  assert.equal(text(2500), "waits for n0, n1, n2, n3, n4 and 2495 more");
});
