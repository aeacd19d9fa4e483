import assert from "node:assert/strict";
import {
  categoricalVariables,
  type Circuit,
  hclt,
  hmm,
  RandomStream,
  ReferenceEvaluator,
  type Samples,
  samplesFromRows,
} from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { LeafStore } from "../../kernels/cpu/leaf_store.ts";
import { segmentsOf } from "../../kernels/cpu/segments.ts";
import { Trim } from "../../kernels/cpu/trim.ts";
import { planOf } from "../../kernels/mod.ts";

/** Sequences of random lengths, padded, with a gap now and then; some say nothing at all. */
function sequences(count: number, length: number, symbols: number, most = length, seed = 1): Samples {
  const random = new RandomStream(seed);
  return samplesFromRows(
    Array.from({ length: count }, () => {
      const own = random.integer(most + 1);
      return Array.from(
        { length },
        (_, t) => t >= own || random.uniform() < 0.1 ? null : random.integer(symbols),
      );
    }),
  );
}

async function compare(circuit: Circuit, samples: Samples): Promise<void> {
  const engine = new CpuEngine(circuit, { threads: 1 });
  try {
    const weights = Array.from({ length: samples.count }, (_, s) => s % 5 === 0 ? 0 : 0.5 + s % 3);
    for (const times of [undefined, weights]) {
      const got = await engine.flows(samples, times);
      const wanted = await new ReferenceEvaluator(circuit).flows(samples, times);
      assert.equal(got.impossible, wanted.impossible);
      wanted.logLikelihoods.forEach((log, s) =>
        assert.ok(log === got.logLikelihoods[s] || Math.abs(log - got.logLikelihoods[s]!) < 1e-4, `${s}`)
      );
      for (const part of ["weights", "statistics"] as const) {
        for (const [id, counts] of wanted[part]) {
          counts.forEach((x, i) => {
            const y = got[part].get(id)![i]!;
            assert.ok(Math.abs(x - y) < 1e-3 * Math.abs(x) + 1e-5, `${id}[${i}]: ${y}, not ${x}`);
          });
        }
      }
    }
  } finally {
    await engine.close();
  }
}

const trimOf = (circuit: Circuit) => {
  const plan = planOf(circuit);
  return Trim.of(plan, segmentsOf(plan));
};

Deno.test("short sequences are counted on as many rows as they have, with the reference's counts", async () => {
  for (const homogeneous of [true, false]) {
    const circuit = hmm({ length: 14, states: 5, symbols: 6, seed: 2, homogeneous });
    const trim = trimOf(circuit)!;
    // A class for every position, but for the first, whose rows are all.
    assert.equal(trim.classes, 14);
    for (const [most, seed] of [[14, 1], [6, 2], [1, 3], [0, 4]] as const) {
      const samples = sequences(30, 14, 6, most, seed);
      await compare(circuit, samples);
      if (most <= 6) assert.ok(trim.order(samples) !== undefined, "few rows are left");
    }
    assert.equal(trim.order(samplesFromRows([[...new Array<number>(13).fill(0), null]])), undefined);
  }
});

Deno.test("impossible short sequences are told apart and count nothing", async () => {
  const emission = [[0.5, 0.5, 0, 0], [0, 0.2, 0.8, 0]], transition = [[0.9, 0.1], [0.3, 0.7]];
  const circuit = hmm({ length: 9, states: 2, symbols: 4, emission, transition });
  const samples = sequences(40, 9, 4, 4, 7);
  assert.ok(trimOf(circuit)!.order(samples) !== undefined);
  await compare(circuit, samples);
});

Deno.test("rows are in order of what they say, and end with the last that says anything", () => {
  const circuit = hmm({ length: 4, states: 2, symbols: 2 });
  const trim = trimOf(circuit)!;
  const rows = [[0, null, null, null], [1, 1, 1, null], [null, null, null, null], [0, 1, null, null]];
  assert.deepEqual([...trim.order(samplesFromRows(rows))!], [1, 3, 0, 2]);
  const sorted = samplesFromRows([rows[1]!, rows[3]!, rows[0]!, rows[2]!]);
  // The root has all rows, z1 those of two values, z2 those of three; none would be no tensor.
  assert.deepEqual(trim.rows(sorted).toSorted((a, b) => b - a), [4, 2, 1, 1]);
});

Deno.test("trees: trimmed where a segment has one reader, and right in any case", async () => {
  const chain = { root: 0, parents: Int32Array.of(-1, 0, 1, 2, 3, 4), order: [0, 1, 2, 3, 4, 5] };
  const star = { root: 0, parents: Int32Array.of(-1, 0, 0, 0, 3, 3), order: [0, 1, 2, 3, 4, 5] };
  for (const tree of [chain, star]) {
    const circuit = hclt(categoricalVariables(6, 3), tree, { latents: 4, seed: 3 });
    await compare(circuit, sequences(40, 6, 3, 3, 5));
  }
});

Deno.test("a table of leaves is not asked for rows that are not there", () => {
  const circuit = hmm({ length: 3, states: 2, symbols: 2 });
  const plan = planOf(circuit), store = new LeafStore(plan);
  const segment = segmentsOf(plan).segments[0]!;
  const rows = store.rows(segment as Parameters<typeof store.rows>[0], samplesFromRows([[0, 1, null]]));
  assert.equal(rows.scale.length, segment.folds);
});
