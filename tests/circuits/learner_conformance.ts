/** What every learner must do, as tests that any of them can run: each is compared with the reference. */
import assert from "node:assert/strict";
import {
  type Circuit,
  CircuitBuilder,
  hmm,
  type Learner,
  logLikelihood,
  RandomStream,
  ReferenceLearner,
  type Samples,
  samplesFromRows,
  type UpdateRule,
  withParameters,
} from "../../circuits/mod.ts";
import { type SuiteOptions, suiteTest } from "../registry.ts";
import { everyFamily } from "./leaf_examples.ts";
import { randomCircuit } from "./truth.ts";

/** How a learner is made, and how near to the reference it must be. */
export interface Conformance {
  /** Name in the titles of the tests. */
  readonly name: string;
  /** A learner of a circuit; closed by the test. */
  open(circuit: Circuit): Learner | Promise<Learner>;
  /** Nats a sample; 1e-4 when left out. */
  readonly logTolerance?: number;
  /** Largest difference of a probability after an update; 2e-4 when left out. */
  readonly parameterTolerance?: number;
  /** Random circuits to try with every rule; 12 when left out. */
  readonly circuits?: number;
  /** Options of its tests. */
  readonly test?: SuiteOptions;
}

/** Random rows for a circuit, every fourth value missing. */
export function randomBatch(circuit: Circuit, count: number, seed: number): (number | null)[][] {
  const random = new RandomStream(seed, 1);
  return Array.from({ length: count }, () =>
    circuit.variables.map((variable) => {
      if (random.uniform() < 0.25) return null;
      if (variable.kind === "categorical") return random.integer(variable.states);
      return variable.kind === "count" ? random.integer(9) : random.normal();
    }));
}

/** A circuit of leaves that learn, with ties, groups and a missing edge. */
export function mixedCircuit(): Circuit {
  const b = new CircuitBuilder({ seed: 3 });
  const colour = b.categorical("colour", 3),
    coin = b.categorical("coin", 2),
    other = b.categorical("other", 2);
  const height = b.real("height"), level = b.categorical("level", 8);
  const coins = b.input({ variable: coin, family: "bernoulli", units: 4, id: "coins" });
  const others = b.input({ variable: other, family: "bernoulli", units: 4, parameter: "coins" });
  const left = b.product([
    b.sum([b.input({ variable: colour, family: "categorical", units: 4, id: "colours" })], {
      units: 4,
      groups: 2,
      id: "blocks",
      weights: [0.7, 0.3, 0, 1, 0.5, 0.5, 0.4, 0.6],
    }),
    b.sum([coins], { units: 4, id: "tied" }),
    b.sum([others], { units: 4, weights: "tied" }),
  ]);
  const right = b.product([
    b.input({ variable: height, family: "gaussian", units: 2, id: "heights", parameter: [-1, 1, 1, 0.5] }),
    b.input({ variable: level, family: "logistic", units: 2, id: "levels" }),
  ]);
  return b.build(
    b.sum([b.product([b.sum([left], { units: 3 }), b.sum([right], { units: 3 })])], { units: 1, id: "root" }),
  );
}

const rules: [string, UpdateRule][] = [
  ["EM", { step: { kind: "em" } }],
  ["EM with pseudocounts", { step: { kind: "em" }, sums: { pseudocount: 0.5 }, leaves: { pseudocount: 2 } }],
  ["inertia", { step: { kind: "inertia", inertia: 0.9 }, sums: { pseudocount: 0.1 } }],
  ["anemone", { step: { kind: "anemone", step: 0.3 }, leaves: { pseudocount: 0.1 } }],
  ["anemone with step 1", { step: { kind: "anemone", step: 1 } }],
];

/** Registers the tests. */
export function learnerConformance(conformance: Conformance): void {
  const { name, logTolerance = 1e-4, parameterTolerance = 2e-4, circuits = 12 } = conformance;
  const test = (title: string, fn: () => Promise<void>) =>
    suiteTest({ ...conformance.test, name: `${name}: ${title}`, fn });
  /** Runs `body` with a learner and a reference of the same circuit. */
  const beside = async (
    circuit: Circuit,
    body: (learner: Learner, reference: Learner) => Promise<void>,
  ): Promise<void> => {
    const learner = await conformance.open(circuit), reference = new ReferenceLearner(circuit);
    try {
      await body(learner, reference);
    } finally {
      await learner.close();
    }
  };
  const sameParameters = async (learner: Learner, reference: Learner, tolerance = parameterTolerance) => {
    const got = await learner.parameters(), wanted = await reference.parameters();
    assert.deepEqual([...got.keys()].sort(), [...wanted.keys()].sort());
    for (const [id, values] of wanted) {
      values.forEach((x, i) => {
        const y = got.get(id)![i]!;
        assert.ok(Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x)), `${id}[${i}] is ${y}, not ${x}`);
      });
    }
  };
  const accumulateBoth = async (a: Learner, b: Learner, samples: Samples, weights?: number[]) => {
    const got = await a.accumulate(samples, weights), wanted = await b.accumulate(samples, weights);
    assert.equal(got.impossible, wanted.impossible);
    wanted.logLikelihoods.forEach((l, s) => {
      const m = got.logLikelihoods[s]!;
      assert.ok(l === m || Math.abs(l - m) <= logTolerance, `sample ${s}: ${m}, not ${l}`);
    });
  };

  for (const [title, rule] of rules) {
    test(`${title}: the parameters of the reference, over random circuits and two batches`, async () => {
      for (let seed = 0; seed < circuits; seed++) {
        const circuit = seed === 0
          ? mixedCircuit()
          : seed === 1
          ? everyFamily()
          : randomCircuit(seed * 31 + 5);
        await beside(circuit, async (learner, reference) => {
          for (let round = 0; round < 2; round++) {
            const rows = randomBatch(circuit, 9, seed + round);
            await accumulateBoth(learner, reference, samplesFromRows(rows.slice(0, 5)));
            await accumulateBoth(learner, reference, samplesFromRows(rows.slice(5)), [1, 0, 2.5, 0.25]);
            await learner.update(rule);
            await reference.update(rule);
            await sameParameters(learner, reference);
          }
        });
      }
    });
  }

  for (const [title, rule] of rules) {
    test(`${title}: padded sequences teach exactly what sequences of their own length teach`, async () => {
      for (const homogeneous of [true, false]) {
        const long = hmm({ length: 12, states: 3, symbols: 4, seed: 6, homogeneous });
        const short = hmm({ length: 5, states: 3, symbols: 4, homogeneous });
        const values = new Map(
          [...short.parameters.keys()].map((id) => [id, long.parameters.get(id)!.values]),
        );
        // Gaps inside the sequences stay missing values like any other.
        const rows = randomBatch(short, 20, 11).map((row) => [...row.slice(0, 4), row[4] ?? 0]);
        const weights = rows.map((_, s) => 0.5 + s % 3);
        const padded = samplesFromRows(rows.map((row) => [...row, ...new Array<null>(7).fill(null)]));
        const learner = await conformance.open(long);
        const own = await conformance.open(withParameters(short, values));
        try {
          for (let round = 0; round < 3; round++) {
            await learner.accumulate(padded, weights);
            await learner.update(rule);
            await own.accumulate(samplesFromRows(rows), weights);
            await own.update(rule);
          }
          const got = await learner.parameters();
          for (const [id, wanted] of await own.parameters()) {
            wanted.forEach((x, i) => {
              const y = got.get(id)![i]!;
              assert.ok(Math.abs(x - y) < 2e-6, `${id}[${i}] is ${y}, not ${x}`);
            });
          }
          // Positions that no sequence reached keep what they had, but for virtual samples.
          if (homogeneous || rule.sums?.pseudocount !== undefined) continue;
          for (const id of ["transition/5", "transition/11"]) {
            got.get(id)!.forEach((x, i) => {
              assert.ok(Math.abs(x - long.parameters.get(id)!.values[i]!) < 1e-6, `${id}[${i}] moved`);
            });
          }
        } finally {
          await learner.close();
          await own.close();
        }
      }
    });
  }

  test("a state between batches with missing values goes on bit by bit", async () => {
    const circuit = hmm({ length: 6, states: 2, symbols: 3, seed: 4 });
    const [first, second] = [1, 2].map((seed) => {
      const rows = randomBatch(circuit, 5, seed);
      return samplesFromRows(rows.map((row, s) => row.map((x, t) => t > 1 + s ? null : x)));
    });
    const finish = async (learner: Learner) => {
      await learner.accumulate(second!);
      await learner.update({ step: { kind: "anemone", step: 0.3 } });
      return await learner.parameters();
    };
    await beside(circuit, async (learner, reference) => {
      await accumulateBoth(learner, reference, first!);
      const state = await learner.state();
      const undisturbed = await finish(learner);
      await beside(circuit, async (other) => {
        await other.restore(state);
        assert.deepEqual(await finish(other), undisturbed);
      });
      await finish(reference);
      await sameParameters(learner, reference);
    });
  });

  test("a closed learner answers with an error", async () => {
    const circuit = hmm({ length: 2, states: 2, symbols: 2 });
    const samples = samplesFromRows([[0, 1]]);
    const learner = await (async () => {
      await using opened = await conformance.open(circuit);
      await opened.accumulate(samples);
      return opened;
    })();
    await learner.close();
    const calls: (() => Promise<unknown>)[] = [
      () => learner.logLikelihoods(samples),
      () => learner.activations(samples),
      () => learner.leafFlows(samples, [0]),
      () => learner.flows(samples),
      () => learner.accumulate(samples),
      () => learner.update({ step: { kind: "em" } }),
      () => learner.parameters(),
      () => learner.setParameters(new Map()),
      () => learner.state(),
      () => learner.restore(new Map()),
    ];
    for (const call of calls) await assert.rejects(call, /is closed/);
  });

  test("settings of single parameters: frozen, base, mix", async () => {
    const circuit = mixedCircuit();
    const rule: UpdateRule = {
      step: { kind: "inertia", inertia: 0.5 },
      leaves: { pseudocount: 1 },
      parameters: {
        root: { frozen: true },
        blocks: { mix: 0.25 },
        colours: { base: [0.2, 0.2, 0.6], mix: 0.5 },
        coins: { base: [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]], pseudocount: 5 },
      },
    };
    await beside(circuit, async (learner, reference) => {
      await accumulateBoth(learner, reference, samplesFromRows(randomBatch(circuit, 20, 4)));
      await learner.update(rule);
      await reference.update(rule);
      await sameParameters(learner, reference);
      assert.deepEqual((await learner.parameters()).get("root"), circuit.parameters.get("root")!.values);
      const before = await learner.parameters();
      for (const [id, settings] of [["tied", { base: [1, 1, 0, 0] }], ["heights", { mix: 0.5 }]] as const) {
        await assert.rejects(
          learner.update({ step: { kind: "em" }, parameters: { [id]: settings } }),
          new RegExp(id),
        );
      }
      await assert.rejects(learner.update({ step: { kind: "inertia", inertia: 1.5 } }), /inertia is 1.5/);
      assert.deepEqual(await learner.parameters(), before);
    });
  });

  test("an update empties the accumulators; queries and parameters that are set do not touch them", async () => {
    const circuit = hmm({ length: 4, states: 3, symbols: 5, seed: 2 });
    const samples = samplesFromRows(randomBatch(circuit, 12, 9));
    await beside(circuit, async (learner, reference) => {
      await accumulateBoth(learner, reference, samples);
      await learner.flows(samples);
      await logLikelihood(learner, samples);
      await learner.leafFlows(samples, [0]);
      // Without a state, then with it.
      for (const initial of [[0, 0.75, 0.25], [0.5, 0.25, 0.25]].map((row) => Float32Array.from(row))) {
        for (const one of [learner, reference]) await one.setParameters(new Map([["initial", initial]]));
        await accumulateBoth(learner, reference, samples);
      }
      await learner.update({ step: { kind: "em" } });
      await reference.update({ step: { kind: "em" } });
      await sameParameters(learner, reference);
      // Nothing was counted since: rows keep their values.
      const before = await learner.parameters();
      await learner.update({ step: { kind: "em" } });
      assert.deepEqual(await learner.parameters(), before);
    });
  });

  test("queries see new parameters; `circuit` has them once they were read", async () => {
    const circuit = hmm({ length: 3, states: 2, symbols: 4, seed: 5 });
    const samples = samplesFromRows(randomBatch(circuit, 8, 1));
    await beside(circuit, async (learner, reference) => {
      await accumulateBoth(learner, reference, samples);
      await learner.update({ step: { kind: "em" } });
      await reference.update({ step: { kind: "em" } });
      const wanted = await reference.logLikelihoods(samples), got = await learner.logLikelihoods(samples);
      wanted.forEach((l, s) => assert.ok(Math.abs(l - got[s]!) <= logTolerance));
      const values = await learner.parameters();
      for (const [id, array] of values) assert.deepEqual(learner.circuit.parameters.get(id)!.values, array);
      // What was handed out is a copy, in both directions.
      const before = learner.circuit.parameters.get("initial")!.values[0];
      values.get("initial")!.fill(0.5);
      assert.equal((await learner.parameters()).get("initial")![0], before);
      const given = Float32Array.of(0.25, 0.75);
      await learner.setParameters(new Map([["initial", given]]));
      given.fill(0);
      assert.deepEqual([...(await learner.parameters()).get("initial")!], [0.25, 0.75]);
      await assert.rejects(learner.setParameters(new Map([["nothing", given]])), /no parameter `nothing`/);
    });
  });

  test("calls take effect in order, also when none is waited for", async () => {
    const circuit = mixedCircuit();
    const rows = randomBatch(circuit, 12, 6);
    const rule: UpdateRule = { step: { kind: "anemone", step: 0.5 } };
    await beside(circuit, async (learner, reference) => {
      const pending: Promise<unknown>[] = [];
      for (let at = 0; at < 12; at += 4) {
        const samples = samplesFromRows(rows.slice(at, at + 4));
        pending.push(learner.accumulate(samples), learner.update(rule));
        await reference.accumulate(samples);
        await reference.update(rule);
      }
      await Promise.all(pending);
      await sameParameters(learner, reference);
    });
  });

  test("a restored state goes on bit by bit", async () => {
    const circuit = mixedCircuit();
    const [first, second, third] = [1, 2, 3].map((seed) => samplesFromRows(randomBatch(circuit, 7, seed)));
    const rule: UpdateRule = { step: { kind: "inertia", inertia: 0.7 } };
    const finish = async (learner: Learner) => {
      await learner.accumulate(third!);
      await learner.update(rule);
      return await learner.parameters();
    };
    await beside(circuit, async (learner) => {
      await learner.accumulate(first!);
      await learner.update(rule);
      await learner.accumulate(second!);
      const state = await learner.state();
      const undisturbed = await finish(learner);
      await beside(circuit, async (other) => {
        await other.accumulate(first!); // to be forgotten
        await other.restore(state);
        assert.deepEqual(await finish(other), undisturbed);
      });
      await learner.restore(state); // and the state is still what it was
      assert.deepEqual(await finish(learner), undisturbed);
      await beside(hmm({ length: 2, states: 2, symbols: 2 }), async (other) => {
        await assert.rejects(other.restore(state), /another circuit or engine/);
      });
    });
  });

  test("impossible samples are counted and change nothing", async () => {
    const b = new CircuitBuilder();
    const leaves = ["x", "y"].map((x) =>
      b.input({
        variable: b.categorical(x, 3),
        family: "categorical",
        units: 2,
        parameter: [1, 0, 0, 0.5, 0.5, 0],
      })
    );
    const circuit = b.build(b.sum([b.product(leaves)], { units: 1, weights: [0.5, 0.5] }));
    await beside(circuit, async (learner, reference) => {
      const samples = samplesFromRows([[0, 1], [2, 0], [0, 0], [null, 2]]);
      await accumulateBoth(learner, reference, samples);
      for (const step of [{ kind: "anemone", step: 0.5 }, { kind: "em" }] as const) {
        await learner.update({ step });
        await reference.update({ step });
        await sameParameters(learner, reference);
      }
    });
  });

  test("what makes no sense is refused", async () => {
    const b = new CircuitBuilder();
    const leaf = b.input({ variable: b.categorical("x", 2), family: "bernoulli", units: 2 });
    await assert.rejects(async () => {
      const learner = await conformance.open(b.build(leaf));
      await learner.accumulate(samplesFromRows([[0]])).finally(() => learner.close());
    }, /root has 2 units/);
    const circuit = hmm({ length: 2, states: 2, symbols: 2 });
    await beside(circuit, async (learner) => {
      const samples = samplesFromRows([[0, 1]]);
      await assert.rejects(learner.accumulate(samples, [1, 1]), /1 samples got 2 weights/);
      await assert.rejects(learner.accumulate(samples, [-1]), /weight of sample 0 is -1/);
      await assert.rejects(
        learner.accumulate(samplesFromRows([[0, 2]])),
        /expected a whole number from 0 to 1/,
      );
    });
  });
}
