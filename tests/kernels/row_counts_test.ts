import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/mod.ts";
import { RowCounts } from "../../kernels/cpu/row_counts.ts";

Deno.test("counts of rows are those of a whole table, also after clearing", () => {
  // Rows so wide that a block holds two of them.
  const rows = 9, units = 2 ** 16, random = new RandomStream(5);
  const counts = new RowCounts(rows, units);
  for (let round = 0; round < 2; round++) {
    const whole = new Float64Array(rows * units);
    for (let i = 0; i < 12; i++) {
      const row = random.integer(rows - 1), unit = random.integer(4) * units / 8;
      const flows = Float32Array.from({ length: units }, () => random.uniform());
      const count = i % 3 === 0 ? units : units / 2, at = count === units ? 0 : unit;
      counts.add(row, at, flows, units - count, count);
      for (let u = 0; u < count; u++) whole[row * units + at + u]! += flows[units - count + u]!;
      counts.addOne(row, 7, 0.25);
      whole[row * units + 7]! += 0.25;
    }
    for (let row = 0; row < rows; row++) {
      const wanted = whole.subarray(row * units, (row + 1) * units);
      assert.deepEqual(counts.get(row) ?? new Float64Array(units), wanted, `row ${row}`);
    }
    assert.equal(counts.get(rows - 1), undefined);
    counts.clear();
    for (let row = 0; row < rows; row++) assert.equal(counts.get(row), undefined);
  }
});

Deno.test("a row that is set to zeros has no counts, unless it had some", () => {
  const counts = new RowCounts(3, 2);
  counts.set(0, Float64Array.of(0, 0));
  counts.set(1, Float64Array.of(0, 2));
  counts.addOne(2, 1, 4);
  assert.equal(counts.get(0), undefined);
  assert.deepEqual(counts.get(1), Float64Array.of(0, 2));
  assert.deepEqual(counts.get(2), Float64Array.of(0, 4));
  counts.set(1, Float64Array.of(0, 0));
  assert.deepEqual(counts.get(1), Float64Array.of(0, 0));
});
