/** Stages whose GPU is lost while they run. */
import assert from "node:assert/strict";
import { hmm, sourceOf } from "../../circuits/mod.ts";
import { threadOf } from "../../kernels/webgpu/thread.ts";
import { matrixShards } from "../../runner/codecs/shard_codecs.ts";
import { ShardWriter } from "../../runner/codecs/shard_writer.ts";
import { clusterVectors } from "../../stages/clusters/kmeans.ts";
import { trainEm } from "../../stages/train_em.ts";
import { samplesFromRows } from "../../circuits/mod.ts";
import { randomBatch } from "../circuits/learner_conformance.ts";
import { onGpu } from "../kernels/webgpu/host.ts";
import { inPlace, runHere } from "./in_place.ts";

/** Destroys the device that stages use, as a fault of the driver would. */
async function loseDevice(): Promise<void> {
  const thread = await threadOf(undefined), number = thread.enter(undefined);
  try {
    await thread.call(number, "loseDevice");
  } finally {
    await thread.leave(number);
  }
}

/** What a stage on WebGPU is given, and what it told. */
function watched(lose: (offer: number) => boolean, again = false) {
  const told = { logs: [] as string[], engines: [] as string[], saved: [] as unknown[] };
  let offers = 0, due = false;
  const context = {
    engine: { choice: "webgpu", used: (engine: string) => told.engines.push(engine) },
    log(line: string) {
      told.logs.push(line);
      // The new device is lost as well, before the work that was lost is done on it.
      if (again) void loseDevice().catch(() => {});
    },
    checkpoint: {
      load: () => Promise.resolve(undefined as unknown),
      soon: () => due = true,
      async offer(make: () => unknown) {
        if (due) told.saved.push(await make());
        due = false;
        if (lose(offers++)) await loseDevice();
      },
    },
  };
  return { told, context };
}

const circuit = hmm({ length: 5, states: 12, symbols: 9, seed: 1 });
const train = sourceOf(samplesFromRows(randomBatch(circuit, 60, 1)));
const valid = sourceOf(samplesFromRows(randomBatch(circuit, 20, 2)));

const training = (context: Record<string, unknown>) =>
  runHere(trainEm, { circuit, train, valid }, { epochs: 3, batchSize: 20 }, context);

Deno.test({
  ...onGpu,
  name:
    "a training whose GPU is lost saves its state, goes on with a new device and ends with the same bytes",
  async fn() {
    const calm = watched(() => false);
    const wanted = await training(calm.context);
    assert.deepEqual(calm.told.saved, []);
    const { told, context } = watched((offer) => offer === 2 || offer === 5);
    assert.deepEqual(await training(context), wanted);
    assert.deepEqual(told.engines, ["webgpu"]);
    assert.equal(told.logs.filter((line) => line.includes("the GPU was lost")).length, 2);
    assert.equal(told.saved.length, 2);
    // Whoever goes on from what was saved ends there as well.
    const later = watched(() => false);
    later.context.checkpoint.load = () => Promise.resolve(told.saved[0]);
    assert.deepEqual((await training(later.context)).circuit, wanted.circuit);
  },
});

Deno.test({
  ...onGpu,
  name: "a training whose GPU is lost again and again ends with a message",
  async fn() {
    const { context } = watched((offer) => offer === 3, true);
    await assert.rejects(training(context), (error: Error & { hint?: string }) => {
      assert.match(error.message, /the GPU was lost .* and its work could not be resumed/);
      assert.match(error.hint!, /goes on from the last checkpoint/);
      return true;
    });
  },
});

Deno.test({
  ...onGpu,
  name: "clusters are found on the engine that the run asks for, and a lost device changes none of them",
  async fn() {
    await inPlace(async (place) => {
      const folder = Deno.makeTempDirSync({ dir: place.scratch });
      const writer = new ShardWriter({ folder, type: "f4", width: 3, shardRows: 16 });
      await writer.append(Float32Array.from({ length: 120 }, (_, i) => Math.sin(i * i)));
      const vectors = await place.read(matrixShards, await place.write(matrixShards, await writer.finish()));
      const run = (context: Record<string, unknown>) =>
        runHere(clusterVectors, { vectors }, { clusters: 4, positions: 2, tolerance: 0 }, context);
      const calm = watched(() => false);
      const wanted = await run(calm.context);
      assert.deepEqual(calm.told.engines, ["webgpu", "webgpu"]);
      const { told, context } = watched((offer) => offer === 1);
      assert.deepEqual(await run(context), wanted);
      assert.equal(told.logs.filter((line) => line.includes("the GPU was lost")).length, 1);
      assert.equal(told.saved.length, 1);
    });
  },
});
