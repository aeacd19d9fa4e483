/**
 * Everything that engines and k-means do, on a device that has no more than four workgroups along any dimension: what is cut
 * for it is cut in the same place for a model that is too large for a real one.
 */
import assert from "node:assert/strict";
import { type Circuit, hmm, RandomStream, samplesFromRows, type UpdateRule } from "../../../circuits/mod.ts";
import { WebGpuEngine, type WebGpuOptions } from "../../../kernels/webgpu/engine.ts";
import { DeviceHost } from "../../../kernels/webgpu/host.ts";
import { WebGpuKMeans, type WebGpuKMeansOptions } from "../../../kernels/webgpu/kmeans.ts";
import { mixedCircuit, randomBatch } from "../../circuits/learner_conformance.ts";
import { engineSuite } from "../engine_suite.ts";
import { kmeansSuite } from "../kmeans_suite.ts";
import { host, onGpu } from "./host.ts";

const few = new DeviceHost(navigator.gpu, { limits: { workgroups: 4 } });
globalThis.addEventListener("unload", () => few.close());

/** Workgroups of all dispatches of this file that are on that device, and their number. */
let most = 0, dispatches = 0, watched = true;
const dispatch = GPUComputePassEncoder.prototype.dispatchWorkgroups;
GPUComputePassEncoder.prototype.dispatchWorkgroups = function (x, y = 1, z = 1) {
  if (watched) [most, dispatches] = [Math.max(most, x, y, z), dispatches + 1];
  return dispatch.call(this, x, y, z);
};
globalThis.addEventListener("unload", () => GPUComputePassEncoder.prototype.dispatchWorkgroups = dispatch);

const open = (circuit: Circuit, memory?: number) =>
  WebGpuEngine.open(few, circuit, memory === undefined ? {} : { memory });

engineSuite({ name: "webgpu of four workgroups", open, circuits: 2, relative: 1e-7, test: onGpu });
kmeansSuite({
  name: "webgpu of four workgroups",
  kernel: (width, clusters) => WebGpuKMeans.open(few, width, clusters),
  share: 0.02,
  test: onGpu,
});

Deno.test({
  ...onGpu,
  name: "no dispatch of all these had more than four workgroups along a dimension",
  fn() {
    watched = false;
    assert.ok(dispatches > 5000, `${dispatches} dispatches`);
    assert.equal(most, 4);
  },
});

const RULES: readonly UpdateRule[] = [
  { step: { kind: "em" } },
  { step: { kind: "anemone", step: 0.5 }, sums: { pseudocount: 0.1 }, leaves: { pseudocount: 0.2 } },
];

/** Dispatches that began in the middle of a loop, by what is written for them. */
function cutLoops(): { count: number } & Disposable {
  const write = GPUQueue.prototype.writeBuffer, found = { count: 0 };
  GPUQueue.prototype.writeBuffer = function (buffer, at, data, ...more) {
    if (buffer.label === "portions" && (data as Uint32Array)[3]! > 0) found.count++;
    return write.call(this, buffer, at, data, ...more);
  };
  return Object.assign(found, { [Symbol.dispose]: () => void (GPUQueue.prototype.writeBuffer = write) });
}

/** What an engine says of a circuit, and what it learns. */
async function learned(on: DeviceHost, circuit: Circuit, options: WebGpuOptions = {}) {
  const samples = samplesFromRows(randomBatch(circuit, 70, 2));
  const engine = await WebGpuEngine.open(on, circuit, options);
  const { logLikelihoods, weights, statistics } = await engine.flows(samples);
  for (const rule of RULES) {
    await engine.accumulate(samples);
    await engine.update(rule);
  }
  const parameters = await engine.parameters();
  const best = (await engine.activations(samples, "max")).of(circuit.root);
  await engine.close();
  return { logLikelihoods, weights, statistics, parameters, best };
}

Deno.test({
  ...onGpu,
  name: "work that is cut, also within the loops of workgroups, ends with the same bits",
  async fn() {
    const hard = new DeviceHost(navigator.gpu, { software: false });
    const circuits = [mixedCircuit(), hmm({ length: 9, states: 5, symbols: 30, seed: 2 })];
    const slow = { flops: 2e6, alone: 1e6, bytes: 1e7 };
    using loops = cutLoops();
    for (const on of [host, hard, few]) {
      for (const circuit of circuits) {
        const wanted = await learned(on, circuit);
        assert.equal(loops.count, 0, "none is cut without need");
        assert.deepEqual(await learned(on, circuit, { rate: slow }), wanted);
        // Only the uses of tied weights are a loop to cut.
        assert.equal(loops.count > 0, circuit !== circuits[0]);
        loops.count = 0;
        assert.deepEqual(await learned(on, circuit, { seconds: 0.01 }), wanted);
      }
    }
    const width = 5, clusters = 70, rows = 90, random = new RandomStream(1);
    const values = Float32Array.from({ length: rows * width }, () => random.normal());
    const pass = async (on: DeviceHost, options: WebGpuKMeansOptions) => {
      const kernel = await WebGpuKMeans.open(on, width, clusters, options);
      await kernel.begin(values.slice(0, clusters * width), new Float32Array(clusters));
      const { labels, scores } = await kernel.add(values, rows);
      const { sums } = await kernel.sums();
      await kernel.release();
      return { labels, scores, sums };
    };
    for (const on of [host, hard, few]) {
      assert.deepEqual(await pass(on, { rate: slow, seconds: 0.002 }), await pass(on, {}));
    }
    await hard.close();
  },
});

Deno.test({
  ...onGpu,
  name: "more distinct tokens than workgroups, more states, more units: as on a device that has them",
  async fn() {
    for (
      const circuit of [
        hmm({ length: 6, states: 70, symbols: 600, seed: 1 }),
        hmm({ length: 30, states: 2, symbols: 900 }),
      ]
    ) {
      assert.deepEqual(await learned(few, circuit), await learned(host, circuit));
    }
  },
});
