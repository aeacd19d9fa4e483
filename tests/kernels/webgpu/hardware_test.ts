/** What engines and k-means do by the kernels that only hardware gets otherwise: barriers, shared memory, wide workgroups. */
import assert from "node:assert/strict";
import {
  type Circuit,
  hmm,
  naiveMixture,
  RandomStream,
  ReferenceLearner,
  samplesFromRows,
  type UpdateRule,
  withParameters,
} from "../../../circuits/mod.ts";
import { cpuKMeans, type KMeansKernel } from "../../../kernels/kmeans/mod.ts";
import { WebGpuEngine } from "../../../kernels/webgpu/engine.ts";
import { DeviceHost } from "../../../kernels/webgpu/host.ts";
import { nearestTile } from "../../../kernels/webgpu/kmeans_steps.ts";
import { WebGpuKMeans } from "../../../kernels/webgpu/kmeans.ts";
import { elementGridFor, rowLanes } from "../../../kernels/webgpu/grids.ts";
import { defaultTiles, partsOf } from "../../../kernels/webgpu/tiles.ts";
import { mixedCircuit, randomBatch } from "../../circuits/learner_conformance.ts";
import { engineSuite } from "../engine_suite.ts";
import { onGpu } from "./host.ts";

const hard = new DeviceHost(navigator.gpu, { software: false });
globalThis.addEventListener("unload", () => hard.close());

const open = (circuit: Circuit, memory?: number) =>
  WebGpuEngine.open(hard, circuit, memory === undefined ? {} : { memory });

Deno.test({
  ...onGpu,
  name: "the kernels of this file are those of hardware",
  async fn() {
    const ready = await hard.ready();
    assert.deepEqual(rowLanes(ready), { LANES: 64, X: 64 });
    assert.deepEqual(elementGridFor(ready, 100), { X: 32, Y: 4 });
    const tileOf = defaultTiles(ready.open);
    const results = (rows: number, columns: number, folds: number) => {
      const { kind, ...tile } = tileOf({ form: "forward", rows, columns, folds });
      return kind === "shared" ? [tile.y * tile.rows, tile.x * tile.columns] : kind;
    };
    // The largest of which there are two for each multiprocessor, else the smallest.
    assert.deepEqual(results(4096, 4096, 1), [128, 128]);
    assert.deepEqual(results(256, 512, 64), [128, 128]);
    assert.deepEqual(results(256, 4096, 1), [32, 64]);
    assert.deepEqual(results(256, 4096, 2), [64, 64]);
    assert.deepEqual(results(256, 512, 1), [32, 64]);
    const parts = (columns: number, depth: number, folds: number) =>
      partsOf(ready.open, { columns, depth, folds });
    assert.deepEqual([parts(1024, 256, 1), parts(4096, 1024, 1), parts(1024, 256, 100)], [4, 1, 1]);
    assert.deepEqual([parts(256, 64, 1), parts(256, 60, 1), parts(40, 1024, 1)], [2, 1, 1]);
    assert.equal(
      partsOf({ adapter: { ...ready.open.adapter, software: true } }, {
        columns: 1024,
        depth: 256,
        folds: 1,
      }),
      1,
    );
    assert.equal(nearestTile(ready).kind, "shared");
  },
});

engineSuite({ name: "webgpu as on hardware", open, circuits: 2, relative: 1e-7, test: onGpu });

Deno.test({
  ...onGpu,
  name: "webgpu as on hardware: learning ends where the reference ends, also with products on shared tiles",
  async fn() {
    const rules: UpdateRule[] = [
      { step: { kind: "em" } },
      { step: { kind: "inertia", inertia: 0.6 }, sums: { pseudocount: 0.1 } },
      { step: { kind: "anemone", step: 0.5 }, leaves: { pseudocount: 0.1 } },
    ];
    const circuits = [
      mixedCircuit(),
      // Products of 70 by 70, and hundreds of terms of a product, which are added up across lanes.
      hmm({ length: 4, states: 70, symbols: 9, seed: 1 }),
      naiveMixture(
        Array.from({ length: 40 }, (_, v) => ({ kind: "categorical" as const, name: `v${v}`, states: 3 })),
        { components: 70, seed: 1 },
      ),
    ];
    for (const circuit of circuits) {
      const samples = samplesFromRows(randomBatch(circuit, 45, 2));
      const engine = await open(circuit), reference = new ReferenceLearner(circuit);
      for (const rule of rules) {
        for (const learner of [engine, reference]) {
          await learner.accumulate(samples);
          await learner.update(rule);
        }
      }
      const got = await engine.parameters();
      for (const [id, wanted] of await reference.parameters()) {
        wanted.forEach((x, i) => {
          const found = got.get(id)![i]!;
          assert.ok(Math.abs(found - x) <= 1e-4 + 1e-3 * Math.abs(x), `${id} ${i}: ${found}, not ${x}`);
        });
      }
      await engine.close();
    }
  },
});

Deno.test({
  ...onGpu,
  name:
    "webgpu as on hardware: sums that are cut into parts are those of the reference, with the same bits in batches of all sizes",
  async fn() {
    // Sums of 256 in two parts. Half of the words are almost never said: the log domain does those again.
    const start = hmm({ length: 3, states: 256, symbols: 6, seed: 1 });
    const emission = Float32Array.from(
      start.parameters.get("emission")!.values,
      (p, i) => i % 6 < 3 ? p * 1e-30 : p,
    );
    for (let row = 0; row < 256; row++) {
      const own = emission.subarray(6 * row, 6 * row + 6), sum = own.reduce((a, b) => a + b);
      own.forEach((p, i) => own[i] = p / sum);
    }
    const circuit = withParameters(start, new Map([["emission", emission]]));
    const rows = randomBatch(circuit, 40, 3);
    const samples = samplesFromRows(rows), some = samplesFromRows(rows.slice(0, 5));
    const engine = await open(circuit), reference = new ReferenceLearner(circuit);
    const got = await engine.flows(samples), wanted = await reference.flows(samples);
    got.logLikelihoods.forEach((ll, i) => assert.ok(Math.abs(ll - wanted.logLikelihoods[i]!) < 1e-4));
    for (const [id, flows] of wanted.weights) {
      flows.forEach((flow, i) => {
        const found = got.weights.get(id)![i]!;
        assert.ok(Math.abs(found - flow) <= 1e-5 + 1e-4 * flow, `${id} ${i}: ${found}, not ${flow}`);
      });
    }
    const few = await engine.logLikelihoods(some);
    assert.deepEqual([...few], [...got.logLikelihoods.slice(0, 5)]);
    await engine.close();
  },
});

Deno.test({
  ...onGpu,
  name: "webgpu as on hardware: k-means finds the centroids that the processor finds",
  async fn() {
    const width = 30, clusters = 150, rows = 500, random = new RandomStream(1);
    const values = Float32Array.from({ length: rows * width }, () => random.normal());
    const pass = async (kernel: KMeansKernel) => {
      await kernel.begin(values.slice(0, clusters * width), new Float32Array(clusters));
      const { labels } = await kernel.add(values, rows);
      const { sums } = await kernel.sums();
      await kernel.release();
      return { labels, sums };
    };
    const got = await pass(await WebGpuKMeans.open(hard, width, clusters));
    const wanted = await pass(await cpuKMeans(width, clusters));
    assert.deepEqual(got.labels, wanted.labels);
    got.sums.forEach((sum, i) => assert.ok(Math.abs(sum - wanted.sums[i]!) < 1e-5));
  },
});
