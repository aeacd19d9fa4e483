/** What every engine must do with soft evidence: it is compared with the reference, itself compared with brute force. */
import assert from "node:assert/strict";
import {
  type Circuit,
  CircuitBuilder,
  conditional,
  hmm,
  type Learner,
  maxProduct,
  RandomStream,
  ReferenceEvaluator,
  ReferenceLearner,
  sampleMissing,
  type Samples,
  samplesFromRows,
  type SoftEvidence,
  type UpdateRule,
} from "../../circuits/mod.ts";
import { suiteTest } from "../registry.ts";
import { mixedCircuit } from "../circuits/learner_conformance.ts";
import { mixedSamples } from "../circuits/soft_truth.ts";
import { randomCircuit } from "../circuits/truth.ts";
import { compareWithReference, type EngineSuite } from "./engine_suite.ts";

/** As of `engineSuite`, with learners. */
export interface SoftSuite extends Omit<EngineSuite, "open"> {
  /** Opens an engine; `memory` in bytes bounds its batches. */
  open(circuit: Circuit, memory?: number): Learner | Promise<Learner>;
}

/** Registers the tests. */
export function softSuite(suite: SoftSuite): void {
  const { name, circuits = 20, relative = 0 } = suite;
  const test = (title: string, fn: () => Promise<void>) =>
    suiteTest({ ...suite.test, name: `${name}: soft evidence: ${title}`, fn });
  const using = async (circuit: Circuit, body: (engine: Learner) => Promise<void>, memory?: number) => {
    const engine = await suite.open(circuit, memory);
    try {
      await body(engine);
    } finally {
      await engine.close();
    }
  };
  const compared = (circuit: Circuit, samples: Samples, what: string, memory?: number) =>
    using(circuit, (engine) => compareWithReference(engine, samples, what, relative), memory);

  test("everything as the reference has it, on random circuits", async () => {
    for (let seed = 0; seed < circuits; seed++) {
      const circuit = seed < 2 ? mixedCircuit() : randomCircuit(seed * 7 + 1, 5);
      await compared(circuit, mixedSamples(circuit, 9, seed), `circuit ${seed}`);
    }
  });

  test("everything as the reference has it, on HMMs, padded, and in batches", async () => {
    const circuit = hmm({ length: 12, states: 6, symbols: 40, seed: 5 });
    const samples = mixedSamples(circuit, 33, 6), observed = samples.observed!.slice();
    for (let s = 0; s < 33; s++) observed.fill(0, s * 12 + 1 + s % 12, (s + 1) * 12);
    await compared(circuit, { ...samples, observed }, "an HMM");
    await compared(circuit, { ...samples, observed }, "in batches", 20_000);
  });

  for (const { title, circuit, samples } of hardCases()) {
    test(title, () => compared(circuit, samples, title));
  }

  test("a state of weight 1 is that value", async () => {
    const circuit = hmm({ length: 4, states: 3, symbols: 5, seed: 8 });
    const hard = samplesFromRows([[0, 4, 2, null], [1, 1, null, 3], [3, 0, 0, 2]]);
    const weights = new Float32Array(15), indices = Int32Array.of(4, 0, 1, 3, 0, 4);
    [0, 6, 13].forEach((at) => weights[at] = 1);
    const soft = new Map<number, SoftEvidence>([
      [0, { weights }],
      [1, { indices, weights: Float32Array.of(1, 0, 1, 0, 1, 0) }],
    ]);
    const values = hard.values.map((x, i) => i % 4 < 2 ? 99 : x) as Int32Array;
    await using(circuit, async (engine) => {
      const got = await engine.flows({ ...hard, values, soft }), wanted = await engine.flows(hard);
      wanted.logLikelihoods.forEach((l, s) => assert.ok(Math.abs(l - got.logLikelihoods[s]!) < 1e-5));
      for (const part of ["weights", "statistics"] as const) {
        for (const [id, counts] of wanted[part]) {
          counts.forEach((n, i) => assert.ok(Math.abs(n - got[part].get(id)![i]!) < 1e-5, `${id}[${i}]`));
        }
      }
    });
  });

  test("conditionals, draws and completions are those of the reference", async () => {
    const circuit = hmm({ length: 5, states: 4, symbols: 7, seed: 2 }),
      samples = mixedSamples(circuit, 12, 3);
    const reference = new ReferenceEvaluator(circuit);
    await using(circuit, async (engine) => {
      const got = await conditional(engine, samples, [0, 2, 4]);
      for (const [v, rows] of await conditional(reference, samples, [0, 2, 4])) {
        rows.forEach((p, i) => assert.ok(Math.abs(p - got.get(v)![i]!) < 1e-4, `${v}: ${i}`));
      }
      const possible = (await reference.logLikelihoods(samples)).every((l) => l > -Infinity);
      assert.ok(possible, "the case is one that can be completed");
      const options = { seed: 4, draws: 5 };
      const drawn = await sampleMissing(engine, samples, options);
      const wanted = await sampleMissing(reference, samples, options);
      const different = [...drawn.values].filter((x, i) => x !== wanted.values[i]).length;
      assert.ok(different <= drawn.values.length / 100, `${different} of ${drawn.values.length} differ`);
      const best = await maxProduct(engine, samples), exact = await maxProduct(reference, samples);
      assert.deepEqual([...best.samples.values], [...exact.samples.values]);
    });
  });

  test("conditionals of external variables are those of the reference", async () => {
    const b = new CircuitBuilder({ seed: 7 }), random = new RandomStream(2);
    const patches = ["a", "b"].map((name) => b.variable({ kind: "external", name }));
    const leaves = patches.map((variable) => b.input({ variable, family: "external", units: 5 }));
    const colours = b.input({ variable: b.categorical("colour", 4), family: "categorical", units: 3 });
    const mixed = leaves.map((leaf) => b.sum([leaf], { units: 3 }));
    const circuit = b.build(b.sum([b.product([...mixed, colours])], { units: 1 }));
    const logs = () => Float32Array.from({ length: 6 * 5 }, () => -200 * random.uniform());
    const weights = Float32Array.from({ length: 6 * 4 }, () => random.uniform());
    const samples: Samples = {
      count: 6,
      variables: 3,
      values: new Float32Array(18),
      observed: Uint8Array.from({ length: 18 }, (_, i) => i % 5 === 0 ? 0 : 1),
      externals: new Map(patches.map((v) => [v, logs()])),
      soft: new Map([[2, { weights }]]),
    };
    await using(circuit, async (engine) => {
      const got = await conditional(engine, samples, [0, 1, 2]);
      for (const [v, rows] of await conditional(new ReferenceEvaluator(circuit), samples, [0, 1, 2])) {
        rows.forEach((p, i) => assert.ok(Math.abs(p - got.get(v)![i]!) < 1e-4, `${v}: ${i}`));
      }
    });
  });

  const rules: [string, UpdateRule][] = [
    ["EM", { step: { kind: "em" }, leaves: { pseudocount: 0.1 } }],
    ["anemone", { step: { kind: "anemone", step: 0.4 }, sums: { pseudocount: 0.1 } }],
  ];
  for (const [title, rule] of rules) {
    test(`${title}: the parameters of the reference`, async () => {
      for (let seed = 0; seed < 6; seed++) {
        const circuit = seed === 0
          ? mixedCircuit()
          : seed === 1
          ? hmm({ length: 6, states: 4, symbols: 9, seed })
          : randomCircuit(seed * 31 + 5);
        const reference = new ReferenceLearner(circuit);
        await using(circuit, async (engine) => {
          for (let round = 0; round < 2; round++) {
            // Values beside soft evidence in one update: both are counted.
            for (const samples of [mixedSamples(circuit, 7, seed + 9 * round), hardened(circuit, 4, seed)]) {
              const got = await engine.accumulate(samples), wanted = await reference.accumulate(samples);
              assert.equal(got.impossible, wanted.impossible);
            }
            await engine.update(rule);
            await reference.update(rule);
            const parameters = await engine.parameters();
            for (const [id, values] of await reference.parameters()) {
              values.forEach((x, i) => {
                const y = parameters.get(id)![i]!;
                assert.ok(
                  Math.abs(x - y) <= 2e-4 * Math.max(1, Math.abs(x)),
                  `${id}[${i}] is ${y}, not ${x}`,
                );
              });
            }
          }
        });
      }
    });
  }

  test("what makes no sense is refused", async () => {
    const circuit = hmm({ length: 2, states: 2, symbols: 3 });
    const soft = new Map([[1, { weights: Float32Array.of(0, 1, -1) }]]);
    const samples = { ...samplesFromRows([[0, 1]]), soft };
    await using(circuit, async (engine) => {
      for (const call of ["logLikelihoods", "activations", "flows", "accumulate"] as const) {
        await assert.rejects(engine[call](samples), /sample 0, variable 1 .*a weight of soft evidence is -1/);
      }
    });
  });
}

/** Samples of values alone. */
function hardened(circuit: Circuit, count: number, seed: number): Samples {
  const { soft: _, ...samples } = mixedSamples(circuit, count, seed + 100);
  return samples;
}

/** Where float32 runs out of range, and shapes at the edges. */
function hardCases(): { title: string; circuit: Circuit; samples: Samples }[] {
  const random = new RandomStream(6);
  const long = hmm({ length: 24, states: 4, symbols: 5, seed: 3 });
  const tiny = Float32Array.from({ length: 3 * 5 }, () => 1e-37 * random.uniform());
  const huge = Float32Array.from({ length: 3 * 2 }, () => 1e37 * (1 + random.uniform()));
  const everywhere = (at: (v: number) => SoftEvidence, circuit: Circuit, count: number): Samples => ({
    count,
    variables: circuit.variables.length,
    values: new Int32Array(count * circuit.variables.length),
    soft: new Map(circuit.variables.map((_, v) => [v, at(v)])),
  });
  const b = new CircuitBuilder();
  const leaf = (name: string) =>
    b.input({
      variable: b.categorical(name, 3),
      family: "categorical",
      units: 2,
      parameter: [1, 0, 0, 1e-30, 1, 0],
    });
  const sparse = b.build(b.sum([b.product([leaf("x"), leaf("y")])], { units: 1, weights: [0.5, 0.5] }));
  const wide = hmm({ length: 2, states: 37, symbols: 301, seed: 4 });
  const dense = Float32Array.from({ length: 5 * 301 }, () => random.uniform());
  const single = new CircuitBuilder();
  const alone = single.build(
    single.input({ variable: single.categorical("x", 4), family: "categorical", units: 1 }),
  );
  return [
    {
      title: "weights of 1e-37, dense and of some states, at 24 positions",
      circuit: long,
      samples: everywhere(
        (v) =>
          v % 2 === 0 ? { weights: tiny } : {
            weights: tiny.slice(0, 6),
            indices: Int32Array.of(0, 3, 4, 1, 2, 0),
          },
        long,
        3,
      ),
    },
    {
      title: "weights of 1e37 at 24 positions",
      circuit: long,
      samples: everywhere(() => ({ weights: huge, indices: Uint8Array.of(1, 0, 2, 4, 3, 2) }), long, 3),
    },
    {
      title: "likelihoods of 1e-30 and weights of 1e-30 beside each other; rows without a state",
      circuit: sparse,
      samples: everywhere(
        () => ({ weights: Float32Array.of(1e-30, 1, 0, 1, 1e-30, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0) }),
        sparse,
        5,
      ),
    },
    {
      title: "hundreds of states and units that no vector length divides",
      circuit: wide,
      samples: everywhere(
        (v) =>
          v === 0
            ? { weights: dense }
            : { weights: dense.slice(0, 5), indices: Uint16Array.of(300, 299, 0, 256, 7) },
        wide,
        5,
      ),
    },
    {
      title: "a circuit that is one leaf",
      circuit: alone,
      samples: everywhere(() => ({ weights: Float32Array.of(1, 0, 2, 0.5, 0, 0, 0, 0) }), alone, 2),
    },
  ];
}
