import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Circuit,
  countComplete,
  hmm,
  HmmCounts,
  materialise,
  nodeNamed,
  parameterOf,
  perturbed,
  RandomStream,
  ReferenceEvaluator,
  ReferenceLearner,
  sample,
  samplesFromRows,
  sourceOf,
  withParameters,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";

const NAMES = ["initial", "transition", "emission"] as const;
const NONE = { initial: 0, transition: 0, emission: 0, unigram: 0 };

/** The HMM with its hidden states as variables after the symbols. */
function explicit(circuit: Circuit): Circuit {
  const states = circuit.variables.map((_, t) => nodeNamed(circuit, `z${t}`));
  return materialise(circuit, states).circuit;
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-6) {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= tolerance, `${i}: ${actual[i]} is not ${expected[i]}`);
  }
}

function values(circuit: Circuit, id: string): Float32Array {
  return parameterOf(circuit, id).values as Float32Array;
}

/** Random windows with states: `x` and `z` of `[count, length]`. */
function randomWindows(seed: number, count: number, length: number, symbols: number, states: number) {
  const random = new RandomStream(seed);
  const draw = (most: number) => Int32Array.from({ length: count * length }, () => random.integer(most));
  return { x: draw(symbols), z: draw(states) };
}

Deno.test("a corpus made by hand is counted as by hand", () => {
  const counts = new HmmCounts({ states: 2, symbols: 3 });
  counts.add([0, 1, 2, 0, 0, 1], [0, 0, 1, 1, 0, 0], 3);
  counts.add([2, 2, 2], [1, 1, 0], 3);
  assert.equal(counts.windows, 3);
  assert.deepEqual([...counts.initial], [1, 2]);
  assert.deepEqual([...counts.transition], [2, 1, 2, 1]);
  assert.deepEqual([...counts.emission], [2, 2, 1, 1, 0, 3]);
  const plain = counts.circuit(3, NONE);
  near(values(plain, "initial"), [1 / 3, 2 / 3]);
  near(values(plain, "transition"), [2 / 3, 1 / 3, 2 / 3, 1 / 3]);
  near(values(plain, "emission"), [0.4, 0.4, 0.2, 0.25, 0, 0.75]);

  // All symbols: 3, 2, 4 of 9. One virtual symbol of the unigram, two of each state, half of it replaced.
  const smooth = counts.circuit(3, { initial: 1, transition: 2, emission: 2, emissionMix: 0.5, unigram: 1 });
  near(values(smooth, "initial"), [1.5 / 4, 2.5 / 4]);
  near(values(smooth, "transition"), [3 / 5, 2 / 5, 3 / 5, 2 / 5]);
  const unigram = [10 / 3 / 10, 7 / 3 / 10, 13 / 3 / 10];
  near(counts.unigram(1), unigram);
  const first = [2, 2, 1].map((count, v) => (0.5 * count + 4.5 * unigram[v]!) / 7);
  const second = [1, 0, 3].map((count, v) => (0.5 * count + 4 * unigram[v]!) / 6);
  near(values(smooth, "emission"), [...first, ...second]);
});

Deno.test("positions that are not observed count for nothing", () => {
  const counts = new HmmCounts({ states: 2, symbols: 3 });
  counts.add([0, 1, 9, 2, 9, 2, 9, 1, 1], [0, 1, 9, 1, 9, 0, 9, 0, 1], 3, [1, 1, 0, 1, 0, 1, 0, 1, 1]);
  assert.equal(counts.windows, 3);
  assert.deepEqual([...counts.initial], [1, 1]);
  assert.deepEqual([...counts.transition], [0, 2, 0, 0]);
  assert.deepEqual([...counts.emission], [1, 1, 1, 0, 2, 1]);
});

Deno.test("the end symbol has a state of its own, whatever its label", () => {
  const counts = new HmmCounts({ states: 3, symbols: 4, end: 3 });
  counts.add([0, 3, 1, 2, 3, 3], [0, 0, 1, 1, 1, 7], 3);
  assert.deepEqual([...counts.initial], [1, 1, 0]);
  assert.deepEqual([...counts.transition], [0, 0, 1, 0, 0, 1, 0, 1, 1]);
  const circuit = counts.circuit(3);
  const emission = values(circuit, "emission");
  assert.deepEqual([...emission.subarray(8)], [0, 0, 0, 1]);
  assert.deepEqual([emission[3], emission[7]], [0, 0], "no other state has the end");
  near(counts.unigram(0), [1 / 3, 1 / 3, 1 / 3, 0]);
  assert.throws(
    () => counts.add([0, 1, 2], [0, 2, 0], 3),
    /window 2, position 1: the state is 2, expected 0 to 1/,
  );
});

Deno.test("states that nothing was counted for are smooth, and rows sum to one", () => {
  for (const end of [undefined, 0]) {
    const counts = new HmmCounts({ states: 4, symbols: 5, ...(end !== undefined && { end }) });
    counts.add([1, 2, 1], [1, 1, 1], 3);
    for (const smoothing of [{}, NONE]) {
      const circuit = counts.circuit(3, smoothing);
      near(values(circuit, "transition").subarray(0, 4), [0.25, 0.25, 0.25, 0.25]);
      near(values(circuit, "emission").subarray(0, 5), counts.unigram("unigram" in smoothing ? 0 : 1));
    }
  }
});

Deno.test("counting gives what complete-data learning of the materialised circuit gives", async () => {
  const { x, z } = randomWindows(3, 40, 4, 5, 3);
  const counts = new HmmCounts({ states: 3, symbols: 5 });
  counts.add(x, z, 4);
  const counted = counts.circuit(4, { ...NONE, initial: 2, transition: 3 });

  const learner = new ReferenceLearner(explicit(hmm({ length: 4, states: 3, symbols: 5, seed: 1 })));
  const rows = Array.from(
    { length: 40 },
    (_, w) => [...x.slice(4 * w, 4 * w + 4), ...z.slice(4 * w, 4 * w + 4)],
  );
  await countComplete(learner, sourceOf(samplesFromRows(rows)), {
    smoothing: { parameters: { initial: { pseudocount: 2 }, transition: { pseudocount: 3 } } },
  });
  const learned = await learner.parameters();
  for (const id of NAMES) near(values(counted, id), learned.get(id)!);
});

Deno.test("no other parameters give the windows and states a higher likelihood", async (test) => {
  await holds(
    test,
    fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
      const { x, z } = randomWindows(seed, 12, 3, 4, 3);
      const counts = new HmmCounts({ states: 3, symbols: 4 });
      counts.add(x, z, 3);
      const rows = Array.from(
        { length: 12 },
        (_, w) => [...x.slice(3 * w, 3 * w + 3), ...z.slice(3 * w, 3 * w + 3)],
      );
      const samples = samplesFromRows(rows);
      const total = async (circuit: Circuit) =>
        (await new ReferenceEvaluator(explicit(circuit)).logLikelihoods(samples)).reduce((a, b) => a + b, 0);
      const counted = counts.circuit(3, NONE);
      const best = await total(counted);
      for (const amount of [0.01, 0.3, 3]) {
        assert.ok(best >= await total(perturbed(counted, { amount, seed })) - 1e-4);
      }
    }),
    { numRuns: 10 },
  );
});

Deno.test("an HMM is recovered from its own samples and their states", async () => {
  const length = 6, states = 3, symbols = 4;
  const known = hmm({
    length,
    states,
    symbols,
    initial: [0.6, 0.3, 0.1],
    transition: [0.8, 0.1, 0.1, 0.2, 0.5, 0.3, 0.05, 0.05, 0.9],
    emission: [0.7, 0.1, 0.1, 0.1, 0.1, 0.6, 0.2, 0.1, 0, 0.05, 0.05, 0.9],
  });
  const count = 20_000;
  const { values: drawn } = await sample(new ReferenceEvaluator(explicit(known)), count, { seed: 2 });
  const x = new Int32Array(count * length), z = new Int32Array(count * length);
  for (let s = 0; s < count; s++) {
    for (let t = 0; t < length; t++) {
      x[s * length + t] = drawn[s * 2 * length + t]!;
      z[s * length + t] = drawn[s * 2 * length + length + t]!;
    }
  }
  const counts = new HmmCounts({ states, symbols });
  counts.add(x, z, length);
  const found = counts.circuit(length, NONE);
  // Four standard deviations of a share of the rarest state's 20,000 or more visits are below 0.015.
  for (const id of NAMES) near(values(found, id), values(known, id), 0.015);
  near(counts.unigram(0).slice(0, 1), [shareOf(x, 0)]);
  assert.doesNotThrow(() => withParameters(known, new Map(NAMES.map((id) => [id, values(found, id)]))));
});

Deno.test("what cannot be counted is refused with the place", () => {
  const counts = new HmmCounts({ states: 2, symbols: 3 });
  assert.throws(
    () => counts.add([0, 1, 3, 0], [0, 0, 0, 0], 2),
    /window 1, position 0: the symbol is 3, expected 0 to 2/,
  );
  assert.throws(() => counts.add([0, 1], [0, -1], 2), /window 1, position 1: the state is -1/);
  assert.throws(() => counts.add([0, 1, 2], [0, 0, 0], 2), /not windows of length 2/);
  assert.throws(() => counts.circuit(2, { transition: -1 }), /`transition` is -1/);
  assert.throws(() => counts.circuit(2, { emissionMix: 2 }), /`emissionMix` is 2/);
  assert.throws(() => new HmmCounts({ states: 1, symbols: 3, end: 0 }), /at least 2 states/);
  assert.throws(() => new HmmCounts({ states: 2, symbols: 3, end: 3 }), /`end` is 3/);
});

function shareOf(x: Int32Array, symbol: number): number {
  return x.filter((one) => one === symbol).length / x.length;
}
