import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  checkCircuit,
  type Circuit,
  EmTraining,
  hclt,
  hcltFromSamples,
  hmm,
  maximumSpanningTree,
  naiveMixture,
  poonDomingos,
  quadTree,
  RandomStream,
  ratSpn,
  ReferenceEvaluator,
  ReferenceLearner,
  type Samples,
  samplesFromRows,
  scoreOf,
  sourceOf,
  startFromData,
  type Variable,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { close } from "./truth.ts";

const real = (count: number): Variable[] =>
  Array.from({ length: count }, (_, v) => ({ kind: "real", name: `x${v}` }));

/** Rows around centres drawn with equal probability, standard deviation `stddev`. */
function around(centres: readonly (readonly number[])[], stddev: number, count: number, seed: number) {
  return samplesFromRows(Array.from({ length: count }, (_, s) => {
    const random = new RandomStream(seed, s);
    return centres[random.integer(centres.length)]!.map((m) => m + stddev * random.normal());
  }));
}

/** Mean log-likelihood of samples under the mixture that `around` draws from. */
function truthOf(samples: Samples, centres: readonly (readonly number[])[], stddev: number): number {
  let total = 0;
  for (let s = 0; s < samples.count; s++) {
    const density = centres.reduce((sum, centre) =>
      sum + centre.reduce((p, m, v) => {
          const z = (samples.values[s * samples.variables + v]! - m) / stddev;
          return p * Math.exp(-0.5 * z * z) / (stddev * Math.sqrt(2 * Math.PI));
        }, 1) / centres.length, 0);
    total += Math.log(density);
  }
  return total / samples.count;
}

async function fitted(circuit: Circuit, samples: Samples, epochs: number): Promise<number> {
  const training = new EmTraining(new ReferenceLearner(circuit), { train: sourceOf(samples) }, {
    epochs,
    batchSize: samples.count,
  });
  while (!training.done) await training.step();
  return (await scoreOf(new ReferenceEvaluator(await training.result()), sourceOf(samples), 500))
    .logLikelihood;
}

Deno.test("clusters far from zero: EM ends at the truth from every seed", async () => {
  const two = [[100], [120]], three = [[10, 200], [15, 230], [30, 180]];
  const [one, other] = [around(two, 3, 400, 1), around(three, 1, 200, 2)];
  for (let seed = 0; seed < 4; seed++) {
    const line = naiveMixture(real(1), { components: 2, seed, data: one });
    assert.ok(await fitted(line, one, 10) > truthOf(one, two, 3));
    const plane = naiveMixture(real(2), { components: 3, seed, data: other });
    assert.ok(await fitted(plane, other, 10) > truthOf(other, three, 1));
    // Given the data anyway, a tree starts from them.
    const tree = hcltFromSamples({ variables: real(2), samples: other }, { latents: 3, seed });
    assert.ok(await fitted(tree, other, 40) > truthOf(other, three, 1) - 0.01, `seed ${seed}`);
  }
  const random = hcltFromSamples({ variables: real(2), samples: other }, { latents: 3, start: "random" });
  const untouched = hclt(real(2), maximumSpanningTree([0, 1, 1, 0], 2), { latents: 3 });
  assert.deepEqual(random.parameters.get("leaf/0"), untouched.parameters.get("leaf/0"));
});

Deno.test("every structure starts where its columns are, in any unit, the same for a seed", () => {
  const structures: [string, (data: Samples, seed: number) => Circuit][] = [
    ["mixture", (data, seed) => naiveMixture(real(4), { components: 3, data, seed })],
    [
      "tree",
      (data, seed) =>
        hclt(real(4), { root: 0, parents: Int32Array.of(-1, 0, 1, 2), order: [0, 1, 2, 3] }, {
          latents: 3,
          data,
          seed,
        }),
    ],
    ["regions", (data, seed) => ratSpn(real(4), { depth: 1, replicas: 2, units: 3, data, seed })],
    ["quarters", (data, seed) => quadTree(real(4), { height: 2, width: 2, units: 3, data, seed })],
    [
      "rectangles",
      (data, seed) => poonDomingos(real(4), { height: 2, width: 2, units: 3, delta: 1, data, seed }),
    ],
  ];
  const base = around([[0, 0, 5, 1], [8, 3, 0, 9]], 1, 120, 7);
  const units = [[0, 1], [1e9, 1], [-5, 1e-6], [3, 1e6]] as const;
  const moved = {
    ...base,
    values: Float64Array.from(base.values, (x, i) => units[i % 4]![0] + units[i % 4]![1] * x),
  };
  for (const [name, make] of structures) {
    for (const seed of [0, 5]) {
      const plain = make(base, seed), other = make(moved, seed);
      assert.deepEqual(make(moved, seed), other, name);
      for (const node of other.nodes) {
        if (node.kind !== "input") continue;
        const [offset, scale] = units[node.variable]!;
        const wanted = plain.parameters.get(node.parameter!)!.values;
        const got = other.parameters.get(node.parameter!)!.values;
        for (let u = 0; u < 3; u++) {
          assert.ok(Math.abs((got[2 * u]! - offset) / scale - wanted[2 * u]!) < 1e-6, `${name} ${got}`);
          assert.ok(Math.abs(got[2 * u + 1]! / scale - wanted[2 * u + 1]!) < 1e-6, `${name} ${got}`);
          assert.ok(wanted[2 * u]! > -4 && wanted[2 * u]! < 13 && wanted[2 * u + 1]! > 0.05);
        }
      }
    }
  }
});

Deno.test("tied leaves of a sequence start from all positions; given emissions stay", () => {
  const data = around([[-40, -40, 60], [60, 60, -40]], 2, 60, 3);
  const symbols = real(1)[0]!;
  const circuit = hmm({ length: 3, states: 2, symbols, data });
  const [m, , n] = circuit.parameters.get("emission")!.values;
  assert.deepEqual([m!, n!].sort((a, b) => a - b).map((x) => Math.round(x / 10)), [-4, 6]);
  const given = hmm({ length: 3, states: 2, symbols, data, emission: [0, 1, 5, 2] });
  assert.deepEqual([...given.parameters.get("emission")!.values], [0, 1, 5, 2]);
});

Deno.test("leaves over states start from their clusters, or from the column, unequal and without zeros", () => {
  const rows = Array.from({ length: 200 }, (_, s) => {
    const random = new RandomStream(11, s), k = s % 2;
    return [k, k === 0 ? 2 : 0, 200 + 40 * k + random.integer(5), 7 + k * 100 + random.normal()];
  });
  const variables: Variable[] = [
    { kind: "categorical", name: "coin", states: 2 },
    { kind: "categorical", name: "colour", states: 4 },
    { kind: "categorical", name: "level", states: 256 },
    { kind: "real", name: "x" },
  ];
  const families = ["bernoulli", "categorical", "logistic", "gaussian"];
  const data = samplesFromRows(rows);
  const circuit = naiveMixture(variables, {
    components: 2,
    data,
    leaf: (_, v) => ({ family: families[v]! }),
  });
  checkCircuit(circuit);
  const [coin, colour, level, x] = [0, 1, 2, 3].map((v) => circuit.parameters.get(`leaf/${v}`)!.values);
  const high = x![0]! > x![2]! ? 0 : 1;
  assert.ok(coin![2 * high + 1]! > 0.95 && coin![2 * (1 - high) + 1]! < 0.05, `${coin}`);
  assert.ok(colour![4 * high]! > 0.95 && colour![4 * (1 - high) + 2]! > 0.95 && colour!.every((p) => p > 0));
  assert.ok(close(level![2 * high]!, 242, 1) && close(level![2 * (1 - high)]!, 202, 1), `${level}`);
  assert.deepEqual(Array.from(circuit.parameters.get("z")!.values, (w) => Math.round(10 * w)), [5, 5]);
  // Beside no real column: the marginals, but no two units alike.
  const coins = naiveMixture(variables.slice(0, 2), {
    components: 2,
    data: samplesFromRows(rows.map((row) => row.slice(0, 2).map((k) => k === 2 ? 0 : k))),
  }).parameters.get("leaf/0")!.values;
  assert.ok(Math.abs(coins[0]! - 0.5) < 0.25 && coins[0] !== coins[2]);
});

Deno.test("missing values, equal values, few values and weights make a start that is finite", (test) => {
  holds(
    test,
    fc.property(
      fc.array(
        fc.array(fc.option(fc.constantFrom(-3, 0, 1e9, 1e9 + 1, 1e-6), { nil: null }), {
          minLength: 3,
          maxLength: 3,
        }),
        { minLength: 1, maxLength: 12 },
      ),
      fc.nat(1000),
      (rows, seed) => {
        const data = samplesFromRows(rows);
        const circuit = naiveMixture(real(3), { components: 5, seed, data });
        checkCircuit(circuit);
        const weighted = startFromData(circuit, data, {
          seed,
          sampleWeights: rows.map((_, s) => s % 2),
        });
        checkCircuit(weighted);
      },
    ),
    { numRuns: 100 },
  );
  const constant = naiveMixture(real(1), { components: 2, data: samplesFromRows([[5], [5], [5]]) });
  const [m, s] = constant.parameters.get("leaf/0")!.values;
  assert.ok(Math.abs(m! - 5) < 0.05 && s! > 1e-4 && s! < 0.1, `${m} ${s}`);
  assert.throws(() => naiveMixture(real(2), { components: 2, data: samplesFromRows([[1]]) }), /1 columns/);
  assert.throws(
    () => startFromData(constant, { count: 0, variables: 1, values: new Float64Array() }),
    /no samples/,
  );
  for (const far of [[1e200, -1e200], [Number.MAX_VALUE, -Number.MAX_VALUE], [1e-200, 3e-200]]) {
    const data = samplesFromRows([[1, far[0]!], [2, far[1]!], [3, null]]);
    assert.throws(
      () => naiveMixture(real(2), { components: 2, data }),
      /values of variable 1 `x1` reach from/,
    );
  }
});
