import assert from "node:assert/strict";
import {
  CIRCUIT_VERSION,
  conditionalMean,
  decodeCircuit,
  encodeCircuit,
  type FamilyName,
  familyNames,
  type Leaf,
  leafFamilies,
  logLikelihood,
  maxProduct,
  perturbed,
  RandomStream,
  ReferenceEvaluator,
  ReferenceLearner,
  sampleMissing,
  samplesFromRows,
  startFromData,
  unobserved,
} from "../../circuits/mod.ts";
import type { DeviceLeaf } from "../../kernels/leaves/device_leaf.ts";
import { drawRows, everyFamily, leafExamples, learning, valued } from "./leaf_examples.ts";
import { deviceLeaf, deviceLeaves } from "../../kernels/leaves/mod.ts";

const ROOT = new URL("../../", import.meta.url);
/** Rooms that may know leaf families only through their descriptors. */
const ROOMS = ["circuits", "kernels", "stages", "web", "cli", "runner", "teachers", "datasets", "control"];
/** Where the descriptors are. */
const HOME = /^(circuits|kernels)\/leaves\//;

function* filesUnder(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(`${folder}/`, ROOT))) {
    if (isDirectory) yield* filesUnder(`${folder}/${name}`);
    else if (/\.(tsx?|wgsl)$/.test(name)) yield `${folder}/${name}`;
  }
}

const names = Object.keys(leafFamilies).join("|");
const compares = [
  new RegExp(String.raw`\bfamily\)?\s*[!=]==\s*["'\`]`),
  new RegExp(String.raw`["'\`](${names})["'\`]\s*[!=]==\s*[\w.?]*family\b`),
  new RegExp(String.raw`\[[^\]]*["'](${names})["'][^\]]*\](\.includes|\.indexOf)\(`),
  new RegExp(String.raw`\bcase ["'](${names.replace("categorical|", "").replace("|external", "")})["']`),
  new RegExp(String.raw`//# if \w+ == (${names})\b`),
];

Deno.test("nothing but a family's descriptors knows it by its name", () => {
  const found = ROOMS.flatMap((room) => [...filesUnder(room)]).filter((file) => !HOME.test(file)).flatMap(
    (file) =>
      Deno.readTextFileSync(new URL(file, ROOT)).split("\n").flatMap((line, i) =>
        compares.some((pattern) => pattern.test(line)) ? [`${file}:${i + 1}: ${line.trim()}`] : []
      ),
  );
  assert.deepEqual(found, []);
  for (
    const line of [
      'if (node.family !== "gaussian") {',
      'if ("logistic" === group.family) {',
      '["categorical", "bernoulli"].includes(family)',
      'case "gaussian":',
      "//# if KIND == indicator",
    ]
  ) assert.ok(compares.some((pattern) => pattern.test(line)), line);
});

Deno.test("every family has both descriptors, under its own name", () => {
  assert.deepEqual(Object.keys(deviceLeaves), Object.keys(leafFamilies));
  for (const [name, family] of Object.entries(leafFamilies)) {
    assert.equal(family.name, name);
    assert.ok(familyNames().includes(name));
    assert.equal(deviceLeaf(name), deviceLeaves[name as FamilyName]);
  }
  assert.throws(() => deviceLeaf("unheard of"), /how a device computes `unheard of` leaves/);
  const { gaussian: _, ...others } = deviceLeaves;
  // @ts-expect-error a family without a device descriptor does not compile
  const unwired: Readonly<Record<FamilyName, DeviceLeaf>> = others;
  assert.equal(Object.keys(unwired).length, Object.keys(leafFamilies).length - 1);
});

function leafOfExample(name: FamilyName): Leaf {
  const { variable, settings, values } = leafExamples[name];
  return { variable, units: 2, settings, values: Float64Array.from(values) };
}

for (const name of valued) {
  const { truth, support, step = 1, draw } = leafExamples[name], family = leafFamilies[name];

  Deno.test(`${name}: likelihoods are the textbook's and sum to one, with their mean and mode`, () => {
    const leaf = leafOfExample(name);
    assert.equal(family.checkSettings(leaf), undefined);
    assert.equal(family.checkValues(leaf), undefined);
    for (const unit of [0, 1]) {
      let mass = 0, mean = 0, most = 0;
      for (const x of support) {
        const p = truth(unit, x), got = Math.exp(family.logProbability(leaf, unit, x));
        assert.ok(Math.abs(got - p) <= 1e-12 * Math.max(p, 1e-3), `unit ${unit}, ${x}: ${got}, not ${p}`);
        mass += step * p;
        mean += step * p * x;
        most = Math.max(most, p);
      }
      assert.ok(Math.abs(mass - 1) < 1e-9, `mass ${mass}`);
      assert.ok(
        Math.abs(family.mean(leaf, unit) - mean) < 1e-6,
        `mean ${family.mean(leaf, unit)}, not ${mean}`,
      );
      const mode = truth(unit, family.mode(leaf, unit));
      assert.ok(mode >= most * (1 - 1e-6), `the mode has ${mode}, another value ${most}`);
    }
  });

  Deno.test(`${name}: samples have the mean and spread of their unit`, () => {
    const leaf = leafOfExample(name), n = 4000;
    for (const unit of [0, 1]) {
      const moment = (power: number, about: number) =>
        support.reduce((sum, x) => sum + step * truth(unit, x) * (x - about) ** power, 0);
      const mean = moment(1, 0), variance = moment(2, mean), fourth = moment(4, mean);
      let first = 0, second = 0;
      for (let i = 0; i < n; i++) {
        const x = family.sample(leaf, unit, new RandomStream(6, i, unit));
        assert.ok(truth(unit, x) > 0, `${x} was drawn, which is impossible`);
        first += x / n;
        second += (x - mean) ** 2 / n;
      }
      assert.ok(Math.abs(first - mean) <= 5 * Math.sqrt(variance / n) + 1e-9, `mean ${first}, not ${mean}`);
      const slack = 5 * Math.sqrt(Math.max(0, fourth - variance ** 2) / n) + 1e-6;
      assert.ok(Math.abs(second - variance) <= slack, `variance ${second}, not ${variance}`);
    }
  });

  Deno.test(`${name}: noise and starts from data make parameters that are allowed`, () => {
    const leaf = leafOfExample(name), random = new RandomStream(2);
    const values = Float64Array.from({ length: 40 }, (_, i) => i % 7 === 3 ? NaN : draw(random));
    const column = { values, weights: new Float64Array(40).fill(1) };
    for (const clusters of [Int32Array.from(values, (_, i) => i % 2), new Int32Array(40).fill(-1)]) {
      const started = { ...leaf, values: family.start(leaf, { ...column, clusters }, random) };
      assert.equal(family.checkValues(started), undefined);
      assert.equal(started.values.length, leaf.values.length);
    }
    const empty = { ...column, values: new Float64Array(40).fill(NaN), clusters: new Int32Array(40) };
    assert.equal(family.checkValues({ ...leaf, values: family.start(leaf, empty, random) }), undefined);
    const noisy = family.perturb(leaf, 0.5, random);
    assert.equal(family.checkValues({ ...leaf, values: noisy }), undefined);
    assert.equal(learning.includes(name), noisy.some((x, i) => x !== leaf.values[i]));
  });
}

for (const name of learning) {
  const { draw } = leafExamples[name], family = leafFamilies[name];

  Deno.test(`${name}: steps of EM never lose, and expected statistics of a unit keep it as it is`, () => {
    const random = new RandomStream(4);
    let leaf = leafOfExample(name);
    const data = Array.from({ length: 30 }, () => draw(random));
    const quality = (at: Leaf, unit: number) =>
      data.reduce((sum, x) => {
        const log = family.logProbability(at, unit, x);
        return sum + (log === -Infinity ? -1e6 : log);
      }, 0);
    for (let round = 0; round < 4; round++) {
      const statistics = new Float64Array(2 * family.statisticsWidth(leaf));
      for (const x of data) {
        for (const unit of [0, 1]) {
          if (family.logProbability(leaf, unit, x) > -Infinity) {
            family.accumulate(leaf, unit, x, 1, statistics);
          }
        }
      }
      const next = { ...leaf, values: family.maximise(leaf, statistics, 0) };
      for (const unit of [0, 1]) assert.ok(quality(next, unit) >= quality(leaf, unit) - 1e-9);
      leaf = next;
    }
    const own = new Float64Array(2 * family.statisticsWidth(leaf));
    for (const unit of [0, 1]) family.accumulateExpected(leaf, unit, 3, own);
    family.maximise(leaf, own, 0).forEach((x, i) =>
      assert.ok(
        Math.abs(x - leaf.values[i]!) < 2e-3 * Math.max(1, Math.abs(x)),
        `${x}, not ${leaf.values[i]}`,
      )
    );
    assert.deepEqual([...family.maximise(leaf, new Float64Array(own.length), 0)], [...leaf.values]);
    const half = family.blend(leaf, family.perturb(leaf, 0.3, random), 0.5);
    assert.equal(family.checkValues({ ...leaf, values: half }), undefined);
  });
}

Deno.test("a circuit of every family is written and read, by the newest version that any of it needs", () => {
  const circuit = everyFamily(), { structure, parameters } = encodeCircuit(circuit);
  const read = decodeCircuit(structure, parameters);
  assert.deepEqual(read, circuit);
  assert.equal(JSON.parse(structure).version, CIRCUIT_VERSION);
  const newest = Math.max(...valued.map((name) => leafFamilies[name].since ?? 1));
  assert.equal(CIRCUIT_VERSION, newest);
  const newer = structure.replace(`"version":${CIRCUIT_VERSION}`, `"version":${CIRCUIT_VERSION + 1}`);
  assert.throws(
    () => decodeCircuit(newer, parameters),
    /has the version 5 of the format; this program reads up/,
  );
  assert.throws(
    () => decodeCircuit(structure.replaceAll('"poisson"', '"weibull"'), parameters),
    /unknown leaf family `weibull`; known are bernoulli, .*categorical/,
  );
});

Deno.test("every family in a circuit: EM rises, starts help, completions are possible and means are the mixture's", async () => {
  const circuit = everyFamily(), random = new RandomStream(8);
  const samples = samplesFromRows(drawRows(random, 80));
  const total = async (at: typeof circuit) => {
    const logs = await logLikelihood(new ReferenceEvaluator(at), samples);
    return logs.reduce((sum, log) => sum + (log === -Infinity ? 0 : log), 0);
  };
  const learner = new ReferenceLearner(
    perturbed(startFromData(circuit, samples, { seed: 1 }), { amount: 0.1, seed: 3 }),
  );
  let before = -Infinity;
  for (let step = 0; step < 6; step++) {
    const { logLikelihoods } = await learner.accumulate(samples);
    const now = logLikelihoods.reduce((sum, log) => sum + (log === -Infinity ? 0 : log), 0);
    assert.ok(now >= before - 1e-6, `step ${step}: ${now} after ${before}`);
    before = now;
    await learner.update({ step: { kind: "em" } });
  }
  await learner.parameters();
  assert.ok(await total(learner.circuit) > await total(circuit));
  const evaluator = new ReferenceEvaluator(circuit), none = unobserved(50, circuit.variables.length);
  for (
    const completed of [
      await sampleMissing(evaluator, none, { seed: 2 }),
      (await maxProduct(evaluator, none)).samples,
    ]
  ) {
    assert.ok((await logLikelihood(evaluator, completed)).every((log) => log > -Infinity));
  }
  const columns = circuit.variables.map((_, v) => v),
    drawn = await sampleMissing(evaluator, unobserved(4000, columns.length), { seed: 5 });
  const means = await conditionalMean(evaluator, unobserved(1, columns.length), columns);
  for (const v of columns) {
    let mean = 0, square = 0;
    for (let s = 0; s < drawn.count; s++) {
      const x = drawn.values[s * columns.length + v]!;
      mean += x / drawn.count;
      square += x * x / drawn.count;
    }
    const slack = 5 * Math.sqrt((square - mean * mean) / drawn.count);
    assert.ok(Math.abs(mean - means.get(v)![0]!) <= slack, `${valued[v]}: ${mean}, not ${means.get(v)![0]}`);
  }
});
