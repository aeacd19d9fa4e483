import assert from "node:assert/strict";
import { bankCycles, tileCost } from "../../bench/kernels/shared_tiles.ts";
import type { Tile } from "../../kernels/webgpu/tiles.ts";

/** The first words of 32 threads. */
const words = (word: (thread: number) => number) => Array.from({ length: 32 }, (_, thread) => word(thread));

Deno.test("banks serve eight threads at a time, each bank a word a cycle, and equal words once", () => {
  assert.equal(bankCycles(words((t) => 4 * t)), 4, "neighbours");
  assert.equal(bankCycles(words((t) => 20 * t)), 4, "20 words apart");
  assert.equal(bankCycles(words((t) => 8 * t)), 8, "every second");
  assert.equal(bankCycles(words((t) => 16 * t)), 16, "every fourth");
  assert.equal(bankCycles(words((t) => 32 * t)), 32, "all in the same banks");
  assert.equal(bankCycles(words((t) => 32 * (t % 2))), 8, "two rows, of which each is read once");
  assert.equal(bankCycles(words(() => 12)), 4, "one for all");
});

Deno.test("products in shared tiles read without conflicts, with one index for sixteen numbers and one barrier a tile", () => {
  const tiles = [[8, 8, 16], [4, 8, 16], [4, 4, 16], [4, 8, 8], [4, 4, 8]].map(([rows, columns, y]) =>
    ({ kind: "shared", rows, columns, x: 16, y }) as Tile
  );
  for (const tile of tiles) {
    for (const form of ["forward", "backward", "flows"] as const) {
      const cost = tileCost(form, tile);
      assert.equal(cost.multiplyAdds, 8 * tile.rows * tile.columns, form);
      assert.ok(cost.clamps <= 2 / 64, `${form}: ${cost.clamps} clamps`);
      assert.deepEqual([cost.loops, cost.barriers], [0, 1], form);
      assert.deepEqual([cost.readConflicts, cost.writeConflicts], [1, 1], form);
    }
  }
  assert.throws(
    () => tileCost("forward", { kind: "register", rows: 8, columns: 8, x: 8, y: 8 }),
    /no shared tiles/,
  );
  assert.throws(
    () => tileCost("forward", { kind: "shared", rows: 8, columns: 8, x: 2, y: 2 }),
    /too few threads/,
  );
});
