/**
 * What every engine must do, as tests that each of them runs: it is compared with the reference evaluator and
 * with brute force, on every structure and leaf, and where float32 runs out of range.
 */
import assert from "node:assert/strict";
import {
  type Circuit,
  conditional,
  conditionalMean,
  downward,
  entropy,
  type Evaluator,
  expectedStatistics,
  type Flows,
  hideVariables,
  logLikelihood,
  map,
  marginal,
  maxProduct,
  type Node,
  ReferenceEvaluator,
  rootUnits,
  sample,
  sampleMissing,
  type Samples,
  samplesFromRows,
  type StateCounts,
  unobserved,
} from "../../circuits/mod.ts";
import { randomBatch } from "../circuits/learner_conformance.ts";
import { agrees, jointTable, randomCircuit } from "../circuits/truth.ts";
import { type SuiteOptions, suiteTest } from "../registry.ts";
import { hardCases, plainCircuits } from "./engine_cases.ts";

/** An evaluator that is closed after a test. */
export interface OpenEvaluator extends Evaluator {
  close(): Promise<void>;
}

/** How an engine is opened, and how near to the reference it must be. */
export interface EngineSuite {
  /** Name in the titles of the tests. */
  readonly name: string;
  /** Opens it; `memory` in bytes bounds its batches. */
  open(circuit: Circuit, memory?: number): OpenEvaluator | Promise<OpenEvaluator>;
  /** Random circuits to try; 20 when left out. */
  readonly circuits?: number;
  /** Relative error besides, for log-likelihoods of thousands of nats; none when left out. */
  readonly relative?: number;
  /** Whether activations that no sample passes may be left out; they may not when left out. */
  readonly shut?: boolean;
  /** Options of its tests. */
  readonly test?: SuiteOptions;
}

/** Nats a sample, and relative error of flows, that an engine may be off by. */
const LOG_TOLERANCE = 1e-4, FLOW_TOLERANCE = 1e-3;

/** Whether two log-likelihoods agree: equal infinities do. */
function sameLog(a: number, b: number, relative = 0): boolean {
  return a === b || Math.abs(a - b) <= LOG_TOLERANCE + relative * Math.abs(b);
}

function assertLogs(got: ArrayLike<number>, wanted: ArrayLike<number>, what: string, relative = 0): void {
  assert.equal(got.length, wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    assert.ok(sameLog(got[i]!, wanted[i]!, relative), `${what}, entry ${i}: ${got[i]}, not ${wanted[i]}`);
  }
}

/** Flows agree within a relative error; what is below 1e-6 of a sample may be lost. */
function assertFlows(got: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  assert.equal(got.length, wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const allowed = FLOW_TOLERANCE * Math.abs(wanted[i]!) + 1e-6;
    assert.ok(Math.abs(got[i]! - wanted[i]!) <= allowed, `${what}, entry ${i}: ${got[i]}, not ${wanted[i]}`);
  }
}

function assertSameFlows(got: Flows, wanted: Flows, what: string, relative = 0): void {
  assertLogs(got.logLikelihoods, wanted.logLikelihoods, what, relative);
  assert.equal(got.impossible, wanted.impossible, `${what}: impossible samples`);
  for (const part of ["weights", "statistics"] as const) {
    assert.deepEqual([...got[part].keys()].sort(), [...wanted[part].keys()].sort());
    for (const [id, counts] of wanted[part]) assertFlows(got[part].get(id)!, counts, `${what}, ${id}`);
  }
}

/** Everything that an evaluator does, against the reference; with `shut`, what no sample passes may be left out. */
export async function compareWithReference(
  engine: Evaluator,
  samples: Samples,
  what: string,
  relative = 0,
  shut = false,
): Promise<void> {
  const { circuit } = engine, reference = new ReferenceEvaluator(circuit);
  const wanted = await reference.logLikelihoods(samples);
  assertLogs(await engine.logLikelihoods(samples), wanted, what, relative);
  for (const semiring of ["sum", "max"] as const) {
    const got = await engine.activations(samples, semiring);
    const expected = await reference.activations(samples, semiring);
    assertLogs(got.of(circuit.root), expected.of(circuit.root), `${what}, ${semiring}`, relative);
    const passed = Array.from({ length: shut ? samples.count : 0 }, (_, s) => {
      const of = ({ id, units }: Node) =>
        Float64Array.from(expected.of(id).subarray(s * units, (s + 1) * units));
      return downward(circuit, circuit.nodes.map(of));
    });
    for (const node of circuit.nodes) {
      const logs = expected.of(node.id);
      got.of(node.id).forEach((log, i) => {
        // A unit far below the others of its node may be off, or reported as impossible.
        const s = Math.floor(i / node.units);
        const most = Math.max(...logs.subarray(s * node.units, (s + 1) * node.units));
        const right = sameLog(log, logs[i]!, relative) || (logs[i]! < most - 40 && log < most - 35) ||
          (log === -Infinity && passed[s]?.[node.id]?.every((flow) => flow === 0));
        assert.ok(right, `${what}, ${semiring}, node ${node.id}[${i}]: ${log}, not ${logs[i]}`);
      });
    }
  }
  if (rootUnits(circuit) > 1) return;
  const leaves = circuit.nodes.filter((node) => node.kind === "input").map((node) => node.id);
  const got = await engine.leafFlows(samples, leaves), expected = await reference.leafFlows(samples, leaves);
  for (const id of leaves) assertFlows(got.get(id)!, expected.get(id)!, `${what}, flow of leaf ${id}`);
  const weights = Array.from({ length: samples.count }, (_, s) => s % 4 === 2 ? 0 : 0.5 + s % 3);
  for (const times of [undefined, weights]) {
    const flows = await engine.flows(samples, times);
    assertSameFlows(flows, await reference.flows(samples, times), what, relative);
    for (const [id, counts] of (await engine.stateFlows?.(samples, times))?.statistics ?? []) {
      assert.deepEqual(
        wholeCounts(counts, flows.statistics.get(id)!),
        flows.statistics.get(id),
        `${what}, ${id}`,
      );
    }
  }
}

/** Counts by state as statistics like others, `[units, states]`. */
function wholeCounts(counts: StateCounts | Float64Array, like: Float64Array): Float64Array {
  if (counts instanceof Float64Array) return counts;
  const whole = new Float64Array(like.length);
  for (const [state, row] of counts) row.forEach((n, u) => whole[u * (like.length / row.length) + state] = n);
  return whole;
}

/** Registers the tests. */
export function engineSuite(suite: EngineSuite): void {
  const { name, circuits = 20, relative = 0, shut = false } = suite;
  const test = (title: string, fn: () => Promise<void>) =>
    suiteTest({ ...suite.test, name: `${name}: ${title}`, fn });
  const using = async (circuit: Circuit, body: (engine: Evaluator) => Promise<void>, memory?: number) => {
    const engine = await suite.open(circuit, memory);
    try {
      await body(engine);
    } finally {
      await engine.close();
    }
  };

  test("everything as the reference has it, on random circuits with missing values", async () => {
    for (let seed = 0; seed < circuits; seed++) {
      const circuit = randomCircuit(seed * 7 + 1, 5);
      const samples = samplesFromRows(randomBatch(circuit, 9, seed));
      await using(circuit, (engine) => compareWithReference(engine, samples, `circuit ${seed}`, 0, shut));
    }
  });

  for (const { title, circuit, samples } of plainCircuits()) {
    test(
      title,
      () => using(circuit, (engine) => compareWithReference(engine, samples, title, relative, shut)),
    );
  }

  for (const { title, circuit, samples, logs } of hardCases()) {
    test(title, () =>
      using(circuit, async (engine) => {
        if (logs !== undefined) assertLogs(await engine.logLikelihoods(samples), logs, title, relative);
        await compareWithReference(engine, samples, title, relative, shut);
      }));
  }

  test("batches larger than its memory are split", async () => {
    const circuit = randomCircuit(3, 5);
    const samples = samplesFromRows(randomBatch(circuit, 23, 1));
    await using(circuit, (engine) => compareWithReference(engine, samples, "small memory", 0, shut), 4000);
    await using(circuit, async (engine) => {
      assert.equal((await engine.logLikelihoods(unobserved(0, circuit.variables.length))).length, 0);
    });
  });

  test("queries: marginals, conditionals and entropies are those of the joint table", async () => {
    for (const seed of [1, 9, 26]) {
      const circuit = randomCircuit(seed, 4), joint = jointTable(circuit);
      const rows = randomBatch(circuit, 6, seed), samples = samplesFromRows(rows);
      const mass = (given: readonly (number | null)[]) =>
        joint.reduce((sum, { x, p }) => agrees(x, given) ? sum + p : sum, 0);
      const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-4, `${a}, not ${b}`);
      await using(circuit, async (engine) => {
        const logs = await logLikelihood(engine, samples), alone = await marginal(engine, samples, [0]);
        const distributions = (await conditional(engine, samples, [0])).get(0)!;
        const means = (await conditionalMean(engine, samples, [0])).get(0)!;
        const entropies = await entropy(engine, samples, 0);
        rows.forEach((row, s) => {
          near(Math.exp(logs[s]!), mass(row));
          near(Math.exp(alone[s]!), mass(row.map((x, v) => v === 0 ? x : null)));
          const states = distributions.length / rows.length;
          const evidence = mass(row.map((x, v) => v === 0 ? null : x));
          let mean = 0, information = 0;
          for (let k = 0; k < states; k++) {
            const p = evidence === 0 ? 0 : mass(row.map((x, v) => v === 0 ? k : x)) / evidence;
            near(distributions[s * states + k]!, p);
            mean += k * p;
            if (p > 0) information -= p * Math.log(p);
          }
          near(means[s]!, mean);
          near(entropies[s]!, information);
        });
      });
    }
  });

  test("queries: samples, completions and statistics as those of the reference", async () => {
    const { circuit, samples } = plainCircuits().find(({ title }) => title.startsWith("an HMM"))!;
    const reference = new ReferenceEvaluator(circuit), hidden = hideVariables(samples, [1, 3]);
    await using(circuit, async (engine) => {
      // Seeded choices only differ where rounding tips one: hardly ever.
      const same = (a: Samples, b: Samples) => {
        const different = [...a.values].filter((x, i) => x !== b.values[i]).length;
        assert.ok(different <= a.values.length / 100, `${different} of ${a.values.length} values differ`);
      };
      same(await sample(engine, 40, { seed: 5 }), await sample(reference, 40, { seed: 5 }));
      const options = { seed: 8, draws: 3 };
      same(await sampleMissing(engine, hidden, options), await sampleMissing(reference, hidden, options));
      const best = await maxProduct(engine, hidden), wanted = await maxProduct(reference, hidden);
      assertLogs(best.logValues, wanted.logValues, "max-product");
      same(best.samples, wanted.samples);
      assertSameFlows(
        await expectedStatistics(engine, samples),
        await expectedStatistics(reference, samples),
        "statistics",
      );
      await assert.rejects(map(engine, hidden), /may mix inputs/);
    });
  });

  test("what does not fit is refused", async () => {
    const { circuit, samples } = plainCircuits()[0]!;
    await using(circuit, async (engine) => {
      const short = { ...samples, variables: samples.variables - 1 };
      await assert.rejects(engine.logLikelihoods(short), /columns|values/);
      const [first] = circuit.variables;
      assert.ok(first?.kind === "categorical");
      const outside = samplesFromRows([circuit.variables.map((_, v) => v === 0 ? first.states : 0)]);
      for (const call of ["logLikelihoods", "activations", "flows"] as const) {
        await assert.rejects(engine[call](outside), /sample 0, variable 0/);
      }
    });
    const { circuit: vector, samples: rows } = plainCircuits().find(({ title }) =>
      /vector root/.test(title)
    )!;
    await using(vector, async (engine) => {
      await assert.rejects(engine.flows(rows), /root has \d+ units/);
      await assert.rejects(engine.leafFlows(rows, [0]), /root has \d+ units/);
    });
  });
}
