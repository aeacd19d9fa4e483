import assert from "node:assert/strict";
import {
  CircuitBuilder,
  conditional,
  conditionalMean,
  type Leaf,
  leafFamilies,
  logLikelihood,
  MOST_COUNT,
  RandomStream,
  ReferenceEvaluator,
  ReferenceLearner,
  samplesFromRows,
} from "../../../circuits/mod.ts";

const { poisson } = leafFamilies;
const FIXTURE = new URL("../../fixtures/leaves/counts.json", import.meta.url);

function leaf(rates: number[], settings: Leaf["settings"] = {}): Leaf {
  return {
    variable: { kind: "count", name: "n" },
    units: rates.length,
    settings,
    values: Float64Array.from(rates),
  };
}

Deno.test("poisson: logarithms agree with 50 digits, however large count and rate are", () => {
  const rows: [number, number, number][] = JSON.parse(Deno.readTextFileSync(FIXTURE)).poisson;
  for (const [k, rate, log] of rows) {
    const got = poisson.logProbability(leaf([rate]), 0, k);
    assert.ok(Math.abs(got - log) <= 4e-15 * Math.abs(log) + 1e-15, `${k}, ${rate}: ${got}, not ${log}`);
  }
});

Deno.test("poisson: the M-step is the mean, floored; a rate of a hundred million samples is drawn right", () => {
  const at = leaf([3, 3]), statistics = new Float64Array(4);
  for (const [x, flow] of [[2, 1], [7, 0.5], [0, 2]] as const) poisson.accumulate(at, 0, x, flow, statistics);
  poisson.accumulate(at, 1, 0, 4, statistics);
  assert.deepEqual([...poisson.maximise(at, statistics, 0)], [5.5 / 3.5, 1e-6]);
  assert.deepEqual([...poisson.maximise(leaf([3, 3], { minRate: 0.25 }), statistics, 0)], [5.5 / 3.5, 0.25]);
  assert.deepEqual([...poisson.maximise(at, statistics, 0.5)], [7 / 4, 1.5 / 4.5]);
  let first = 0, second = 0;
  for (let i = 0; i < 300; i++) {
    const x = poisson.sample(leaf([1e6]), 0, new RandomStream(1, i));
    first += x / 300;
    second += (x - 1e6) ** 2 / 300;
  }
  assert.ok(
    Math.abs(first - 1e6) < 5 * 1000 / Math.sqrt(300) && Math.abs(second / 1e6 - 1) < 0.5,
    `${first} ${second}`,
  );
  assert.deepEqual([0.4, 1, 2, 2.5, 1e-6].map((rate) => poisson.mode(leaf([rate]), 0)), [0, 0, 1, 2, 0]);
});

Deno.test("poisson: values that are no counts are refused, rates that are none too", async () => {
  const b = new CircuitBuilder(), n = b.count("n");
  const circuit = b.build(b.input({ variable: n, family: "poisson", units: 1, parameter: [2] }));
  const evaluator = new ReferenceEvaluator(circuit);
  for (const x of [-1, 0.5, MOST_COUNT + 1, Infinity]) {
    await assert.rejects(
      logLikelihood(evaluator, samplesFromRows([[x]])),
      /variable 0 `n`: got \S+, expected a whole number from 0 to 16777216/,
    );
  }
  assert.ok((await logLikelihood(evaluator, samplesFromRows([[MOST_COUNT]])))[0]! > -Infinity);
  assert.equal(poisson.logProbability(leaf([2]), 0, -1), -Infinity);
  assert.equal(poisson.logProbability(leaf([2]), 0, 0.5), -Infinity);
  for (const rate of [0, -1, NaN, Infinity]) {
    assert.match(poisson.checkValues(leaf([1, rate])) ?? "", /the rate of unit 1 is/);
  }
  assert.match(poisson.checkSettings(leaf([1], { minRate: 0 })) ?? "", /minRate is 0/);
  const other = new CircuitBuilder(), x = other.real("x");
  const real = other.input({ variable: x, family: "poisson", units: 1 });
  assert.throws(() => other.build(real), /a poisson leaf models count variables, but variable 0 `x` is real/);
  await assert.rejects(
    conditional(evaluator, samplesFromRows([[1]]), [0]),
    /is count: it has no states to list/,
  );
});

Deno.test("poisson: EM finds two rates, and the posterior mean of a count is the closed form's", async () => {
  const b = new CircuitBuilder(), [n, m] = [b.count("n"), b.count("m")];
  const leaf = (variable: number, parameter: number[], id: string) =>
    b.input({ variable, family: "poisson", units: 2, parameter, id });
  const circuit = b.build(
    b.sum([b.product([leaf(n, [2, 9], "n"), leaf(m, [1, 30], "m")])], { units: 1, weights: [0.25, 0.75] }),
  );
  // p(z | n = 4) by hand.
  const [p, q] = [0.25 * 2 ** 4 * Math.exp(-2), 0.75 * 9 ** 4 * Math.exp(-9)];
  const means = await conditionalMean(new ReferenceEvaluator(circuit), samplesFromRows([[4, 0]]), [1]);
  assert.ok(Math.abs(means.get(1)![0]! - (p * 1 + q * 30) / (p + q)) < 1e-12);
  const random = new RandomStream(3), family = leafFamilies.poisson;
  const truth: Leaf = {
    variable: circuit.variables[0]!,
    units: 2,
    settings: {},
    values: Float64Array.of(3, 14),
  };
  const rows = Array.from({ length: 3000 }, (_, i) => {
    const z = i % 3 === 0 ? 0 : 1;
    return [family.sample(truth, z, random), family.sample(truth, z, random)];
  });
  const learner = new ReferenceLearner(circuit), samples = samplesFromRows(rows);
  for (let step = 0; step < 12; step++) {
    await learner.accumulate(samples);
    await learner.update({ step: { kind: "em" } });
  }
  const values = await learner.parameters();
  for (const id of ["n", "m"]) {
    const [a, z] = values.get(id)! as unknown as [number, number];
    assert.ok(Math.abs(a - 3) < 0.25 && Math.abs(z - 14) < 0.4, `${id}: ${a}, ${z}`);
  }
});
