import assert from "node:assert/strict";
import { runStage } from "retort/testing";
import { bestKnown } from "./mine.ts";

Deno.test("columns of which the others tell most come first", async () => {
  const score = (column: string, bits: number) => ({
    ...{ column, type: "real", rows: 9, alone: 2, given: 1 },
    bits,
  });
  const scores = { columns: [score("a", 0.1), score("b", 0.9), score("c", 0.5)] };
  const { best } = await runStage(bestKnown, { scores }, { most: 2 });
  assert.deepEqual(best.columns, [{ column: "b", bits: 0.9 }, { column: "c", bits: 0.5 }]);
});
