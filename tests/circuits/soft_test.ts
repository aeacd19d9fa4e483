import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  categoricalVariables,
  type Circuit,
  CircuitBuilder,
  conditional,
  conditionalLogLikelihood,
  conditionalMean,
  excludeState,
  hideValues,
  hideVariables,
  hmm,
  leafFamily,
  logLikelihood,
  map,
  marginal,
  materialise,
  maxProduct,
  naiveMixture,
  posterior,
  ReferenceEvaluator,
  ReferenceLearner,
  sampleMissing,
  type Samples,
  samplesFromRows,
  sliceSamples,
  type SoftEvidence,
  softOf,
  viterbi,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { anyCircuit, assignments, close, jointTable, likelihood, randomCircuit } from "./truth.ts";
import { evidenceWeight, mixedSamples, withObservedChildren } from "./soft_truth.ts";

const wide = fc.nat(1e6);

/** Sum over all assignments of likelihood, weight of the evidence, and `of` the assignment. */
function expectation(
  joint: readonly { x: number[]; p: number }[],
  samples: Samples,
  s: number,
  of: (x: number[]) => number = () => 1,
): number {
  return joint.reduce((total, { x, p }) => total + p * evidenceWeight(samples, s, x) * of(x), 0);
}

Deno.test("soft evidence: likelihoods and conditionals are those of all assignments weighted", async (t) => {
  await holds(
    t,
    fc.asyncProperty(anyCircuit(), wide, async (circuit, seed) => {
      const evaluator = new ReferenceEvaluator(circuit), joint = jointTable(circuit);
      const samples = mixedSamples(circuit, 3, seed);
      const logs = await logLikelihood(evaluator, samples);
      for (let s = 0; s < 3; s++) {
        assert.ok(close(Math.exp(logs[s]!), expectation(joint, samples, s)));
      }
      const chosen = circuit.variables.map((_, v) => v).filter((v) => (seed >> v) % 2 === 0);
      const without = hideVariables(samples, chosen), unvalued = hideValues(samples, chosen);
      const only = hideVariables(
        samples,
        circuit.variables.map((_, v) => v).filter((v) => !chosen.includes(v)),
      );
      const marginals = await marginal(evaluator, samples, chosen);
      const ratios = await conditionalLogLikelihood(evaluator, samples, chosen);
      const rows = await conditional(evaluator, samples, chosen);
      const means = await conditionalMean(evaluator, samples, chosen);
      for (let s = 0; s < 3; s++) {
        assert.ok(close(Math.exp(marginals[s]!), expectation(joint, only, s)));
        const given = expectation(joint, without, s), all = expectation(joint, samples, s);
        assert.ok(close(Math.exp(ratios[s]!), all === 0 ? 0 : all / given));
        const seen = expectation(joint, unvalued, s);
        for (const v of chosen) {
          const states = rows.get(v)!.length / 3, row = rows.get(v)!.subarray(s * states, (s + 1) * states);
          row.forEach((p, k) => {
            const wanted = expectation(joint, unvalued, s, (x) => x[v] === k ? 1 : 0);
            assert.ok(close(p, seen === 0 ? 0 : wanted / seen), `${p} for ${wanted / seen}`);
          });
          assert.ok(close(means.get(v)![s]!, row.reduce((total, p, k) => total + p * k, 0)));
        }
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("soft evidence: likelihoods and expected counts are those with a child observed", async (t) => {
  await holds(
    t,
    fc.asyncProperty(anyCircuit(), wide, async (circuit, seed) => {
      const samples = mixedSamples(circuit, 1, seed);
      const truth = withObservedChildren(circuit, samples, 0);
      const got = await new ReferenceEvaluator(circuit).flows(samples, [1.5]);
      const wanted = await new ReferenceEvaluator(truth.circuit).flows(truth.samples, [1.5]);
      assert.equal(got.impossible, wanted.impossible);
      assert.ok(close(got.logLikelihoods[0]!, wanted.logLikelihoods[0]! + truth.logScale, 1e-5));
      for (const [id, counts] of got.weights) {
        counts.forEach((n, i) => assert.ok(close(n, wanted.weights.get(id)![i]!, 1e-5), `${id}[${i}]`));
      }
      for (const node of circuit.nodes) {
        if (node.kind !== "input" || node.parameter === undefined || !leafFamily(node.family).rows) continue;
        const own = wanted.weights.get(`soft/${node.parameter}`),
          other = wanted.statistics.get(node.parameter);
        got.statistics.get(node.parameter)!.forEach((n, i) => {
          assert.ok(close(n, (own?.[i] ?? 0) + (other?.[i] ?? 0), 1e-5), `${node.parameter}[${i}]`);
        });
      }
    }),
    { numRuns: 80 },
  );
});

Deno.test("soft evidence: an update of EM is that with a child observed, for mixtures and HMMs", async () => {
  const circuitsOf = [
    hmm({ length: 4, states: 3, symbols: 4, seed: 4 }),
    naiveMixture(categoricalVariables(3, 3), { components: 4, seed: 2 }),
  ];
  for (const circuit of circuitsOf) {
    const samples = mixedSamples(circuit, 1, 31), truth = withObservedChildren(circuit, samples, 0);
    assert.ok(circuit.variables.some((_, v) => softOf(samples, 0, v) !== undefined));
    const one = new ReferenceLearner(circuit), other = new ReferenceLearner(truth.circuit);
    for (const learner of [one, other]) {
      await learner.accumulate(learner === one ? samples : truth.samples);
      await learner.update({
        step: { kind: "em" },
        sums: { pseudocount: 0.2 },
        leaves: { pseudocount: 0.2 },
      });
    }
    const sums = await other.parameters();
    for (const node of circuit.nodes) {
      if (node.kind !== "sum") continue;
      (await one.parameters()).get(node.parameter)!.forEach((w, i) => {
        assert.ok(close(w, sums.get(node.parameter)![i]!, 1e-6), `${node.parameter}[${i}]`);
      });
    }
  }
});

Deno.test("soft evidence: the likelihood never falls in EM", async () => {
  const circuit = hmm({ length: 3, states: 3, symbols: 4, seed: 8 });
  const learner = new ReferenceLearner(circuit), samples = mixedSamples(circuit, 12, 5);
  let before = -Infinity;
  for (let round = 0; round < 8; round++) {
    const { logLikelihoods } = await learner.accumulate(samples);
    const total = logLikelihoods.filter((l) => l > -Infinity).reduce((a, b) => a + b, 0);
    assert.ok(total >= before - 1e-6, `${total} after ${before}`);
    before = total;
    await learner.update({ step: { kind: "em" } });
  }
});

Deno.test("soft evidence: latent states are those with a child observed", async () => {
  const circuit = hmm({ length: 4, states: 3, symbols: 4, seed: 9 }), latents = ["z0", "z1", "z2", "z3"];
  const samples = mixedSamples(circuit, 6, 77);
  const paths = await viterbi(new ReferenceEvaluator(circuit), samples);
  for (let s = 0; s < 6; s++) {
    const truth = withObservedChildren(circuit, samples, s), other = new ReferenceEvaluator(truth.circuit);
    const got = await posterior(new ReferenceEvaluator(circuit), sliceSamples(samples, s, s + 1), latents);
    // The sums that were leaves have other ids, but latents of positions keep their names.
    const wanted = await posterior(other, truth.samples, latents);
    for (const z of latents) {
      got.get(z)!.forEach((p, k) =>
        assert.ok(close(p, wanted.get(z)![k]!), `${z}: ${p}, not ${wanted.get(z)![k]}`)
      );
    }
    const best = Math.max(
      ...Array.from({ length: 81 }, (_, code) => [27, 9, 3, 1].map((d) => Math.floor(code / d) % 3)).map((
        path,
      ) => logOfPath(circuit, samples, s, path)),
    );
    assert.ok(close(paths.logValues[s]!, best));
  }
});

/** Log-likelihood of the evidence with a path of hidden states, for an HMM of four positions. */
function logOfPath(circuit: Circuit, samples: Samples, s: number, path: readonly number[]): number {
  const p = (id: string, i: number) => circuit.parameters.get(id)!.values[i]!;
  return path.reduce((total, z, t) => {
    const emitted = [0, 1, 2, 3].reduce((sum, x) => {
      const one = sliceSamples(samples, s, s + 1), row = [0, 0, 0, 0];
      row[t] = x;
      const hidden = hideVariables(one, [0, 1, 2, 3].filter((v) => v !== t));
      return sum + p("emission", z * 4 + x) * evidenceWeight(hidden, 0, row);
    }, 0);
    // A missing symbol has the likelihood one.
    const seen = samples.observed![s * 4 + t] === 0 ? 1 : emitted;
    return total + Math.log(t === 0 ? p("initial", z) : p("transition", path[t - 1]! * 3 + z)) +
      Math.log(seen);
  }, 0);
}

Deno.test("soft evidence: MAP after materialising every sum is the best of all assignments", async (t) => {
  await holds(
    t,
    fc.asyncProperty(fc.nat(1e6), async (seed) => {
      const circuit = randomCircuit(seed, 3);
      const sums = circuit.nodes.filter((node) => node.kind === "sum").map((node) => node.id);
      const made = materialise(circuit, sums, { unused: "state" }).circuit;
      const size = made.variables.reduce((n, v) => n * (v.kind === "categorical" ? v.states : 1), 1);
      if (size > 2000) return;
      const samples = mixedSamples(made, 1, seed);
      const weight = (x: number[]) => likelihood(made, x) * evidenceWeight(samples, 0, x);
      const best = Math.max(...assignments(made).map(weight));
      const evaluator = new ReferenceEvaluator(made);
      if (best === 0) return void await assert.rejects(map(evaluator, samples), /sample 0 is impossible/);
      const found = await map(evaluator, samples);
      assert.equal(found.samples.soft, undefined);
      assert.ok(close(Math.exp(found.logValues[0]!), best));
      assert.ok(close(weight([...found.samples.values]), best));
    }),
    { numRuns: 60 },
  );
});

Deno.test("soft evidence: of equally good states the smallest is the best completion", async () => {
  const b = new CircuitBuilder();
  const circuit = b.build(
    b.input({
      variable: b.categorical("x", 3),
      family: "categorical",
      units: 1,
      parameter: [0.25, 0.25, 0.5],
    }),
  );
  const soft = new Map([[0, { indices: Int32Array.of(2, 1, 0), weights: Float32Array.of(0.5, 1, 1) }]]);
  const samples = { count: 1, variables: 1, values: Int32Array.of(2), soft };
  const { samples: best, logValues } = await maxProduct(new ReferenceEvaluator(circuit), samples);
  assert.deepEqual([...best.values], [0]);
  assert.ok(close(logValues[0]!, Math.log(0.25)));
});

Deno.test("soft evidence: samples are drawn in proportion to likelihood and weights", async () => {
  for (const seed of [3, 11, 20]) {
    const circuit = randomCircuit(seed, 3), joint = jointTable(circuit);
    const samples = mixedSamples(circuit, 1, seed), total = expectation(joint, samples, 0);
    if (total === 0) continue;
    const draws = 4000,
      drawn = await sampleMissing(new ReferenceEvaluator(circuit), samples, { seed, draws });
    assert.equal(drawn.soft, undefined);
    let square = 0, freedom = -1;
    for (const { x, p } of joint) {
      const expected = draws * p * evidenceWeight(samples, 0, x) / total;
      let seen = 0;
      for (let s = 0; s < draws; s++) if (x.every((y, v) => drawn.values[s * x.length + v] === y)) seen++;
      if (expected === 0) assert.equal(seen, 0);
      else if (expected > 4) {
        square += (seen - expected) ** 2 / expected;
        freedom++;
      }
    }
    const k = 2 / (9 * Math.max(1, freedom));
    assert.ok(square < Math.max(1, freedom) * (1 - k + 4 * Math.sqrt(k)) ** 3, `chi-square ${square}`);
  }
});

Deno.test("soft evidence: one state of weight 1 is that value, in every query and to the bit", async () => {
  const circuit = hmm({ length: 3, states: 2, symbols: 4, seed: 1 }),
    evaluator = new ReferenceEvaluator(circuit);
  const hard = samplesFromRows([[1, 3, 0], [2, null, 2]]);
  const soft = new Map<number, SoftEvidence>([
    [0, { weights: Float32Array.of(0, 1, 0, 0, 0, 0, 1, 0) }],
    [2, { indices: Uint8Array.of(0, 3, 2, 2), weights: Float32Array.of(1, 0, 1, 0) }],
  ]);
  const same = { ...hard, values: hard.values.map(() => 99) as Int32Array, soft };
  same.values.set([3], 1);
  const { logLikelihoods, weights, statistics } = await evaluator.flows(hard);
  const got = await evaluator.flows(same);
  assert.deepEqual(got.logLikelihoods, logLikelihoods);
  assert.deepEqual(got.weights, weights);
  assert.deepEqual(got.statistics, statistics);
  assert.deepEqual(
    (await sampleMissing(evaluator, same, { draws: 3 })).values,
    (await sampleMissing(evaluator, hard, { draws: 3 })).values,
  );
  assert.deepEqual(
    (await maxProduct(evaluator, same)).samples.values,
    (await maxProduct(evaluator, hard)).samples.values,
  );
});

Deno.test("soft evidence: a factor of the weights is one of the likelihood, and zeros make a sample impossible", async () => {
  const circuit = hmm({ length: 2, states: 2, symbols: 3, seed: 3 }),
    evaluator = new ReferenceEvaluator(circuit);
  const rows = [[0.5, 0.25, 0.125], [0, 0, 0]];
  const of = (factor: number): Samples => ({
    count: 2,
    variables: 2,
    values: Int32Array.of(0, 1, 0, 1),
    soft: new Map([[0, { weights: Float32Array.from(rows.flat(), (x) => factor * x) }]]),
  });
  for (const factor of [2 ** -120, 2 ** 120]) {
    const one = await evaluator.flows(of(1)), other = await evaluator.flows(of(factor));
    assert.ok(close(other.logLikelihoods[0]!, one.logLikelihoods[0]! + Math.log(factor), 1e-12));
    assert.equal(other.logLikelihoods[1], -Infinity);
    assert.equal(other.impossible, 1);
    for (const [id, counts] of one.weights) {
      counts.forEach((n, i) => assert.ok(close(other.weights.get(id)![i]!, n, 1e-12)));
    }
  }
  assert.deepEqual([...(await conditional(evaluator, of(1), [0])).get(0)!.subarray(3)], [0, 0, 0]);
  await assert.rejects(sampleMissing(evaluator, of(1)), /sample 1 is impossible/);
});

Deno.test("excluding a state beside soft evidence: all assignments without that state", async (t) => {
  await holds(
    t,
    fc.asyncProperty(anyCircuit(3), wide, async (circuit, seed) => {
      const samples = mixedSamples(circuit, 1, seed), joint = jointTable(circuit);
      const exclusion = excludeState(circuit, [0], 1);
      const [log] = await logLikelihood(
        new ReferenceEvaluator(exclusion.circuit),
        exclusion.condition(samples),
      );
      assert.ok(close(Math.exp(log!), expectation(joint, samples, 0, (x) => x[0] === 1 ? 0 : 1)));
    }),
    { numRuns: 40 },
  );
});
