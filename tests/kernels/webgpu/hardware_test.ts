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
} from "../../../circuits/mod.ts";
import { cpuKMeans, type KMeansKernel } from "../../../kernels/kmeans/mod.ts";
import { WebGpuEngine } from "../../../kernels/webgpu/engine.ts";
import { DeviceHost } from "../../../kernels/webgpu/host.ts";
import { nearestTile } from "../../../kernels/webgpu/kmeans_steps.ts";
import { WebGpuKMeans } from "../../../kernels/webgpu/kmeans.ts";
import { elementGridFor, rowLanes } from "../../../kernels/webgpu/grids.ts";
import { defaultTiles } from "../../../kernels/webgpu/tiles.ts";
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
    assert.equal(defaultTiles(ready.open)({ form: "forward", rows: 512, columns: 512 }).kind, "shared");
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
