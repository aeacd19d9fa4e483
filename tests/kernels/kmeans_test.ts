import assert from "node:assert/strict";
import { cpuKMeans, everyNth, rowsAt, vectorsOf } from "../../kernels/kmeans/mod.ts";
import { kmeansSuite } from "./kmeans_suite.ts";

kmeansSuite({ name: "cpu", kernel: cpuKMeans });

Deno.test("views and scattered rows read what they should", async () => {
  const WIDTH = 5, values = Float32Array.from({ length: 356 * WIDTH }, (_, i) => i);
  const blobs = vectorsOf(values, WIDTH);
  const view = everyNth(blobs, 4, 3);
  assert.equal(view.rows, 89);
  assert.deepEqual(await view.read(2, 3), values.slice(11 * WIDTH, 12 * WIDTH));
  const rows = [0, 0, 5, 6, 200, 201, 355];
  const expected = rows.flatMap((row) => [...values.subarray(row * WIDTH, (row + 1) * WIDTH)]);
  assert.deepEqual(await rowsAt(blobs, rows), Float32Array.from(expected));
});
