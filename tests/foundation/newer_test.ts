import assert from "node:assert/strict";
import { getOrMake, promiseOf } from "../../foundation/newer.ts";

Deno.test("a value is made once for a key, also one that is undefined", () => {
  const map = new Map<string, number | undefined>([["a", 1]]);
  let made = 0;
  const make = (key: string) => (made++, key === "b" ? undefined : 2);
  assert.equal(getOrMake(map, "a", make), 1);
  for (let i = 0; i < 2; i++) assert.equal(getOrMake(map, "b", make), undefined);
  for (let i = 0; i < 2; i++) assert.equal(getOrMake(map, "c", make), 2);
  assert.equal(made, 2);
});

Deno.test("what is called at once rejects a promise where it throws", async () => {
  let called = false;
  const promise = promiseOf(() => {
    called = true;
    throw new Error("no");
  });
  assert.ok(called);
  await assert.rejects(promise, /^Error: no$/);
  assert.equal(await promiseOf(() => Promise.resolve(3)), 3);
});
