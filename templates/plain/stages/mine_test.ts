import assert from "node:assert/strict";
import { runStage } from "retort/testing";
import { count } from "./mine.ts";

Deno.test("words are counted, however many spaces part them", async () => {
  const { counts } = await runStage(count, { text: "a b  a" });
  assert.deepEqual(counts, { a: 2, b: 1 });
});
