import assert from "node:assert/strict";
import { exponent } from "../../bench/exponent.ts";
import { measureGrowth } from "../../bench/growth/growing.ts";

Deno.test("an exponent is that of the power that fits, whatever its factor", () => {
  const sizes = [10, 40, 160];
  for (const e of [0, 0.5, 1, 2]) {
    assert.ok(Math.abs(exponent(sizes, sizes.map((n) => 7 * n ** e)) - e) < 1e-12);
  }
  // Two points of one size below and above the line leave its slope as it is.
  assert.ok(Math.abs(exponent([1, 2, 2, 4], [1, 1, 4, 4]) - 1) < 1e-12);
  assert.throws(() => exponent([1, 2], [1, 0]), /give no exponent/);
  assert.throws(() => exponent([1], [1]), /give no exponent/);
});

Deno.test("growth is fitted through median costs, spread over a factor of 16, and stands beside its bound", async () => {
  let calls = 0;
  const growing = {
    unit: "things",
    sizes: [1, 4, 16],
    bounds: { linear: 1, square: 1 },
    costs: (size: number) => {
      // One disturbed measurement of three moves no median.
      const disturbed = calls++ === 6 ? 50 : 1;
      return Promise.resolve({ linear: 3 * size * disturbed, square: size ** 2 });
    },
  };
  const [linear, square] = await measureGrowth(growing, 3);
  assert.equal(calls, 1 + 9);
  assert.ok(Math.abs(linear!.value - 1) < 1e-12);
  assert.ok(linear!.spread[0] < 0.99 || linear!.spread[1] > 1.01);
  assert.deepEqual([linear!.name, linear!.target], ["1 to 16 things: linear", { atMost: 1.15 }]);
  assert.ok(square!.value > 1.15);
  await assert.rejects(measureGrowth({ ...growing, sizes: [1, 15] }, 1), /factor of 16/);
});
