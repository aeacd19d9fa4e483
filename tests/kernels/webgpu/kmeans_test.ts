import assert from "node:assert/strict";
import { RandomStream } from "../../../circuits/random.ts";
import { cpuKMeans, cpuProducts, kmeans, openKMeans, vectorsOf } from "../../../kernels/kmeans/mod.ts";
import { DeviceHost } from "../../../kernels/webgpu/host.ts";
import { WebGpuKMeans, type WebGpuKMeansOptions } from "../../../kernels/webgpu/kmeans.ts";
import type { NearestTile } from "../../../kernels/webgpu/kmeans_steps.ts";
import type { RemoteKMeans } from "../../../kernels/webgpu/remote_kmeans.ts";
import { kmeansSuite } from "../kmeans_suite.ts";
import { available, host, onGpu } from "./host.ts";

const kept = available ? await openKMeans({ engine: "webgpu" }) : undefined;
globalThis.addEventListener("unload", () => kept?.[Symbol.asyncDispose]());

kmeansSuite({
  name: "webgpu in its thread",
  kernel: (width, clusters) => kept!.kernel(width, clusters),
  share: 0.1,
  test: onGpu,
});

const WIDTH = 6, CLUSTERS = 21, ROWS = 150;
const random = new RandomStream(7);
const values = Float32Array.from({ length: ROWS * WIDTH }, () => random.normal());
const centroids = values.slice(0, CLUSTERS * WIDTH);
const bias = Float32Array.from({ length: CLUSTERS }, (_, k) => {
  // The last two centroids are the same as the first: equal scores go to the smaller index.
  if (k >= CLUSTERS - 2) centroids.copyWithin(k * WIDTH, 0, WIDTH);
  return centroids.subarray(k * WIDTH, (k + 1) * WIDTH).reduce((sum, x) => sum + x * x, 0);
});
const factors = Float64Array.from({ length: ROWS }, () => random.uniform());
const weights = Float64Array.from({ length: ROWS }, () => random.uniform());

/** One pass in two blocks. */
async function pass(kernel: Awaited<ReturnType<typeof cpuKMeans>>) {
  await kernel.begin(centroids, bias);
  const part = (from: number, to: number) =>
    kernel.add(values.subarray(from * WIDTH, to * WIDTH), to - from, {
      weights: weights.subarray(from, to),
      factors: factors.subarray(from, to),
    });
  const blocks = [await part(0, 70), await part(70, ROWS)];
  const sums = await kernel.sums();
  await kernel.release();
  return {
    labels: blocks.flatMap(({ labels }) => [...labels]),
    scores: blocks.flatMap(({ scores }) => [...scores]),
    ...sums,
  };
}

async function compare(on: DeviceHost, options: WebGpuKMeansOptions = {}): Promise<WebGpuKMeans> {
  const wanted = await pass(await cpuKMeans(WIDTH, CLUSTERS));
  const kernel = await WebGpuKMeans.open(on, WIDTH, CLUSTERS, options);
  const got = await pass(kernel);
  assert.deepEqual(got.labels, wanted.labels);
  assert.deepEqual(got.mass, wanted.mass);
  assert.deepEqual(got.counts, wanted.counts);
  got.scores.forEach((score, row) => assert.ok(Math.abs(score - wanted.scores[row]!) < 1e-5));
  // Only the factors are rounded to single precision: sums are not.
  got.sums.forEach((sum, i) => assert.ok(Math.abs(sum - wanted.sums[i]!) < 1e-6));
  return kernel;
}

Deno.test({
  ...onGpu,
  name: "k-means, webgpu: every way to find the nearest centroid finds the same one, the first of equals",
  async fn() {
    const { features } = (await host.ready()).open;
    const tiles: NearestTile[] = [
      { kind: "register", rows: 8, columns: 8, x: 1, y: 32 },
      { kind: "register", rows: 4, columns: 4, x: 1, y: 4 },
      { kind: "shared", rows: 4, columns: 4, x: 4, y: 4 },
    ];
    const lanes = features.subgroup;
    if (lanes >= 4 && lanes <= 16) tiles.push({ kind: "subgroup", rows: 32, columns: 4, x: lanes, y: 1 });
    for (const tile of tiles) await compare(host, { tile });
  },
});

Deno.test({
  ...onGpu,
  name: "k-means, webgpu: centroids and vectors larger than a binding are cut",
  async fn() {
    // Room for eight centroids of six numbers (rows of eight), and for eight vectors.
    const small = new DeviceHost(navigator.gpu, { limits: { binding: 256, workgroups: 2 } });
    assert.equal((await compare(small)).capacity, 8);
    await assert.rejects(
      WebGpuKMeans.open(small, 100, 2),
      /lacks memory for a vector of 100 numbers in one binding/,
    );
    await small.close();
    const few = await compare(host, { memory: 32 * 40 });
    assert.equal(few.capacity, 40);
    // Halved from a million until there is room.
    const tight = await compare(host, { memory: 2 ** 25, deviceMemory: 5000 });
    assert.equal(tight.capacity, 2 ** 20 / 2 ** 15);
    await assert.rejects(
      WebGpuKMeans.open(host, WIDTH, CLUSTERS, { deviceMemory: 2500 }),
      /lacks memory for 8 vectors at a time: .* MiB beside the .* MiB/,
    );
  },
});

Deno.test({
  ...onGpu,
  name: "k-means, webgpu: a device that is lost in a pass is replaced, and the result has the same bits",
  async fn() {
    const told: string[] = [];
    let losses = 0, passes = 0;
    await using engine = await openKMeans({ engine: "webgpu", onLoss: (reason) => told.push(reason) });
    const run = (lose: boolean, batch?: number) =>
      kmeans(vectorsOf(values, WIDTH), {
        clusters: 5,
        iterations: 6,
        tolerance: 0,
        ...(batch !== undefined && { batch }),
      }, {
        products: cpuProducts,
        async kernel(width, clusters) {
          const kernel = await engine.kernel(width, clusters) as RemoteKMeans;
          const add = kernel.add.bind(kernel);
          kernel.add = async (...given) => {
            if (lose && ++passes === 3) {
              losses++;
              await kernel.loseDevice();
            }
            return await add(...given);
          };
          return kernel;
        },
      });
    for (const batch of [undefined, 60]) {
      passes = 0;
      const calm = await run(false, batch);
      assert.deepEqual(await run(true, batch), calm);
    }
    assert.equal(losses, 2);
    assert.equal(told.length, 2);
  },
});
