import assert from "node:assert/strict";
import { hmm, ReferenceEvaluator, samplesFromRows } from "../../../circuits/mod.ts";
import { WebGpuEngine } from "../../../kernels/webgpu/engine.ts";
import { learnerConformance, randomBatch } from "../../circuits/learner_conformance.ts";
import { settled } from "../settled.ts";
import { host, onGpu } from "./host.ts";

learnerConformance({ name: "webgpu", open: (circuit) => WebGpuEngine.open(host, circuit), test: onGpu });

Deno.test({
  name: "webgpu: uses of tied weights are not counted too low, however many there are",
  ...onGpu,
  async fn() {
    const circuit = settled(hmm({ length: 24, states: 16, symbols: 20, seed: 1 }));
    const data = samplesFromRows(randomBatch(circuit, 300, 1));
    await using engine = await WebGpuEngine.open(host, circuit);
    const { weights: got } = await engine.flows(data);
    const { weights: wanted } = await new ReferenceEvaluator(circuit).flows(data);
    const sum = (numbers: Float64Array) => numbers.reduce((a, b) => a + b);
    for (const [id, counts] of wanted) {
      const more = sum(got.get(id)!) / sum(counts) - 1;
      assert.ok(Math.abs(more) < 2e-6, `${id}: ${more} of all counts more`);
    }
  },
});
