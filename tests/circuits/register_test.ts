import assert from "node:assert/strict";
import {
  CircuitBuilder,
  decodeCircuit,
  encodeCircuit,
  type Leaf,
  leafFamilies,
  type LeafFamily,
  logLikelihood,
  RandomStream,
  ReferenceLearner,
  registerLeafFamily,
  samplesFromRows,
  startFromData,
} from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { exportOnnx, openEngine, registerDeviceLeaf } from "../../kernels/mod.ts";
import { deviceLeaves } from "../../kernels/leaves/mod.ts";

const rateOf = (leaf: Leaf, unit: number) => leaf.values[unit]!;

/** Waiting times: the density `rate exp(-rate x)` from 0 on. */
const exponential: LeafFamily = {
  name: "exponential",
  kinds: ["real"],
  double: true,
  ordered: true,
  states: () => 0,
  parameterShape: (leaf) => [leaf.units],
  checkSettings: () => undefined,
  checkValues(leaf) {
    const bad = leaf.values.findIndex((rate) => !(rate > 0 && rate < Infinity));
    return bad < 0 ? undefined : `the rate of unit ${bad} is ${leaf.values[bad]}`;
  },
  initialise: (leaf, random) => Float64Array.from({ length: leaf.units }, () => 0.5 + random.uniform()),
  logProbability: (leaf, unit, x) =>
    x < 0 ? -Infinity : Math.log(rateOf(leaf, unit)) - rateOf(leaf, unit) * x,
  statisticsWidth: () => 2,
  accumulate(_leaf, unit, x, flow, statistics) {
    statistics[2 * unit]! += flow;
    statistics[2 * unit + 1]! += flow * x;
  },
  maximise: (leaf, statistics, pseudocount) =>
    leaf.values.map((rate, u) => {
      const weight = statistics[2 * u]! + pseudocount, total = statistics[2 * u + 1]! + pseudocount / rate;
      return weight > 0 && total > 0 ? weight / total : rate;
    }),
  accumulateExpected(leaf, unit, weight, statistics) {
    statistics[2 * unit]! += weight;
    statistics[2 * unit + 1]! += weight / rateOf(leaf, unit);
  },
  blend: (leaf, fresh, inertia) => leaf.values.map((rate, u) => rate ** inertia * fresh[u]! ** (1 - inertia)),
  start: (leaf, { values, clusters }) =>
    leaf.values.map((rate, u) => {
      const own = values.filter((x, row) => clusters[row] === u && x >= 0);
      const total = own.reduce((a, b) => a + b, 0);
      return total > 0 ? own.length / total : rate;
    }),
  perturb: (leaf, amount, random) => leaf.values.map((rate) => rate * Math.exp(-amount * random.uniform())),
  sample: (leaf, unit, random) => -Math.log1p(-random.uniform()) / rateOf(leaf, unit),
  mode: () => 0,
  mean: (leaf, unit) => 1 / rateOf(leaf, unit),
};

function mixtureOfTwo() {
  const b = new CircuitBuilder();
  const leaves = ["wait", "stay"].map((name) =>
    b.input({ variable: b.real(name), family: "exponential", units: 2, parameter: [0.5, 4], id: name })
  );
  return b.build(b.sum([b.product(leaves)], { units: 1, weights: [0.25, 0.75], id: "weights" }));
}

Deno.test("a family of one's own: built, saved, asked, started and learned, on the reference and the CPU engine", async () => {
  assert.throws(mixtureOfTwo, /no leaf family `exponential`/);
  registerLeafFamily(exponential);
  registerLeafFamily(exponential);
  const circuit = mixtureOfTwo(), { structure, parameters } = encodeCircuit(circuit);
  assert.deepEqual(decodeCircuit(structure, parameters), circuit);
  const rows = [[0.5, 1], [2, null], [0.01, 7], [-1, 1]], samples = samplesFromRows(rows);
  const density = (rate: number, x: number | null) => x === null ? 1 : x < 0 ? 0 : rate * Math.exp(-rate * x);
  const wanted = rows.map(([x, y]) =>
    Math.log(0.25 * density(0.5, x!) * density(0.5, y!) + 0.75 * density(4, x!) * density(4, y!))
  );
  const engine = new CpuEngine(circuit, { threads: 1 }), reference = new ReferenceLearner(circuit);
  try {
    for (const learner of [engine, reference]) {
      (await logLikelihood(learner, samples)).forEach((log, s) =>
        assert.ok(log === wanted[s] || Math.abs(log - wanted[s]!) < 1e-6, `${s}: ${log}, not ${wanted[s]}`)
      );
      await learner.accumulate(samples);
      await learner.update({ step: { kind: "em" } });
    }
    const learned = await reference.parameters();
    for (const [id, values] of await engine.parameters()) {
      values.forEach((x, i) => assert.ok(Math.abs(x - learned.get(id)![i]!) < 1e-4, `${id}[${i}]`));
    }
  } finally {
    await engine.close();
  }
  const random = new RandomStream(3);
  const data = samplesFromRows(Array.from({ length: 50 }, () => [random.uniform(), 5 + random.uniform()]));
  assert.notDeepEqual(startFromData(circuit, data).parameters.get("stay"), circuit.parameters.get("stay"));
});

Deno.test("what nobody described for devices is refused by them, and `auto` takes the CPU", async () => {
  registerLeafFamily(exponential);
  const circuit = mixtureOfTwo();
  await assert.rejects(
    openEngine(circuit, { engine: "webgpu" }),
    /input node 0 is a exponential leaf, which the engine webgpu cannot compute/,
  );
  const engine = await openEngine(circuit);
  assert.equal(engine.name, "cpu");
  await engine.close();
  assert.throws(() => exportOnnx(circuit), /how a device computes `exponential` leaves/);
  registerDeviceLeaf("exponential", {
    ...deviceLeaves.external,
    onnx(to, leaves) {
      const { graph } = to, { folds, group: { units } } = leaves;
      const rates = Float64Array.from({ length: folds * units }, (_, i) => {
        const { leaf, first } = to.leaf(leaves, Math.floor(i / units));
        return leaf.values[first + i % units]!;
      });
      const x = to.values(leaves), value = graph.op("Unsqueeze", [to.doubles(x), graph.integers(2)]);
      const rate = graph.constant(rates, [folds, 1, units]);
      const log = graph.op("Sub", [graph.op("Log", [rate]), graph.op("Mul", [rate, value])]);
      return to.orNothing(to.observed(leaves, x, false), log);
    },
  });
  assert.ok(exportOnnx(circuit).length > 0);
  assert.throws(() => registerDeviceLeaf("weibull", deviceLeaves.external), /no leaf family `weibull`/);
  assert.throws(
    () => registerDeviceLeaf("gaussian", deviceLeaves.external),
    /how devices compute `gaussian` leaves/,
  );
});

Deno.test("families that make no sense are refused", () => {
  assert.throws(
    () => registerLeafFamily({ ...exponential, name: "gaussian" }),
    /already a leaf family `gaussian`/,
  );
  for (const name of ["", "two words", 7]) {
    assert.throws(
      () => registerLeafFamily({ ...exponential, name: name as string }),
      /the name of a leaf family is/,
    );
  }
  const { sample: _, mean: __, ...rest } = leafFamilies.gaussian;
  assert.throws(
    () => registerLeafFamily({ ...rest, name: "half" } as LeafFamily),
    /the leaf family `half` lacks sample, mean/,
  );
});
