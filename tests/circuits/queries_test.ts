import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  categoricalVariables,
  CircuitBuilder,
  conditional,
  conditionalLogLikelihood,
  conditionalMean,
  entropy,
  expectedStatistics,
  hmm,
  logLikelihood,
  map,
  marginal,
  materialise,
  maxProduct,
  nodeNamed,
  pixelVariables,
  quadTree,
  RandomStream,
  rectangleMask,
  ReferenceEvaluator,
  sample,
  sampleMissing,
  type Samples,
  samplesFromRows,
  textPositions,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { agrees, allSamples, anyCircuit, circuitsWithRow, close, jointTable, likelihood } from "./truth.ts";

function row(samples: Samples, s: number): number[] {
  return [...samples.values.subarray(s * samples.variables, (s + 1) * samples.variables)];
}

Deno.test("marginals and conditionals are those of the joint table", async (test) => {
  await holds(
    test,
    fc.asyncProperty(circuitsWithRow(), async ({ circuit, row, seed }) => {
      const evaluator = new ReferenceEvaluator(circuit),
        joint = jointTable(circuit),
        samples = samplesFromRows([row]);
      const mass = (given: readonly (number | null)[]) =>
        joint.reduce((sum, { x, p }) => agrees(x, given) ? sum + p : sum, 0);
      const chosen = circuit.variables.map((_, v) => v).filter((v) => (seed >> v) % 2 === 0);
      const only = row.map((x, v) => chosen.includes(v) ? x : null);
      const others = row.map((x, v) => chosen.includes(v) ? null : x);
      assert.ok(close(Math.exp((await marginal(evaluator, samples, chosen))[0]!), mass(only)));
      const [log] = await conditionalLogLikelihood(evaluator, samples, chosen);
      assert.ok(close(Math.exp(log!), mass(others) === 0 ? 0 : mass(row) / mass(others)));
      const distributions = await conditional(evaluator, samples, chosen);
      const means = await conditionalMean(evaluator, samples, chosen);
      for (const v of chosen) {
        const distribution = distributions.get(v)!;
        distribution.forEach((p, k) => {
          const expected = mass(others.map((x, u) => u === v ? k : x)) / mass(others);
          assert.ok(close(p, mass(others) === 0 ? 0 : expected), `${p} for ${expected}`);
        });
        assert.ok(close(means.get(v)![0]!, distribution.reduce((sum, p, k) => sum + k * p, 0)));
      }
      const alone = (await conditional(evaluator, samples, [0])).get(0)!;
      const expected = alone.reduce((sum, p) => p > 0 ? sum - p * Math.log(p) : sum, 0);
      assert.ok(close((await entropy(evaluator, samples, 0))[0]!, expected));
    }),
    { numRuns: 100 },
  );
});

Deno.test("MAP after materialising every sum is the best of all assignments", async (test) => {
  await holds(
    test,
    fc.asyncProperty(circuitsWithRow(3), async ({ circuit, row }) => {
      const sums = circuit.nodes.filter((node) => node.kind === "sum").map((node) => node.id);
      const made = materialise(circuit, sums, { unused: "state" }).circuit;
      const size = made.variables.reduce((n, v) => n * (v.kind === "categorical" ? v.states : 1), 1);
      const given = [...row, ...sums.map(() => null)];
      if (size > 2000) return;
      const best = Math.max(...jointTable(made).filter(({ x }) => agrees(x, given)).map(({ p }) => p));
      if (best === 0) {
        await assert.rejects(
          map(new ReferenceEvaluator(made), samplesFromRows([given])),
          /sample 0 is impossible/,
        );
        return;
      }
      const { samples, logValues } = await map(new ReferenceEvaluator(made), samplesFromRows([given]));
      const x = [...samples.values];
      assert.ok(agrees(x, given));
      assert.ok(close(Math.exp(logValues[0]!), best), `${Math.exp(logValues[0]!)} for ${best}`);
      assert.ok(close(likelihood(made, x), best));
    }),
    { numRuns: 100 },
  );
});

Deno.test("max-product finds a possible completion, and bounds its likelihood from below", async (test) => {
  await holds(
    test,
    fc.asyncProperty(circuitsWithRow(), async ({ circuit, row }) => {
      const matching = jointTable(circuit).filter(({ x }) => agrees(x, row));
      if (matching.every(({ p }) => p === 0)) return;
      const { samples, logValues } = await maxProduct(
        new ReferenceEvaluator(circuit),
        samplesFromRows([row]),
      );
      const x = [...samples.values];
      assert.ok(agrees(x, row));
      assert.ok(Math.exp(logValues[0]!) <= likelihood(circuit, x) + 1e-9);
    }),
    { numRuns: 100 },
  );
  const circuit = hmm({ length: 2, states: 2, symbols: 2 });
  await assert.rejects(
    map(new ReferenceEvaluator(circuit), samplesFromRows([[0, null]])),
    /`z1` may mix inputs/,
  );
});

Deno.test("Viterbi: MAP of a materialised HMM is the best path", async () => {
  const circuit = hmm({ length: 4, states: 3, symbols: 4, seed: 9 });
  const sums = [0, 1, 2, 3].map((t) => nodeNamed(circuit, `z${t}`));
  const made = materialise(circuit, sums).circuit;
  const p = (id: string, i: number) => circuit.parameters.get(id)!.values[i]!;
  const x = [3, 0, 2, 2];
  let best = { p: 0, path: [] as number[] };
  for (let code = 0; code < 81; code++) {
    const path = [27, 9, 3, 1].map((d) => Math.floor(code / d) % 3);
    const score = path.reduce(
      (total, z, t) =>
        total * (t === 0 ? p("initial", z) : p("transition", path[t - 1]! * 3 + z)) *
        p("emission", z * 4 + x[t]!),
      1,
    );
    if (score > best.p) best = { p: score, path };
  }
  const found = await map(new ReferenceEvaluator(made), samplesFromRows([[...x, null, null, null, null]]));
  assert.deepEqual(row(found.samples, 0), [...x, ...best.path]);
  assert.ok(close(found.logValues[0]!, Math.log(best.p)));
});

/** Chi-square that a right sampler exceeds about once in 30,000 times (Wilson and Hilferty 1931). */
function critical(freedom: number): number {
  const k = 2 / (9 * freedom);
  return freedom * (1 - k + 4 * Math.sqrt(k)) ** 3;
}

function assertFrequencies(counts: number[], probabilities: number[], n: number): void {
  let square = 0, freedom = -1, restExpected = 0, restCount = 0;
  counts.forEach((count, i) => {
    const expected = probabilities[i]! * n;
    if (probabilities[i]! < 1e-12) assert.equal(count, 0, "an impossible value was drawn");
    if (expected < 5) {
      restExpected += expected;
      restCount += count;
      return;
    }
    square += (count - expected) ** 2 / expected;
    freedom++;
  });
  if (restExpected >= 5) {
    square += (restCount - restExpected) ** 2 / restExpected;
    freedom++;
  }
  if (freedom > 0) {
    assert.ok(square < critical(freedom), `chi-square ${square} with ${freedom} degrees of freedom`);
  }
}

Deno.test("ancestral and conditional samples have the right frequencies", async (test) => {
  await holds(
    test,
    fc.asyncProperty(circuitsWithRow(3), async ({ circuit, row, seed }) => {
      const evaluator = new ReferenceEvaluator(circuit), n = 600;
      for (const given of [row.map(() => null), row]) {
        const matching = jointTable(circuit).filter(({ x }) => agrees(x, given));
        const mass = matching.reduce((sum, { p }) => sum + p, 0);
        if (mass === 0) {
          await assert.rejects(sampleMissing(evaluator, samplesFromRows([given]), { seed }), /impossible/);
          continue;
        }
        const drawn = await sampleMissing(evaluator, samplesFromRows([given]), { seed, draws: n });
        const counts = new Map<string, number>();
        for (let s = 0; s < n; s++) {
          const key = drawn.values.subarray(s * drawn.variables, (s + 1) * drawn.variables).join();
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
        assert.equal(matching.reduce((sum, { x }) => sum + (counts.get(x.join()) ?? 0), 0), n);
        assertFrequencies(
          matching.map(({ x }) => counts.get(x.join()) ?? 0),
          matching.map(({ p }) => p / mass),
          n,
        );
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("a seed decides the samples, whatever the batch", async () => {
  const evaluator = new ReferenceEvaluator(hmm({ length: 5, states: 3, symbols: 4 }));
  const [a, b, c] = [
    await sample(evaluator, 20, { seed: 1 }),
    await sample(evaluator, 30, { seed: 1 }),
    await sample(evaluator, 20, { seed: 2 }),
  ];
  assert.deepEqual(a.values, b.values.subarray(0, 100));
  assert.notDeepEqual(a.values, c.values);
});

Deno.test("queries over many batches are those over one", async () => {
  const circuit = hmm({ length: 3, states: 2, symbols: 3 });
  const evaluator = new ReferenceEvaluator(circuit), samples = allSamples(circuit);
  const sizes: number[] = [];
  // A wrapper that claims so many units that the budget allows few samples at a time.
  const narrow: typeof evaluator = Object.create(evaluator, {
    circuit: {
      value: { ...circuit, nodes: circuit.nodes.map((n, i) => i === 0 ? { ...n, units: 2 ** 22 } : n) },
    },
    logLikelihoods: {
      value: (batch: Samples) => (sizes.push(batch.count), evaluator.logLikelihoods(batch)),
    },
  });
  assert.deepEqual(await logLikelihood(narrow, samples), await logLikelihood(evaluator, samples));
  assert.ok(sizes.length > 5 && sizes.reduce((a, b) => a + b) === 27);
  const all = await expectedStatistics(evaluator, samples, new Array<number>(27).fill(2));
  const one = await evaluator.flows(samples);
  for (const [id, counts] of one.weights) {
    counts.forEach((x, i) => assert.ok(close(all.weights.get(id)![i]!, 2 * x)));
  }
});

Deno.test("real variables: conditional mean of a mixture of Gaussians, and its samples", async () => {
  const b = new CircuitBuilder();
  const leaf = (name: string, parameter: number[]) =>
    b.input({ variable: b.real(name), family: "gaussian", units: 2, parameter });
  const root = b.sum([b.product([leaf("a", [0, 1, 4, 1]), leaf("b", [-1, 0.5, 3, 2])])], {
    units: 1,
    weights: [0.25, 0.75],
  });
  const evaluator = new ReferenceEvaluator(b.build(root));
  const normal = (x: number, m: number, s: number) =>
    Math.exp(-0.5 * ((x - m) / s) ** 2) / (s * Math.sqrt(2 * Math.PI));
  const x = 1.75;
  const [p, q] = [0.25 * normal(x, 0, 1), 0.75 * normal(x, 4, 1)];
  const samples = samplesFromRows([[x, null]]);
  assert.ok(close((await logLikelihood(evaluator, samples))[0]!, Math.log(p + q)));
  const mean = (await conditionalMean(evaluator, samples, [1])).get(1)![0]!;
  assert.ok(close(mean, (-p + 3 * q) / (p + q)));
  const drawn = await sampleMissing(evaluator, samples, { seed: 3, draws: 4000 });
  const average = [...drawn.values].reduce((sum, y, i) => i % 2 === 1 ? sum + y : sum, 0) / 4000;
  assert.ok(Math.abs(average - mean) < 0.12, `${average} for ${mean}`);
  assert.equal(drawn.values[0], x);
  await assert.rejects(conditional(evaluator, samples, [1]), /`b` is real/);
});

Deno.test("external variables: log-likelihoods come with the data, samples and MAP name the unit", async () => {
  const b = new CircuitBuilder();
  const leaves = ["left", "right"].map((name) =>
    b.input({ variable: b.external(name), family: "external", units: 2 })
  );
  const circuit = b.build(b.sum([b.product(leaves)], { units: 1, weights: [0.25, 0.75] }));
  const evaluator = new ReferenceEvaluator(circuit);
  const logs = (rows: number[]) => Float32Array.from(rows, Math.log);
  const samples: Samples = {
    count: 2,
    variables: 2,
    values: new Int32Array(4),
    observed: Uint8Array.of(1, 1, 1, 0),
    externals: new Map([[0, logs([0.5, 0, 0.5, 0.25])], [1, logs([0.125, 0.5, 0, 0])]]),
  };
  const [first, second] = await logLikelihood(evaluator, samples);
  assert.ok(close(first!, Math.log(0.25 * 0.5 * 0.125)));
  assert.ok(close(second!, Math.log(0.25 * 0.5 + 0.75 * 0.25)));
  assert.deepEqual([...(await sampleMissing(evaluator, samples, { seed: 0 })).values].slice(0, 2), [0, 0]);
  assert.deepEqual(row((await maxProduct(evaluator, samples)).samples, 1), [1, 1]);
  await assert.rejects(
    logLikelihood(evaluator, { count: 1, variables: 2, values: new Int32Array(2) }).then(() => {}),
    /carry no log-likelihoods/,
  );
});

Deno.test("masks name the variables of pixels and positions", async () => {
  const shape = { height: 2, width: 3, channels: 2 };
  const mask = rectangleMask(shape, { top: 0, left: 1, bottom: 2, right: 2 });
  assert.deepEqual([...mask], [0, 1, 0, 0, 1, 0]);
  assert.deepEqual(pixelVariables(shape, mask), [2, 3, 8, 9]);
  assert.deepEqual(textPositions(5, [0, -1]), [0, 4]);
  assert.throws(() => textPositions(5, [5]), /outside a text of 5/);
  assert.throws(() => pixelVariables(shape, [1]), /has 6 entries; got 1/);
  const circuit = quadTree(categoricalVariables(12, 3), { ...shape, units: 2 });
  const random = new RandomStream(0);
  const image = samplesFromRows([Array.from({ length: 12 }, () => random.integer(3))]);
  const hidden = pixelVariables(shape, mask);
  const answer = await conditional(new ReferenceEvaluator(circuit), image, hidden);
  assert.deepEqual([...answer.keys()], hidden);
  for (const p of answer.values()) assert.ok(close(p.reduce((a, b) => a + b), 1, 1e-6));
});

Deno.test("samples that do not fit are refused with the place", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(2), async (circuit) => {
      const bad = circuit.variables.map(() => 7);
      await assert.rejects(
        async () => await logLikelihood(new ReferenceEvaluator(circuit), samplesFromRows([bad])),
        /sample 0, variable 0 `x0`: got 7, expected a whole number from 0 to/,
      );
    }),
  );
});
