import assert from "node:assert/strict";
import { once } from "../../foundation/once.ts";

Deno.test("what is made once is made when it is asked for, and is the same again, undefined too", () => {
  let calls = 0;
  const made = once(() => void calls++);
  assert.equal(calls, 0);
  assert.equal(made(), undefined);
  assert.equal(made(), undefined);
  assert.equal(calls, 1);
  const list = once((): number[] => []);
  assert.equal(list(), list());
});

Deno.test("what could not be made is tried again", () => {
  let calls = 0;
  const made = once(() => {
    if (++calls === 1) throw new Error("not yet");
    return calls;
  });
  assert.throws(made, /not yet/);
  assert.equal(made(), 2);
});
