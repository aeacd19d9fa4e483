/**
 * What every learner must keep: the digits of real columns of any offset and scale, as EM in float64 on the columns less
 * their offset has them, and both probabilities of a Bernoulli leaf.
 */
import assert from "node:assert/strict";
import {
  type Circuit,
  CircuitBuilder,
  conditional,
  type Learner,
  logLikelihood,
  naiveMixture,
  parsePsdd,
  RandomStream,
  ReferenceLearner,
  sample,
  type Samples,
  samplesFromRows,
  unobserved,
  type UpdateRule,
  type Variable,
  withParameters,
} from "../../circuits/mod.ts";
import { type SuiteOptions, suiteTest } from "../registry.ts";
import { type Mixture, shareOf, textbook } from "./textbook_em.ts";

/** How a learner is made. */
export interface DigitsSuite {
  /** Name in the titles of the tests. */
  readonly name: string;
  /** Opens it. */
  open(circuit: Circuit): Learner | Promise<Learner>;
  /** Options of its tests. */
  readonly test?: SuiteOptions;
}

/** Columns with their offset and scale: the components of a column stand 0, 6 and 15 scales above the offset. */
export const columns: readonly (readonly [offset: number, scale: number])[] = [
  [0, 1],
  [1e9, 1],
  [-1e9, 1e6],
  [1e8, 0.03],
  [-12, 1e-6],
  [0, 1e-6],
  [0, 1e6],
  [3e5, 1e-4],
];

/** Rows of three components, with their distance from the offset of each column. */
function drawn(count: number, seed: number): { rows: number[][]; shifted: number[][] } {
  const rows: number[][] = [], shifted: number[][] = [];
  for (let s = 0; s < count; s++) {
    const random = new RandomStream(seed, s), at = [0, 6, 15][random.integer(3)]!;
    const row = columns.map(([offset, scale]) => offset + scale * (at + random.normal()));
    rows.push(row);
    // Exact: the two numbers are near each other.
    shifted.push(row.map((x, v) => x - columns[v]![0]));
  }
  return { rows, shifted };
}

const real = (count: number): Variable[] =>
  Array.from({ length: count }, (_, v) => ({ kind: "real", name: `x${v}` }));

/** A mixture over real variables with these values. */
function mixtureOf({ weights, means, stddevs }: Mixture, offsets: readonly number[]): Circuit {
  const circuit = naiveMixture(real(offsets.length), { components: weights.length });
  const values = new Map([["z", Float64Array.from(weights)]]);
  offsets.forEach((offset, v) =>
    values.set(
      `leaf/${v}`,
      Float64Array.from(means[v]!.flatMap((m, k) => [offset + m, stddevs[v]![k]!])),
    )
  );
  return withParameters(circuit, values);
}

/** Registers the tests. */
export function digitsSuite({ name, open, test: options }: DigitsSuite): void {
  const test = (title: string, fn: () => Promise<void>) =>
    suiteTest({ ...options, name: `${name}: ${title}`, fn });
  const using = async (circuit: Circuit, body: (learner: Learner) => Promise<void>): Promise<void> => {
    const learner = await open(circuit);
    try {
      await body(learner);
    } finally {
      await learner.close();
    }
  };
  const meanLog = (logs: Float64Array) => logs.reduce((a, b) => a + b, 0) / logs.length;

  test("columns of any offset and scale learn as EM in float64 does, to 1e-5 of the spread", async () => {
    const { rows, shifted } = drawn(300, 4);
    const samples = samplesFromRows(rows), offsets = columns.map(([offset]) => offset);
    // A start that takes a dozen steps: components near each other, and too wide.
    let truth: Mixture = {
      weights: [0.3, 0.3, 0.4],
      means: columns.map(([, scale]) => [2, 7, 9].map((m) => m * scale)),
      stddevs: columns.map(([, scale]) => [5, 5, 5].map((s) => s * scale)),
    };
    await using(mixtureOf(truth, offsets), async (learner) => {
      for (let step = 0; step < 15; step++) {
        const { mixture, log } = textbook(truth, shifted);
        const { logLikelihoods } = await learner.accumulate(samples);
        assert.ok(Math.abs(meanLog(logLikelihoods) - log) < 1e-4, `step ${step}: ${meanLog(logLikelihoods)}`);
        await learner.update({ step: { kind: "em" } });
        truth = mixture;
      }
      const got = await learner.parameters();
      columns.forEach(([offset, scale], v) => {
        const values = got.get(`leaf/${v}`)!;
        // Of the offset float64 keeps so much.
        const grid = 2 ** -52 * Math.abs(offset);
        for (let k = 0; k < 3; k++) {
          const spread = truth.stddevs[v]![k]!;
          assert.ok(Math.abs(spread / scale - 1) < 0.2, "the components were found");
          const mean = Math.abs(values[2 * k]! - offset - truth.means[v]![k]!);
          assert.ok(mean <= 1e-5 * spread + grid, `mean ${k} of column ${v}: off by ${mean / spread}`);
          const stddev = Math.abs(values[2 * k + 1]! - spread);
          assert.ok(stddev <= 1e-5 * spread, `stddev ${k} of column ${v}: off by ${stddev / spread}`);
        }
      });
    });
  });

  test("a start that is far from the data arrives, step by step no worse", async () => {
    const random = new RandomStream(9);
    const shifted = Array.from({ length: 200 }, () => random.normal());
    const samples = samplesFromRows(shifted.map((x) => [1e8 + x]));
    const mean = shifted.reduce((a, b) => a + b) / 200;
    const stddev = Math.sqrt(shifted.reduce((t, x) => t + (x - mean) ** 2, 0) / 200);
    await using(naiveMixture(real(1), { components: 1 }), async (learner) => {
      let before = -Infinity;
      for (let step = 0; step < 6; step++) {
        const log = meanLog((await learner.accumulate(samples)).logLikelihoods);
        assert.ok(log >= before - 1e-4, `step ${step}: ${log} after ${before}`);
        before = log;
        await learner.update({ step: { kind: "em" } });
      }
      const [m, s] = (await learner.parameters()).get("leaf/0")!;
      assert.ok(Math.abs(m! - 1e8 - mean) < 1e-5 && Math.abs(s! - stddev) < 1e-5, `${m} ${s}`);
    });
  });

  test("statistics move with the means when parameters are set between two batches", async () => {
    const { rows } = drawn(60, 5);
    const start: Mixture = {
      weights: [0.5, 0.5],
      means: columns.map(([, scale]) => [0, 9 * scale]),
      stddevs: columns.map(([, scale]) => [4 * scale, 4 * scale]),
    };
    const offsets = columns.map(([offset]) => offset);
    const circuit = mixtureOf(start, offsets);
    const nudged = mixtureOf({ ...start, means: columns.map(([, s]) => [s, 8 * s]) }, offsets);
    const nudge = new Map([...nudged.parameters].map(([id, { values }]) => [id, values]));
    const half = (from: number): Samples => samplesFromRows(rows.slice(from, from + 30));
    await using(circuit, async (learner) => {
      await learner.accumulate(half(0));
      await learner.setParameters(nudge);
      await learner.accumulate(half(30));
      await learner.update({ step: { kind: "em" } });
      const got = await learner.parameters();
      // Shares of the first half are those of the old parameters, of the second those of the new ones.
      const shares = [...shareOf(circuit, rows.slice(0, 30)), ...shareOf(nudged, rows.slice(30))];
      columns.forEach(([offset], v) => {
        for (const k of [0, 1]) {
          const weight = shares.reduce((t, share) => t + share[k]!, 0);
          const mean = rows.reduce((t, row, s) => t + shares[s]![k]! * (row[v]! - offset), 0) / weight;
          const square = rows.reduce((t, row, s) => t + shares[s]![k]! * (row[v]! - offset - mean) ** 2, 0);
          const spread = Math.sqrt(square / weight), values = got.get(`leaf/${v}`)!;
          assert.ok(Math.abs(values[2 * k]! - offset - mean) < 1e-4 * spread + 2 ** -52 * Math.abs(offset));
          assert.ok(Math.abs(values[2 * k + 1]! - spread) < 1e-4 * spread);
        }
      });
    });
  });

  const rules: [string, UpdateRule][] = [
    ["EM with pseudocounts", { step: { kind: "em" }, leaves: { pseudocount: 3 } }],
    ["inertia", { step: { kind: "inertia", inertia: 0.8 } }],
    ["anemone", { step: { kind: "anemone", step: 0.3 } }],
  ];
  for (const [title, rule] of rules) {
    test(`${title}: a column moved and scaled learns the same, moved and scaled`, async () => {
      const { rows, shifted } = drawn(80, 6);
      const plain = shifted.map((row) => row.map((x, v) => x / columns[v]![1]));
      const start = (scales: readonly number[]): Mixture => ({
        weights: [0.4, 0.6],
        means: scales.map((scale) => [2 * scale, 10 * scale]),
        stddevs: scales.map((scale) => [4 * scale, 5 * scale]),
      });
      const scales = columns.map(([, scale]) => scale), offsets = columns.map(([offset]) => offset);
      const moved = mixtureOf(start(scales), offsets);
      const reference = new ReferenceLearner(mixtureOf(start(scales.map(() => 1)), offsets.map(() => 0)));
      await using(moved, async (learner) => {
        // By mini-batches: what one update sums up is not all of the column.
        for (let from = 0; from < 80; from += 20) {
          await learner.accumulate(samplesFromRows(rows.slice(from, from + 20)));
          await reference.accumulate(samplesFromRows(plain.slice(from, from + 20)));
          await learner.update(rule);
          await reference.update(rule);
        }
        const got = await learner.parameters(), wanted = await reference.parameters();
        columns.forEach(([offset, scale], v) => {
          const [a, b] = [got.get(`leaf/${v}`)!, wanted.get(`leaf/${v}`)!];
          for (const k of [0, 1]) {
            const mean = (a[2 * k]! - offset) / scale, grid = 2 ** -51 * Math.abs(offset) / scale;
            assert.ok(Math.abs(mean - b[2 * k]!) < 1e-5 * b[2 * k + 1]! + 4 * grid, `column ${v}: ${mean}`);
            assert.ok(Math.abs(a[2 * k + 1]! / scale / b[2 * k + 1]! - 1) < 1e-5 + 4 * grid, `column ${v}`);
          }
        });
      });
    });
  }

  for (const outlier of [40, 200, 3000, 1e6]) {
    test(`a value ${outlier} standard deviations from all units teaches what it does in float64`, async () => {
      const random = new RandomStream(8), rows = Array.from({ length: 100 }, () => [random.normal()]);
      const samples = samplesFromRows([...rows, [outlier]]);
      const circuit = mixtureOf({ weights: [0.5, 0.5], means: [[0, 1e-3]], stddevs: [[1, 1.0001]] }, [0]);
      const reference = new ReferenceLearner(circuit);
      await using(circuit, async (learner) => {
        for (const one of [learner, reference]) {
          await one.accumulate(samples, new Float64Array(101).fill(1.5));
          await one.update({ step: { kind: "em" } });
        }
        const got = (await learner.parameters()).get("leaf/0")!;
        const wanted = (await reference.parameters()).get("leaf/0")!;
        for (const k of [0, 1]) {
          const spread = wanted[2 * k + 1]!;
          assert.ok(Math.abs(got[2 * k]! - wanted[2 * k]!) < 1e-5 * spread, `${got}, not ${wanted}`);
          assert.ok(Math.abs(got[2 * k + 1]! - spread) < 1e-5 * spread, `${got}, not ${wanted}`);
        }
      });
    });
  }

  test("values that nothing explains are unlikely, not impossible", async () => {
    const values = [3, 700, 1e5, -1e8, 1e12, 1e14];
    const rows = values.map((x) => [x, -x, 1, x, 2 * x, null, x, x, x]);
    const circuit = naiveMixture(real(9), { components: 3, seed: 4 }), samples = samplesFromRows(rows);
    const wanted = await new ReferenceLearner(circuit).logLikelihoods(samples);
    const near = (got: ArrayLike<number>) =>
      wanted.forEach((log, s) => assert.ok(Math.abs(got[s]! / log - 1) < 1e-6, `${got[s]}, not ${log}`));
    await using(circuit, async (learner) => {
      // The largest float32, which may mean something to a device: it may refuse it.
      const largest = samplesFromRows([new Array(9).fill(3.4028234663852886e38)]);
      const most = await learner.logLikelihoods(largest)
        .then(([log]) => log!, (error: Error) => error.message);
      const right = typeof most === "number" ? most < -1e76 : /standard deviations from all/.test(most);
      assert.ok(right, `${most}`);
      near(await learner.logLikelihoods(samples));
      near((await learner.activations(samples)).of(circuit.root));
      assert.equal((await learner.flows(samples)).impossible, 0);
      const { logLikelihoods, impossible } = await learner.accumulate(samples);
      near(logLikelihoods);
      assert.equal(impossible, 0);
      const [leaf] = circuit.nodes.filter((node) => node.kind === "input");
      const shares = (await learner.leafFlows(samples, [leaf!.id])).get(leaf!.id)!;
      const expected = (await new ReferenceLearner(circuit).leafFlows(samples, [leaf!.id])).get(leaf!.id)!;
      // Of the last two float64 does not know which unit is nearest.
      expected.subarray(0, 12).forEach((share, i) =>
        assert.ok(Math.abs(shares[i]! - share) < 1e-3, `${i}: ${shares[i]}, not ${share}`)
      );
      // The first step of EM brings every unit that got anything to the data.
      await learner.update({ step: { kind: "em" } });
      for (const log of await learner.logLikelihoods(samples)) assert.ok(Number.isFinite(log), `${log}`);
    });
  });

  test("units keep the standard deviation that they have where all values of a column are equal", async () => {
    for (const row of [[5, 6], [0.1, 1234567.7], [-1e9, 1e-6]]) {
      for (const count of [1, 3, 50]) {
        const data = samplesFromRows(Array.from({ length: count }, () => row));
        // Two units of a column: one at its value, one beside it.
        const circuit = naiveMixture(real(2), { components: 2, data, seed: 3 });
        await using(circuit, async (learner) => {
          for (let step = 0; step < 3; step++) {
            await learner.accumulate(data);
            await learner.update({ step: { kind: "em" } });
          }
          const got = await learner.parameters();
          for (const id of ["leaf/0", "leaf/1"]) {
            const before = circuit.parameters.get(id)!.values, after = got.get(id)!;
            for (const at of [1, 3]) {
              assert.ok(Math.abs(after[at]! / before[at]! - 1) < 1e-6, `${id}: ${after}`);
            }
          }
        });
      }
    }
  });

  test("clusters that are very far from each other keep their own spreads", async () => {
    const random = new RandomStream(5);
    const centres = [[0, -1e9], [1e5, 0], [-3e4, 1e9]];
    const rows = Array.from({ length: 90 }, (_, s) => {
      const [a, b] = centres[s % 3]!;
      return [a! + random.normal(), b! + 2000 * random.normal()];
    });
    const samples = samplesFromRows(rows);
    await using(naiveMixture(real(2), { components: 3, data: samples }), async (learner) => {
      for (let step = 0; step < 5; step++) {
        await learner.accumulate(samples);
        await learner.update({ step: { kind: "em" } });
      }
      const got = await learner.parameters();
      for (const [k, centre] of centres.entries()) {
        const own = rows.filter((_, s) => s % 3 === k);
        for (const v of [0, 1]) {
          const values = got.get(`leaf/${v}`)!;
          const unit = [0, 1, 2].find((u) => Math.abs(values[2 * u]! - centre[v]!) < 2e4)!;
          const mean = own.reduce((t, row) => t + row[v]! - centre[v]!, 0) / 30;
          const spread = Math.sqrt(own.reduce((t, row) => t + (row[v]! - centre[v]! - mean) ** 2, 0) / 30);
          assert.ok(Math.abs(values[2 * unit]! - centre[v]! - mean) < 1e-5 * spread, `${v} ${k}: ${values}`);
          assert.ok(Math.abs(values[2 * unit + 1]! - spread) < 1e-5 * spread, `${v} ${k}: ${values}`);
        }
      }
    });
  });

  test("a narrow column loses nothing to the floor, one without spread stays finite", async () => {
    const random = new RandomStream(3), narrow = Array.from({ length: 100 }, () => 1e-4 * random.normal());
    const samples = samplesFromRows(narrow.map((x) => [x, 7, 0.1]));
    await using(naiveMixture(real(3), { components: 1 }), async (learner) => {
      for (let step = 0; step < 8; step++) {
        await learner.accumulate(samples);
        await learner.update({ step: { kind: "em" } });
      }
      const got = await learner.parameters();
      const mean = narrow.reduce((a, b) => a + b) / 100;
      const stddev = Math.sqrt(narrow.reduce((t, x) => t + (x - mean) ** 2, 0) / 100);
      assert.ok(Math.abs(got.get("leaf/0")![1]! - stddev) < 1e-5 * stddev);
      for (const [v, constant] of [[1, 7], [2, 0.1]] as const) {
        const [m, s] = got.get(`leaf/${v}`)!;
        assert.ok(Math.abs(m! - constant) < 1e-6, `${m}`);
        assert.ok(s! > 0 && Number.isFinite(s), `${s}`);
      }
      for (const log of await logLikelihood(learner, samples)) assert.ok(Number.isFinite(log));
    });
  });

  for (
    const [line, value, log] of [
      ["-1e-9", 0, -20.723265837],
      ["-3e-8", 0, -17.322068455],
      ["-20 -2.0611536e-9", 0, -20],
      ["-30", 1, -30],
      ["-1e-9", 1, -1e-9],
    ] as const
  ) {
    test(`psdd \`T 0 0 1 ${line}\`: log P(${value}) is ${log}`, async () => {
      await using(parsePsdd(`psdd 1\nT 0 0 1 ${line}`), async (learner) => {
        const [got] = await logLikelihood(learner, samplesFromRows([[value]]));
        assert.ok(Math.abs(got! - log) < 1e-6 * Math.abs(log) + 1e-9, `${got}`);
        const row = (await conditional(learner, unobserved(1, 1), [0])).get(0)!;
        assert.ok(Math.abs(row[value]! / Math.exp(log) - 1) < 1e-5, `${row}`);
      });
    });
  }

  test("a state seen once in 50 million keeps its probability, and can be drawn", async () => {
    const b = new CircuitBuilder();
    const leaf = b.input({
      variable: b.categorical("x", 2),
      family: "bernoulli",
      units: 1,
      parameter: [0.5],
      id: "p",
    });
    const circuit = b.build(b.sum([leaf], { units: 1 }));
    await using(circuit, async (learner) => {
      const samples = samplesFromRows([[0], [1]]);
      await learner.accumulate(samples, [1, 5e7]);
      await learner.update({ step: { kind: "em" } });
      const [zero, one] = await logLikelihood(learner, samples);
      assert.ok(Math.abs(zero! + Math.log(5e7 + 1)) < 1e-5, `${zero}`);
      assert.ok(Math.abs(one!) < 1e-6);
      // And back: nothing of the small probability was lost on the way.
      await learner.setParameters(await learner.parameters());
      assert.ok(Math.abs((await logLikelihood(learner, samples))[0]! + Math.log(5e7 + 1)) < 1e-5);
      const draws = await sample(learner, 10, { seed: 1 });
      assert.ok(draws.values.every((x) => x === 1));
    });
  });
}
