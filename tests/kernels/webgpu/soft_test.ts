import assert from "node:assert/strict";
import {
  type Circuit,
  CircuitBuilder,
  hmm,
  RandomStream,
  ReferenceLearner,
  type Samples,
  type SoftEvidence,
} from "../../../circuits/mod.ts";
import { WebGpuEngine, type WebGpuOptions } from "../../../kernels/webgpu/engine.ts";
import { planOf } from "../../../kernels/plan.ts";
import { DeviceHost } from "../../../kernels/webgpu/host.ts";
import { ParameterPlaces } from "../../../kernels/webgpu/parameter_places.ts";
import { mixedCircuit } from "../../circuits/learner_conformance.ts";
import { mixedSamples } from "../../circuits/soft_truth.ts";
import { compareWithReference } from "../engine_suite.ts";
import { softSuite } from "../soft_suite.ts";
import { host, onGpu } from "./host.ts";

softSuite({
  name: "webgpu",
  circuits: 8,
  relative: 1e-6,
  open: (circuit, memory) => WebGpuEngine.open(host, circuit, memory === undefined ? {} : { memory }),
  test: onGpu,
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ ...onGpu, name: `webgpu: soft evidence: ${name}`, fn });
}

/** Runs `body` with an engine on a device of its own kind. */
async function using(
  on: DeviceHost,
  circuit: Circuit,
  body: (engine: WebGpuEngine) => Promise<void>,
  options: WebGpuOptions = {},
): Promise<void> {
  const engine = await WebGpuEngine.open(on, circuit, options);
  try {
    await body(engine);
  } finally {
    await engine.close();
  }
}

test("the device does all samples but those whose smallest weights float32 has no place for", async () => {
  for (const circuit of [mixedCircuit(), hmm({ length: 4, states: 3, symbols: 5, seed: 8 })]) {
    await using(host, circuit, async (engine) => {
      const samples = mixedSamples(circuit, 6, 2);
      assert.deepEqual(engine.session.softForHost(samples), []);
      await compareWithReference(engine, samples, "on the device");
      const [[v, { weights, ...rest }]] = [...samples.soft!] as [[number, SoftEvidence]];
      const narrow = weights.slice(), width = weights.length / 6;
      const s = [0, 1, 2, 3, 4, 5].find((s) => samples.observed![s * samples.variables + v] === 1)!;
      narrow.set([1, 1e-37], s * width);
      const far = {
        ...samples,
        soft: new Map([[v, { ...rest, weights: narrow, rows: new Uint8Array(6).fill(1) }]]),
      };
      assert.ok(width > 1);
      assert.deepEqual(engine.session.softForHost(far), [s]);
      await compareWithReference(engine, far, "one on the host");
    });
  }
});

test("kernels as for hardware, and dispatches of four workgroups", async () => {
  const hard = new DeviceHost(navigator.gpu, { software: false });
  const few = new DeviceHost(navigator.gpu, { limits: { workgroups: 4 } });
  for (const on of [hard, few]) {
    for (const circuit of [mixedCircuit(), hmm({ length: 5, states: 6, symbols: 70, seed: 1 })]) {
      await using(
        on,
        circuit,
        (engine) => compareWithReference(engine, mixedSamples(circuit, 20, 4), "soft"),
      );
    }
  }
  await hard.close();
  await few.close();
});

/** Leaves over 300 states with likelihoods and with logarithms of them, and evidence of which one variable's is dense. */
function wideCase(): { circuit: Circuit; samples: Samples } {
  const b = new CircuitBuilder({ seed: 2 }), random = new RandomStream(1);
  const leaves = (["categorical", "logistic", "categorical"] as const).map((family, v) =>
    b.input({ variable: b.categorical(`x${v}`, 300), family, units: 24 })
  );
  const circuit = b.build(b.sum([b.product(leaves)], { units: 1 }));
  const count = 8, k = 6, soft = new Map<number, SoftEvidence>();
  soft.set(0, { weights: Float32Array.from({ length: count * 300 }, () => random.uniform()) });
  for (const v of [1, 2]) {
    soft.set(v, {
      indices: Int32Array.from(
        Array.from({ length: count }, () => random.permutation(300).slice(0, k)).flat(),
      ),
      weights: Float32Array.from({ length: count * k }, () => random.uniform()),
    });
  }
  return { circuit, samples: { count, variables: 3, values: new Int32Array(count * 3), soft } };
}

test("tables that are cut in pages", async () => {
  const small = new DeviceHost(navigator.gpu, { limits: { binding: 12_288, workgroups: 3 } });
  const { circuit, samples } = wideCase();
  assert.ok(new ParameterPlaces(planOf(circuit), 12_288).tablePages.sizes.length >= 6);
  await using(small, circuit, async (engine) => {
    await compareWithReference(engine, samples, "in pages");
  });
  await small.close();
});

test("work that is cut ends with the same bits", async () => {
  const circuit = hmm({ length: 9, states: 5, symbols: 30, seed: 2 }), samples = mixedSamples(circuit, 40, 3);
  const slow = { flops: 2e6, alone: 1e6, bytes: 1e7 };
  const found: unknown[] = [];
  for (const options of [{}, { rate: slow }, { seconds: 0.01 }]) {
    await using(host, circuit, async (engine) => {
      await engine.accumulate(samples);
      await engine.update({ step: { kind: "em" } });
      found.push({ flows: await engine.flows(samples), parameters: await engine.parameters() });
    }, options);
  }
  assert.deepEqual(found[1], found[0]);
  assert.deepEqual(found[2], found[0]);
});

test("a workspace serves samples with more evidence, with less and with none, in turn", async () => {
  const circuit = hmm({ length: 5, states: 4, symbols: 12, seed: 6 });
  await using(host, circuit, async (engine) => {
    for (const [count, seed] of [[5, 1], [30, 2], [8, 3], [3, 4]] as const) {
      const samples = mixedSamples(circuit, count, seed), { soft: _, ...hard } = samples;
      await compareWithReference(engine, samples, `${count} samples`);
      await compareWithReference(engine, hard, `${count} samples of values`);
    }
  });
});

test("work that is repeated after a loss of the device has the evidence that was given", async () => {
  const circuit = hmm({ length: 5, states: 4, symbols: 9, seed: 2 });
  const own = new DeviceHost(navigator.gpu), reference = new ReferenceLearner(circuit);
  const [first, second] = [mixedSamples(circuit, 12, 3), mixedSamples(circuit, 9, 4)];
  for (const samples of [first, second]) await reference.accumulate(samples);
  await using(own, circuit, async (engine) => {
    await engine.accumulate(first);
    // The caller may use its arrays again.
    for (const { weights } of first.soft!.values()) weights.fill(0.5);
    engine.session.open.device.destroy();
    await engine.accumulate(second);
    for (const learner of [engine, reference]) await learner.update({ step: { kind: "em" } });
    const got = await engine.parameters();
    for (const [id, values] of await reference.parameters()) {
      values.forEach((x, i) => assert.ok(Math.abs(x - got.get(id)![i]!) < 2e-4, `${id}[${i}]`));
    }
  });
  await own.close();
});
