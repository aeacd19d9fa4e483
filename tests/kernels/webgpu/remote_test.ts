import assert from "node:assert/strict";
import { hmm, type Samples, samplesFromRows, type UpdateRule } from "../../../circuits/mod.ts";
import { openEngine } from "../../../kernels/open.ts";
import { RemoteEngine } from "../../../kernels/webgpu/remote.ts";
import { learnerConformance, mixedCircuit, randomBatch } from "../../circuits/learner_conformance.ts";
import { engineSuite } from "../engine_suite.ts";
import { available, onGpu } from "./host.ts";

const open = async (circuit: Parameters<typeof openEngine>[0], memory?: number) =>
  await openEngine(circuit, {
    engine: "webgpu",
    ...(memory !== undefined && { memory }),
  }) as RemoteEngine;

// Keeps the thread and its compiled kernels from test to test.
const keeper = available ? await open(hmm({ length: 2, states: 2, symbols: 2 })) : undefined;
globalThis.addEventListener("unload", () => keeper?.close());

engineSuite({ name: "webgpu in its thread", open, circuits: 8, relative: 1e-7, test: onGpu });
learnerConformance({ name: "webgpu in its thread", open: (circuit) => open(circuit), test: onGpu });

const circuit = mixedCircuit();
const rule: UpdateRule = { step: { kind: "inertia", inertia: 0.6 }, sums: { pseudocount: 0.1 } };
const batches: Samples[] = [1, 2, 3, 4].map((seed) => samplesFromRows(randomBatch(circuit, 7, seed)));

async function train(onLoss: (reason: string) => void, lose?: number): Promise<unknown> {
  const engine = await openEngine(circuit, { engine: "webgpu", onLoss }) as RemoteEngine;
  try {
    const logs = [];
    for (const [i, batch] of batches.entries()) {
      if (i === lose) await engine.loseDevice();
      logs.push((await engine.accumulate(batch)).logLikelihoods);
      await engine.update(rule);
    }
    return { logs, parameters: await engine.parameters() };
  } finally {
    await engine.close();
  }
}

Deno.test({
  ...onGpu,
  name: "a device that is lost behind its thread is replaced; the bits are the same, and the caller is told",
  async fn() {
    const told: string[] = [];
    const wanted = await train(() => assert.fail("nothing was lost"));
    assert.deepEqual(await train((reason) => told.push(reason), 2), wanted);
    assert.equal(told.length, 1);
  },
});

Deno.test({
  ...onGpu,
  name: "an engine on an adapter that is not there says what there is, one that is there says its name",
  async fn() {
    const small = hmm({ length: 2, states: 2, symbols: 2 });
    await assert.rejects(openEngine(small, { adapter: "abacus" }), (error: Error) => {
      assert.match(error.message, /no WebGPU adapter is named like `abacus`; there is `/);
      assert.equal(error.name, "RetortError");
      return true;
    });
    const { adapter } = keeper!;
    const found = await openEngine(small, { adapter: adapter.slice(0, 4).toUpperCase() });
    assert.equal(found.adapter, adapter);
    assert.equal(found.name, "webgpu");
    await found.close();
    await assert.rejects(found.logLikelihoods(batches[0]!), /the engine is closed/);
  },
});

Deno.test({
  ...onGpu,
  name: "this thread stays free while the device computes",
  async fn() {
    const large = hmm({ length: 32, states: 256, symbols: 50, seed: 1 });
    const rows = Array.from({ length: 1024 }, (_, s) => Array.from({ length: 32 }, (_, t) => (s * t) % 50));
    const samples = samplesFromRows(rows);
    const engine = await open(large);
    await engine.accumulate(samples);
    let last = performance.now(), longest = 0, ticks = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      ticks++;
    }, 5);
    const began = performance.now();
    await engine.accumulate(samples);
    const took = performance.now() - began;
    clearInterval(timer);
    await engine.close();
    // Not a measure of speed: a thread that waits for the device would have had no tick before the end.
    assert.ok(longest < took / 2, `${longest} ms without a tick in ${took} ms`);
    assert.ok(ticks >= 5);
  },
});
