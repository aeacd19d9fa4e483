import assert from "node:assert/strict";
import { hmm, type Samples, samplesFromRows, type UpdateRule } from "../../../circuits/mod.ts";
import { WebGpuEngine, type WebGpuOptions } from "../../../kernels/webgpu/engine.ts";
import { DeviceHost } from "../../../kernels/webgpu/host.ts";
import { mixedCircuit, randomBatch } from "../../circuits/learner_conformance.ts";
import { onGpu } from "./host.ts";

const circuit = mixedCircuit();
const rule: UpdateRule = { step: { kind: "inertia", inertia: 0.6 }, sums: { pseudocount: 0.1 } };
const batches: Samples[] = [1, 2, 3, 4].map((seed) => samplesFromRows(randomBatch(circuit, 7, seed)));

/** Two updates over four batches; `meanwhile` is called before each operation. */
async function train(
  host: DeviceHost,
  meanwhile: (engine: WebGpuEngine, step: number) => unknown,
  options: WebGpuOptions = {},
) {
  const engine = await WebGpuEngine.open(host, circuit, options);
  const logs: number[][] = [];
  let step = 0;
  for (const [i, batch] of batches.entries()) {
    await meanwhile(engine, step++);
    logs.push([...(await engine.accumulate(batch)).logLikelihoods]);
    if (i % 2 === 0) continue;
    await meanwhile(engine, step++);
    await engine.update(rule);
  }
  await meanwhile(engine, step++);
  const parameters = await engine.parameters();
  const losses = engine.deviceLosses;
  await engine.close();
  return { logs, parameters, losses };
}

Deno.test({
  ...onGpu,
  name: "a device that is lost at any moment is replaced, and the results have the same bits",
  async fn() {
    const host = new DeviceHost(navigator.gpu);
    const undisturbed = await train(host, () => {});
    for (const moment of [0, 3, 4, 6]) {
      const told: string[] = [];
      const got = await train(host, (engine, step) => {
        if (step === moment) engine.session.open.device.destroy();
      }, { onLoss: (reason) => told.push(reason) });
      assert.deepEqual(got.logs, undisturbed.logs, `moment ${moment}`);
      assert.deepEqual(got.parameters, undisturbed.parameters, `moment ${moment}`);
      assert.equal(got.losses, 1);
      assert.equal(told.length, 1);
    }
    await host.close();
  },
});

Deno.test({
  ...onGpu,
  name: "after a loss half as much is done at a time, so that what was too long once is not tried again",
  async fn() {
    const host = new DeviceHost(navigator.gpu);
    const rate = { flops: 1e9, alone: 1e9, bytes: 1e9 };
    const engine = await WebGpuEngine.open(host, circuit, { rate });
    assert.deepEqual(engine.session.pace, { rate, seconds: 0.2 });
    for (const seconds of [0.1, 0.05]) {
      engine.session.open.device.destroy();
      await engine.accumulate(batches[0]!);
      assert.deepEqual(engine.session.pace, { rate, seconds });
    }
    await engine.close();
    await host.close();
  },
});

Deno.test({
  ...onGpu,
  name: "results that were on their way when the device was lost arrive all the same",
  async fn() {
    const host = new DeviceHost(navigator.gpu);
    const engine = await WebGpuEngine.open(host, circuit);
    const alone = await Promise.all(batches.map((batch) => engine.logLikelihoods(batch)));
    const pending = batches.map((batch) => engine.accumulate(batch));
    const update = engine.update({ step: { kind: "anemone", step: 0.5 } });
    const after = batches.map((batch) => engine.logLikelihoods(batch));
    await Promise.resolve().then(() => engine.session.open.device.destroy());
    assert.deepEqual((await Promise.all(pending)).map(({ logLikelihoods }) => logLikelihoods), alone);
    await update;
    const other = await WebGpuEngine.open(host, circuit);
    for (const batch of batches) await other.accumulate(batch);
    await other.update({ step: { kind: "anemone", step: 0.5 } });
    assert.deepEqual(
      await Promise.all(after),
      await Promise.all(batches.map((batch) => other.logLikelihoods(batch))),
    );
    assert.equal(engine.deviceLosses, 1);
    await engine.close();
    await other.close();
    await host.close();
  },
});

Deno.test({
  ...onGpu,
  name: "a device that is lost over and over is given up with a message",
  async fn() {
    const host = new DeviceHost(navigator.gpu);
    const engine = await WebGpuEngine.open(host, circuit, {
      // The new device is lost before anything can be done on it.
      onLoss: () => host.ready().then(({ open }) => open.device.destroy()),
    });
    engine.session.open.device.destroy();
    await assert.rejects(engine.logLikelihoods(batches[0]!), (error: Error & { hint?: string }) => {
      assert.match(error.message, /GPU was lost/);
      assert.match(error.hint!, /goes on from the last checkpoint/);
      return true;
    });
    await assert.rejects(engine.logLikelihoods(batches[0]!), /GPU was lost/);
    await engine.close();
    await host.close();
  },
});

Deno.test({
  ...onGpu,
  name: "too little memory on the device: smaller batches, then a message with the sizes",
  async fn() {
    const host = new DeviceHost(navigator.gpu);
    const model = hmm({ length: 8, states: 16, symbols: 20, seed: 1 });
    const samples = samplesFromRows(randomBatch(model, 200, 3));
    const roomy = await WebGpuEngine.open(host, model);
    const wanted = await roomy.flows(samples);
    const bytes = roomy.session.bytes;
    await roomy.close();
    const tight = await WebGpuEngine.open(host, model, { deviceMemory: bytes / 4 });
    const got = await tight.flows(samples);
    assert.ok(tight.session.bytes < bytes / 2, "batches became smaller");
    got.logLikelihoods.forEach((log, s) => assert.ok(Math.abs(log - wanted.logLikelihoods[s]!) < 1e-5));
    for (const [id, counts] of wanted.weights) {
      counts.forEach((x, i) => assert.ok(Math.abs(x - got.weights.get(id)![i]!) <= 1e-4 + 1e-4 * x));
    }
    await tight.close();
    const hopeless = await WebGpuEngine.open(host, model, { deviceMemory: 30_000 });
    await assert.rejects(
      hopeless.flows(samples),
      /lacks memory for 8 samples at a time: .* MiB beside the .* MiB/,
    );
    await hopeless.close();
    await host.close();
  },
});
