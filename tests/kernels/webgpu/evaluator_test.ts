import assert from "node:assert/strict";
import {
  categoricalVariables,
  type Circuit,
  CircuitBuilder,
  type Evaluator,
  hmm,
  maxProduct,
  mixtureOfUnits,
  naiveMixture,
  quadTree,
  RandomStream,
  ratSpn,
  ReferenceEvaluator,
  ReferenceLearner,
  sample,
  type Samples,
  samplesFromRows,
  stack,
} from "../../../circuits/mod.ts";
import { WebGpuEngine, type WebGpuOptions } from "../../../kernels/webgpu/engine.ts";
import { DeviceHost } from "../../../kernels/webgpu/host.ts";
import { Profiler } from "../../../kernels/webgpu/profile.ts";
import type { Tile } from "../../../kernels/webgpu/tiles.ts";
import { mixedCircuit, randomBatch } from "../../circuits/learner_conformance.ts";
import { randomCircuit } from "../../circuits/truth.ts";
import { host, onGpu } from "./host.ts";

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ ...onGpu, name, fn });
}

async function withEngine(
  circuit: Circuit,
  body: (engine: WebGpuEngine) => Promise<void>,
  options: WebGpuOptions = {},
): Promise<void> {
  const engine = await WebGpuEngine.open(host, circuit, options);
  try {
    await body(engine);
  } finally {
    await engine.close();
  }
}

/** Equal to what float32 with a scale can keep: absolute near zero, relative for large numbers. */
function same(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  what: string,
  absolute = 2e-5,
  relative = 1e-6,
) {
  assert.equal(got.length, wanted.length, what);
  for (let i = 0; i < wanted.length; i++) {
    const a = got[i]!, b = wanted[i]!;
    assert.ok(
      a === b || Math.abs(a - b) <= absolute + relative * Math.abs(b),
      `${what} [${i}]: ${a}, not ${b}`,
    );
  }
}

/** Everything that an evaluator answers, beside the reference. */
async function compare(engine: Evaluator, samples: Samples, { flows = true } = {}): Promise<void> {
  const reference = new ReferenceEvaluator(engine.circuit);
  same(await engine.logLikelihoods(samples), await reference.logLikelihoods(samples), "likelihoods");
  for (const semiring of ["sum", "max"] as const) {
    const got = await engine.activations(samples, semiring),
      wanted = await reference.activations(samples, semiring);
    for (const { id } of engine.circuit.nodes) same(got.of(id), wanted.of(id), `${semiring} of node ${id}`);
  }
  if (!flows) return;
  const leaves = engine.circuit.nodes.filter(({ kind }) => kind === "input").map(({ id }) => id);
  const got = await engine.leafFlows(samples, leaves), wanted = await reference.leafFlows(samples, leaves);
  for (const id of leaves) same(got.get(id)!, wanted.get(id)!, `flow of leaf ${id}`);
  const weights = Array.from({ length: samples.count }, (_, s) => (s % 4) / 2);
  const counted = await engine.flows(samples, weights), counts = await reference.flows(samples, weights);
  assert.equal(counted.impossible, counts.impossible);
  for (const part of ["weights", "statistics"] as const) {
    assert.deepEqual([...counted[part].keys()].sort(), [...counts[part].keys()].sort());
    for (const [id, array] of counts[part]) {
      same(counted[part].get(id)!, array, `${part} of ${id}`, 2e-4, 1e-4);
    }
  }
}

test("random circuits: shared nodes, ties, groups, zeros, missing values", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const circuit = randomCircuit(seed * 17 + 3);
    await withEngine(circuit, (engine) => compare(engine, samplesFromRows(randomBatch(circuit, 11, seed))));
  }
});

test("all leaf families, also with units that fill no vec4", async () => {
  await withEngine(
    mixedCircuit(),
    (engine) => compare(engine, samplesFromRows(randomBatch(mixedCircuit(), 9, 2))),
  );
  const b = new CircuitBuilder({ seed: 5 });
  const parts = [3, 5, 8].map((units, i) => {
    const variables = [
      b.categorical(`a${i}`, 2),
      b.categorical(`b${i}`, 6),
      b.real(`c${i}`),
      b.categorical(`d${i}`, 6),
    ];
    const families = ["bernoulli", "categorical", "gaussian", "logistic"];
    const leaves = variables.map((variable, f) => b.input({ variable, family: families[f]!, units }));
    return b.sum([b.product(leaves)], { units: 3 });
  });
  const circuit = b.build(b.sum([b.product(parts)], { units: 1 }));
  await withEngine(circuit, (engine) => compare(engine, samplesFromRows(randomBatch(circuit, 10, 3))));
});

test("external log-likelihoods, of any magnitude, impossible and missing ones", async () => {
  const b = new CircuitBuilder({ seed: 1 });
  const units = 5, count = 6;
  const leaves = ["left", "right"].map((name) =>
    b.input({ variable: b.external(name), family: "external", units })
  );
  const circuit = b.build(b.sum([b.sum([b.product(leaves)], { units: 3 })], { units: 1 }));
  const random = new RandomStream(4);
  const externals = new Map([0, 1].map((v) => [
    v,
    Float32Array.from({ length: count * units }, (_, i) => {
      if (i === 7) return -Infinity;
      if (v === 1 && Math.floor(i / units) === 3) return -Infinity;
      return -3000 * v - 50 * random.uniform();
    }),
  ]));
  const observed = new Uint8Array(count * 2).fill(1);
  observed[4] = observed[8] = observed[9] = 0;
  const samples = { count, variables: 2, values: new Int32Array(count * 2), observed, externals };
  await withEngine(circuit, (engine) => compare(engine, samples));
});

test("structures: region graphs, vector roots, block-diagonal stacks", async () => {
  const spn = ratSpn(categoricalVariables(9, 3), { units: 5, replicas: 3, depth: 2, seed: 2 });
  await withEngine(spn, (engine) => compare(engine, samplesFromRows(randomBatch(spn, 8, 1))));
  const image = quadTree(categoricalVariables(16, 4), { height: 4, width: 4, units: 6, seed: 3 });
  await withEngine(image, (engine) => compare(engine, samplesFromRows(randomBatch(image, 8, 2))));
  const circuits = [1, 2, 3].map((seed) => hmm({ length: 5, states: 6, symbols: 7, seed }));
  const stacked = stack(circuits);
  const rows = samplesFromRows(randomBatch(stacked, 8, 3));
  await withEngine(stacked, (engine) => compare(engine, rows, { flows: false }));
  const mixed = mixtureOfUnits(stacked);
  await withEngine(mixed, (engine) => compare(engine, rows));
});

test("likelihoods far below what float32 holds", async () => {
  const variables = categoricalVariables(300, 3);
  const circuit = naiveMixture(variables, { components: 6, seed: 1 });
  await withEngine(circuit, (engine) => compare(engine, samplesFromRows(randomBatch(circuit, 8, 1))));
});

test("inputs that lie further apart than float32 reaches are summed with care", async () => {
  // Output o takes input o only, and inputs differ by up to e^-400: the largest hides the others.
  const b = new CircuitBuilder();
  const units = 6;
  const external = b.input({ variable: b.external("x"), family: "external", units });
  const weights = Array.from({ length: units * units }, (_, i) => i % (units + 1) === 0 ? 1 - 1e-30 : 0);
  weights[2 * units + 5] = 1e-35;
  const picked = b.sum([external], { units, weights, id: "pick" });
  const other = b.input({ variable: b.external("y"), family: "external", units });
  const circuit = b.build(
    b.sum([b.product([picked, other])], { units: 1, weights: Array(units).fill(1 / units), id: "root" }),
  );
  const count = units;
  const x = new Float32Array(count * units), y = new Float32Array(count * units).fill(-Infinity);
  for (let s = 0; s < count; s++) {
    for (let u = 0; u < units; u++) x[s * units + u] = -80 * u;
    y[s * units + s] = -1;
  }
  const samples = {
    count,
    variables: 2,
    values: new Int32Array(count * 2),
    externals: new Map([[0, x], [1, y]]),
  };
  await withEngine(circuit, (engine) => compare(engine, samples));
});

test("tables and activations larger than a binding are cut; batches follow the memory", async () => {
  const circuit = hmm({ length: 4, states: 48, symbols: 50, seed: 4 });
  const samples = samplesFromRows(randomBatch(circuit, 30, 4));
  const small = new DeviceHost(navigator.gpu, { limits: { binding: 6144, workgroups: 3 } });
  const engine = await WebGpuEngine.open(small, circuit, { memory: 1 << 20 });
  try {
    await compare(engine, samples);
    const reference = new ReferenceLearner(circuit);
    for (const learner of [engine, reference]) {
      await learner.accumulate(samples);
      await learner.update({ step: { kind: "inertia", inertia: 0.3 }, sums: { pseudocount: 0.1 } });
    }
    same(await engine.logLikelihoods(samples), await reference.logLikelihoods(samples), "after a step");
  } finally {
    await engine.close();
    await small.close();
  }
});

test("every way to multiply matrices, and a device without optional features", async () => {
  const circuit = hmm({ length: 4, states: 40, symbols: 7, seed: 4 });
  const samples = samplesFromRows(randomBatch(circuit, 37, 4));
  const tiles: Tile[] = [
    { kind: "shared", rows: 4, columns: 4, x: 8, y: 8, depth: 16 },
    { kind: "shared", rows: 8, columns: 8, x: 16, y: 16, depth: 16 },
    { kind: "register", rows: 8, columns: 8, x: 8, y: 4 },
    { kind: "register", rows: 4, columns: 4, x: 8, y: 4 },
  ];
  for (const tile of tiles) {
    await withEngine(circuit, (engine) => compare(engine, samples), { tiles: () => tile });
  }
  const plain = new DeviceHost(navigator.gpu, {
    without: [
      "subgroups",
      "timestamp-query",
      "shader-f16",
      "wgpu-shader-float32-atomic",
      "shader-float32-atomic",
    ],
  });
  const engine = await WebGpuEngine.open(plain, circuit);
  try {
    const { features } = (await plain.ready()).open;
    assert.deepEqual(features, { subgroup: 0, floatAtomics: false, timestamps: false, half: false });
    await compare(engine, samples);
  } finally {
    await engine.close();
    await plain.close();
  }
});

test("queries over many samples: sampling and max-product", async () => {
  const circuit = hmm({ length: 4, states: 4, symbols: 5, seed: 2 });
  await withEngine(circuit, async (engine) => {
    const drawn = await sample(engine, 200, { seed: 3 });
    const exact = await sample(new ReferenceEvaluator(circuit), 200, { seed: 3 });
    let different = 0;
    drawn.values.forEach((x, i) => different += x === exact.values[i] ? 0 : 1);
    assert.ok(different <= 8, `${different} of 800 values differ`);
    const rows = samplesFromRows(randomBatch(circuit, 20, 6));
    const best = await maxProduct(engine, rows),
      wanted = await maxProduct(new ReferenceEvaluator(circuit), rows);
    assert.deepEqual([...best.samples.values], [...wanted.samples.values]);
  });
});

test("a profiler tells how long every kernel took, and changes no result", async () => {
  const circuit = hmm({ length: 4, states: 8, symbols: 5, seed: 2 });
  const samples = samplesFromRows(randomBatch(circuit, 20, 6));
  await withEngine(circuit, async (engine) => {
    const { open } = engine.session;
    if (!open.features.timestamps) return;
    const wanted = await engine.flows(samples);
    const profiler = new Profiler(open);
    engine.session.profile(profiler);
    assert.deepEqual(await engine.flows(samples), wanted);
    engine.session.profile(undefined);
    const times = profiler.times();
    profiler.close();
    const products = times.filter(({ name }) => name.startsWith("matmul FORM=forward"));
    assert.equal(products.reduce((sum, { dispatches }) => sum + dispatches, 0), 4, "one a step and the root");
    assert.ok(times.every(({ seconds }) => seconds >= 0));
    assert.ok(times.some(({ seconds }) => seconds > 0));
  });
});
