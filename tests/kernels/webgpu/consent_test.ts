import assert from "node:assert/strict";
import {
  hmm,
  RandomStream,
  ReferenceLearner,
  type Samples,
  samplesFromRows,
  type UpdateRule,
} from "../../../circuits/mod.ts";
import { RetortError } from "../../../foundation/errors.ts";
import { WebGpuEngine } from "../../../kernels/webgpu/engine.ts";
import { DeviceHost } from "../../../kernels/webgpu/host.ts";
import { WebGpuKMeans } from "../../../kernels/webgpu/kmeans.ts";
import { measureProduct, measureRate } from "../../../kernels/webgpu/measure.ts";
import { mixedCircuit, randomBatch } from "../../circuits/learner_conformance.ts";
import { type DeviceFault, FaultyGpu } from "./faulty.ts";
import { onGpu } from "./host.ts";

const FAULTS: readonly DeviceFault[] = [
  "submit",
  "memory",
  "internal",
  "uncaptured",
  "write",
  "buffer",
  "map",
];

const circuit = mixedCircuit();
const rule: UpdateRule = { step: { kind: "inertia", inertia: 0.6 }, sums: { pseudocount: 0.1 } };
const batches: Samples[] = [1, 2, 3].map((seed) => samplesFromRows(randomBatch(circuit, 14, seed)));
/** So that every batch is two. */
const MEMORY = 10_000;

/** What an engine is asked, one after the other. */
const OPERATIONS: readonly ((engine: WebGpuEngine) => Promise<unknown>)[] = [
  (engine) => engine.accumulate(batches[0]!),
  (engine) => engine.logLikelihoods(batches[1]!),
  (engine) => engine.accumulate(batches[1]!),
  (engine) => engine.update(rule),
  (engine) => engine.flows(batches[2]!),
  (engine) => engine.accumulate(batches[2]!),
  (engine) => engine.update(rule),
  async (engine) => (await engine.activations(batches[0]!, "max")).of(0),
  (engine) => engine.parameters(),
];

/** What those operations of `wanted` answer that are not left out, asked all at once. */
function answers(engine: WebGpuEngine, left = new Set<number>()): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled(
    OPERATIONS.map((operation, i) => left.has(i) ? Promise.reject(new Error("left out")) : operation(engine)),
  );
}

/** All numbers in `got` are those in `wanted`, up to rounding. */
function near(got: unknown, wanted: unknown): void {
  if (typeof got === "number") {
    const right = wanted as number;
    assert.ok(
      got === right || Math.abs(got - right) <= 1e-4 + 1e-5 * Math.abs(right),
      `${got}, not ${right}`,
    );
  } else if (got instanceof Map) { for (const [id, part] of got) near(part, (wanted as typeof got).get(id)); }
  else if (typeof got === "object" && got !== null) {
    for (const [key, part] of Object.entries(got)) near(part, (wanted as Record<string, unknown>)[key]);
  }
}

Deno.test({
  ...onGpu,
  name: "whatever the device refuses, whoever asked is told, and all else is as if it had never been asked",
  async fn() {
    const gpu = new FaultyGpu(navigator.gpu);
    const host = new DeviceHost(gpu as unknown as GPU);
    const healthy = async (left: Set<number>) => {
      gpu.refuse(undefined);
      const engine = await WebGpuEngine.open(host, circuit, { memory: MEMORY });
      const found = await answers(engine, left);
      await engine.close();
      return found;
    };
    const asked = new Map(gpu.asked);
    await healthy(new Set());
    for (const [fault, count] of gpu.asked) asked.set(fault, count);
    const known = new Map<string, PromiseSettledResult<unknown>[]>();
    let failures = 0;
    for (const [k, fault] of FAULTS.entries()) {
      const count = asked.get(fault)!;
      for (let n = 0; n < 3; n++) {
        const at = Math.floor((n + k / FAULTS.length) * count / 3);
        const what = `${fault} ${at} of ${count}`;
        gpu.refuse(fault, at);
        const opened = await WebGpuEngine.open(host, circuit, { memory: MEMORY }).catch((error) =>
          error as Error
        );
        if (opened instanceof Error) {
          assert.ok(opened instanceof RetortError, `${what}: ${opened}`);
          failures++;
          continue;
        }
        const got = await answers(opened);
        assert.equal(gpu.refused, 1, `${what}: nothing was refused`);
        // One that lets no result come is told to one; buffers can be made smaller.
        const left = new Set(got.flatMap(({ status }, i) => status === "rejected" ? [i] : []));
        failures += left.size;
        if (fault !== "buffer") assert.ok(left.size > 0, `${what}: nobody is told`);
        if (fault !== "uncaptured") assert.ok(left.size <= 1, `${what}: ${left.size} are told`);
        for (const result of got) {
          if (result.status === "rejected") {
            assert.ok(result.reason instanceof RetortError, `${what}: ${result.reason.stack}`);
          }
        }
        const key = [...left].join();
        const wanted = known.get(key) ?? await healthy(left);
        known.set(key, wanted);
        got.forEach((result, i) => {
          if (result.status === "rejected") return;
          // Smaller batches add up in another order.
          if (fault === "buffer") near(result.value, (wanted[i] as PromiseFulfilledResult<unknown>).value);
          else assert.deepEqual(result, wanted[i], `${what}, operation ${i}`);
        });
        await opened.close();
      }
    }
    assert.ok(failures > 15);
    await host.close();
  },
});

Deno.test({
  ...onGpu,
  name: "k-means: what the device refuses fails the call that asked for it, and the next pass is whole",
  async fn() {
    const gpu = new FaultyGpu(navigator.gpu);
    const host = new DeviceHost(gpu as unknown as GPU);
    const random = new RandomStream(3), width = 3, clusters = 4, rows = 60;
    const values = Float32Array.from({ length: rows * width }, () => random.normal());
    const pass = async (kernel: WebGpuKMeans) => {
      await kernel.begin(values.slice(0, width * clusters), new Float32Array(clusters));
      const blocks = [
        await kernel.add(values.subarray(0, 90), 30),
        await kernel.add(values.subarray(90), 30),
      ];
      return { blocks, ...await kernel.sums() };
    };
    const open = () => WebGpuKMeans.open(host, width, clusters, { memory: 16 * 20 });
    const kernel = await open();
    await pass(kernel);
    gpu.refuse(undefined);
    const wanted = await pass(kernel);
    const asked = new Map(gpu.asked);
    for (const fault of FAULTS) {
      const count = asked.get(fault) ?? 0;
      for (let at = 0; at < count; at += Math.ceil(count / 7)) {
        gpu.refuse(fault, at);
        await assert.rejects(pass(kernel), RetortError, `${fault} ${at}`);
        assert.equal(gpu.refused, 1);
        if (fault !== "map") {
          await assert.rejects(kernel.sums(), RetortError, "nor are there sums of half a pass");
        }
        gpu.refuse(undefined);
        assert.deepEqual(await pass(kernel), wanted, `after ${fault} ${at}`);
      }
    }
    for (const fault of FAULTS) {
      gpu.refuse(fault);
      await open().then((made) => made.release(), (error) => assert.ok(error instanceof RetortError));
    }
    await kernel.release();
    await host.close();
  },
});

Deno.test({
  ...onGpu,
  name: "no rate is measured of work that the device refuses",
  async fn() {
    const gpu = new FaultyGpu(navigator.gpu);
    const host = new DeviceHost(gpu as unknown as GPU);
    const ready = await host.ready();
    await measureRate(ready);
    for (const fault of ["submit", "memory", "internal", "uncaptured", "write"] as const) {
      for (const at of [0, 2]) {
        gpu.refuse(fault, at);
        await assert.rejects(
          measureProduct(ready, { size: 64, seconds: 0.01 }),
          RetortError,
          `${fault} ${at}`,
        );
        assert.equal(gpu.refused, 1);
      }
      gpu.refuse(fault, 1);
      await assert.rejects(measureRate(ready), RetortError);
    }
    await host.close();
  },
});

Deno.test({
  ...onGpu,
  name: "an engine hears nothing of what the device says to another",
  async fn() {
    const gpu = new FaultyGpu(navigator.gpu);
    const host = new DeviceHost(gpu as unknown as GPU);
    const [one, other] = [await WebGpuEngine.open(host, circuit), await WebGpuEngine.open(host, circuit)];
    const wanted = await other.flows(batches[0]!);
    await one.flows(batches[0]!);
    for (const fault of ["submit", "memory", "internal", "write", "map"] as const) {
      gpu.refuse(fault);
      const failing = one.flows(batches[0]!);
      failing.catch(() => {});
      while (gpu.refused === 0) await new Promise((resolve) => setTimeout(resolve));
      const fine = [1, 2, 3].map(() => other.flows(batches[0]!));
      await assert.rejects(failing, RetortError, fault);
      for (const found of await Promise.all(fine)) assert.deepEqual(found, wanted);
    }
    await one.close();
    await other.close();
    await host.close();
  },
});

Deno.test({
  ...onGpu,
  name: "as many distinct tokens as a grid has no workgroups for: 64 steps, 65,600 symbols, 1,024 samples",
  async fn() {
    const length = 64, symbols = 65_600, batch = 1024;
    const model = hmm({ length, states: 2, symbols, seed: 0 });
    const values = Int32Array.from({ length: batch * length }, (_, i) => i % symbols);
    const samples: Samples = { count: batch, variables: length, values };
    const host = new DeviceHost(navigator.gpu);
    const engine = await WebGpuEngine.open(host, model), reference = new ReferenceLearner(model);
    const step: UpdateRule = { step: { kind: "em" }, sums: { pseudocount: 1 } };
    for (const learner of [engine, reference]) await learner.logLikelihoods(samples);
    const got = await engine.accumulate(samples), wanted = await reference.accumulate(samples);
    got.logLikelihoods.forEach((log, s) => assert.ok(Math.abs(log - wanted.logLikelihoods[s]!) < 2e-4));
    await engine.update(step);
    await reference.update(step);
    const learned = await engine.parameters(), right = await reference.parameters();
    for (const [id, array] of right) {
      learned.get(id)!.forEach((x, i) =>
        assert.ok(Math.abs(x - array[i]!) < 1e-5, `${id} ${i}: ${x}, not ${array[i]}`)
      );
    }
    await engine.close();
    await host.close();
  },
});
