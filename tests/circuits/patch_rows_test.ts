import assert from "node:assert/strict";
import { type Samples, samplesFromRows } from "../../circuits/mod.ts";
import { distinctRows } from "../../circuits/patches/rows.ts";

const repeated = [[0, 7], [3, 1], [0, 7], [31, 1], [3, 1]];

Deno.test("equal patches are put together in the order in which they came", () => {
  const { rows, index } = distinctRows(samplesFromRows(repeated));
  assert.deepEqual([rows.count, Array.from(rows.values)], [3, [0, 7, 3, 1, 31, 1]]);
  assert.deepEqual(Array.from(index), [0, 1, 0, 2, 1]);
});

Deno.test("numbers that would be the same text one after the other are told apart", () => {
  const values = Int32Array.of(1, 23, 12, 3, 300, 0, 44, 0);
  const { rows, index } = distinctRows({ count: 4, variables: 2, values });
  assert.equal(rows.count, 4);
  assert.deepEqual(Array.from(index), [0, 1, 2, 3]);
});

Deno.test("what is partly hidden or no whole number comes back as it is", () => {
  const whole = samplesFromRows(repeated);
  const others: Samples[] = [
    { ...whole, observed: new Uint8Array(10).fill(1) },
    { ...whole, values: Float64Array.from(whole.values) },
  ];
  for (const samples of others) {
    const { rows, index } = distinctRows(samples);
    assert.equal(rows, samples);
    assert.deepEqual(Array.from(index), [0, 1, 2, 3, 4]);
  }
});
