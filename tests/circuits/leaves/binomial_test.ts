import assert from "node:assert/strict";
import {
  CircuitBuilder,
  conditional,
  formatJpc,
  type Leaf,
  leafFamilies,
  logLikelihood,
  parseJpc,
  ReferenceEvaluator,
  samplesFromRows,
} from "../../../circuits/mod.ts";

const { binomial } = leafFamilies;
const FIXTURE = new URL("../../fixtures/leaves/counts.json", import.meta.url);

function leaf(states: number, shares: number[], settings: Leaf["settings"] = {}): Leaf {
  return {
    variable: { kind: "categorical", name: "k", states },
    units: shares.length,
    settings,
    values: Float64Array.from(shares),
  };
}

Deno.test("binomial: logarithms agree with 50 digits, however many trials there are", () => {
  const rows: [number, number, number, number][] = JSON.parse(Deno.readTextFileSync(FIXTURE)).binomial;
  for (const [k, trials, p, log] of rows) {
    const got = binomial.logProbability(leaf(trials + 1, [p]), 0, k);
    assert.ok(
      Math.abs(got - log) <= 1e-13 * Math.abs(log) + 1e-13,
      `${k} of ${trials}, ${p}: ${got}, not ${log}`,
    );
  }
});

Deno.test("binomial: trials may be those of a unit; states above them are impossible, certain shares stay certain", () => {
  const at = leaf(8, [0.5, 0, 1], { trials: [5, 3, 2] });
  assert.equal(binomial.logProbability(at, 0, 6), -Infinity);
  assert.ok(Math.abs(binomial.logProbability(at, 0, 5) - Math.log(1 / 32)) < 1e-15);
  assert.deepEqual([0, 1].map((k) => binomial.logProbability(at, 1, k)), [0, -Infinity]);
  assert.deepEqual([1, 2].map((k) => binomial.logProbability(at, 2, k)), [-Infinity, 0]);
  assert.deepEqual([0, 1, 2].map((u) => binomial.mode(at, u)), [2, 0, 2]);
  const statistics = new Float64Array(24);
  for (const unit of [0, 1, 2]) binomial.accumulate(at, unit, 2, 3, statistics);
  const learned = binomial.maximise(at, statistics, 0);
  assert.deepEqual([...learned], [2 / 5, 2 / 3, 1]);
  for (const trials of [8, -1, 1.5]) {
    assert.match(
      binomial.checkSettings(leaf(8, [0.5], { trials })) ?? "",
      /trials of unit 0 is .*whole number from 0 to 7/,
    );
  }
  assert.match(binomial.checkSettings(leaf(8, [0.5, 0.5], { trials: [1] })) ?? "", /trials lists 1 numbers/);
  assert.match(binomial.checkValues(leaf(8, [0.5, 1.5])) ?? "", /the probability of unit 1 is 1.5/);
});

Deno.test("binomial: a mixture's conditional is the closed form's, and a value beyond the states is refused", async () => {
  const b = new CircuitBuilder(), [x, y] = [b.categorical("x", 4), b.categorical("y", 2)];
  const circuit = b.build(
    b.sum([
      b.product([
        b.input({ variable: x, family: "binomial", units: 2, parameter: [0.2, 0.7] }),
        b.input({ variable: y, family: "bernoulli", units: 2, parameter: [0.1, 0.6] }),
      ]),
    ], { units: 1, weights: [0.5, 0.5] }),
  );
  const evaluator = new ReferenceEvaluator(circuit);
  const given = (await conditional(evaluator, samplesFromRows([[0, 1]]), [0])).get(0)!;
  const pmf = (k: number, p: number) => [1, 3, 3, 1][k]! * p ** k * (1 - p) ** (3 - k);
  given.forEach((p, k) => {
    const wanted = (0.1 * pmf(k, 0.2) + 0.6 * pmf(k, 0.7)) / 0.7;
    assert.ok(Math.abs(p - wanted) < 1e-7, `${k}: ${p}, not ${wanted}`);
  });
  for (const k of [-1, 4, 0.5]) {
    await assert.rejects(
      logLikelihood(evaluator, samplesFromRows([[k, 0]])),
      /expected a whole number from 0 to 3/,
    );
  }
});

Deno.test("binomial: lines of .jpc files stay binomial leaves, both ways", () => {
  const text = "jpc 3\nB 0 0 1 3 0.25\nB 1 0 1 3 0.75\nS 2 0 2 0 -0.6931471805599453 1 -0.6931471805599453\n";
  const circuit = parseJpc(text);
  assert.deepEqual(circuit.nodes.map((node) => node.kind === "input" ? node.family : node.kind), [
    "binomial",
    "binomial",
    "sum",
  ]);
  assert.equal(formatJpc(circuit), text);
});
