import assert from "node:assert/strict";
import { RandomStream } from "../../circuits/random.ts";
import { cpuKMeans, cpuProducts, kmeans, vectorsOf } from "../../kernels/kmeans/mod.ts";
import {
  beginKMeans,
  endKMeans,
  passOverShard,
  stepKMeans,
  type WeightsOf,
} from "../../kernels/kmeans/shards.ts";

const ONES: WeightsOf = () => Promise.resolve(undefined);
const NOT_ZERO: WeightsOf = async ({ rows, width, read }) => {
  const values = await read(0, rows);
  return Float64Array.from(
    { length: rows },
    (_, row) => values.subarray(row * width, (row + 1) * width).some((x) => x !== 0) ? 1 : 0,
  );
};

/** Rows around a few points; `step` 2^-8: as half precision has them. */
function rowsAround(rows: number, width: number, points: number, step: number): Float32Array {
  const random = new RandomStream(7);
  const centres = Float64Array.from({ length: points * width }, () => 4 * random.normal());
  return Float32Array.from({ length: rows * width }, (_, i) => {
    const point = Math.floor(i / width) % points;
    const x = centres[point * width + i % width]! + random.normal();
    return step === 0 ? x : Math.round(x / step) * step;
  });
}

interface Options {
  readonly clusters: number;
  readonly metric: "euclidean" | "cosine";
  readonly tolerance: number;
  readonly start?: "sample";
}

async function both(
  values: Float32Array,
  width: number,
  options: Options,
  shards: number,
  weightsOf = ONES,
) {
  const vectors = vectorsOf(values, width);
  const weights = await weightsOf(vectors);
  const whole = await kmeans(
    vectors,
    { ...options, seed: 3, iterations: 30, ...(weights && { weights }) },
    { kernel: cpuKMeans, products: cpuProducts },
  );
  const pass = async () => {
    const passes = [];
    for (let shard = 0; shard < shards; shard++) {
      passes.push(
        await passOverShard(vectors, state, { shard, shards, memory: 0 }, weightsOf, cpuKMeans),
      );
    }
    return passes;
  };
  let state = await beginKMeans(vectors, { ...options, seed: 3 }, weightsOf, cpuProducts);
  for (let i = 0; i < 30 && !state.run.converged; i++) {
    state = await stepKMeans(vectors, state, await pass(), options.tolerance);
  }
  const last = await pass();
  const labels = Int32Array.from(last.flatMap((one) => [...one.labels]));
  return { whole, state, labels, ...endKMeans(state, last) };
}

Deno.test("shards of vectors in half precision are clustered to the same bits", async () => {
  const values = rowsAround(501, 6, 7, 2 ** -8);
  for (const shards of [1, 4]) {
    const { whole, state, labels, sizes } = await both(
      values,
      6,
      { clusters: 9, metric: "euclidean", tolerance: 0 },
      shards,
    );
    assert.deepEqual(state.centroids, whole.centroids);
    assert.deepEqual(labels, whole.labels);
    assert.deepEqual(sizes, whole.sizes);
    assert.equal(state.run.inertia.length, whole.runs[0]!.inertia.length);
    assert.equal(state.run.converged, true);
  }
});

Deno.test("by other sums the assignments are the same, and centroids but for rounding", async () => {
  const values = rowsAround(400, 5, 6, 0);
  for (const metric of ["euclidean", "cosine"] as const) {
    const found = await both(values, 5, { clusters: 6, metric, tolerance: 1e-4, start: "sample" }, 3);
    assert.deepEqual(found.labels, found.whole.labels);
    found.state.centroids.forEach((x, i) => assert.ok(Math.abs(x - found.whole.centroids[i]!) < 1e-6));
    assert.ok(Math.abs(found.inertia - found.whole.inertia) < 1e-9 * found.whole.inertia);
  }
});

Deno.test("empty clusters get the vectors that they get in one place; rows without weight belong to none", async () => {
  // Many equal rows: a sample of them makes clusters that lose all their vectors.
  const width = 3, values = rowsAround(90, width, 3, 2 ** -8);
  for (let row = 0; row < 60; row++) values.copyWithin(row * width, 0, width);
  const plain = await both(values, width, {
    clusters: 12,
    metric: "euclidean",
    tolerance: 0,
    start: "sample",
  }, 4);
  assert.ok(plain.whole.runs[0]!.filled.some((count) => count > 0), "some cluster is empty at first");
  assert.deepEqual(plain.state.run.filled, plain.whole.runs[0]!.filled);
  assert.deepEqual(plain.labels, plain.whole.labels);
  assert.deepEqual(plain.state.centroids, plain.whole.centroids);
  for (let row = 0; row < 90; row += 4) values.fill(0, row * width, (row + 1) * width);
  const padded = await both(values, width, { clusters: 4, metric: "euclidean", tolerance: 0 }, 3, NOT_ZERO);
  assert.deepEqual(padded.labels, padded.whole.labels);
  assert.deepEqual(padded.state.centroids, padded.whole.centroids);
});

Deno.test("errors name vectors by their place among all", async () => {
  const values = rowsAround(40, 2, 2, 0);
  const options = { clusters: 2, metric: "euclidean", tolerance: 0 } as const;
  const vectors = vectorsOf(values, 2);
  const state = await beginKMeans(vectors, options, ONES, cpuProducts);
  values[2 * 33 + 1] = NaN;
  await assert.rejects(
    passOverShard(vectors, state, { shard: 3, shards: 4, memory: 0 }, ONES, cpuKMeans),
    /vector 33, column 1 is NaN/,
  );
  await assert.rejects(beginKMeans(vectors, options, ONES, cpuProducts), /vector 33, column 1 is NaN/);
  await assert.rejects(
    passOverShard(vectors, state, { shard: 0, shards: 41, memory: 0 }, ONES, cpuKMeans),
    /40 vectors make no 41 shards/,
  );
});
