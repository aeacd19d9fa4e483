import assert from "node:assert/strict";
import { BlockedHmmCounts, logLikelihood, ReferenceEvaluator, samplesFromRows } from "../../circuits/mod.ts";

const options = {
  length: 3,
  symbols: 4,
  blocks: [{ states: 2, symbols: [0, 2] }, { states: 1, symbols: [1, 3] }],
  follows: [[1], [0, 1]],
  backoff: 1,
} as const;
const x = [0, 1, 2, 2, 3, 3, 0, 0, 1], z = [1, 0, 0, 1, 0, 0, 0, 1, 0];

Deno.test("counts of a blocked HMM are relative counts, and what follows nowhere is left to the backoff", async () => {
  const counts = new BlockedHmmCounts(options);
  counts.add(x, z, 3);
  const circuit = counts.circuit({ initial: 0, transition: 1, backoff: 0, emission: 0 });
  const of = (id: string) => [...circuit.parameters.get(id)!.values].map((p) => Math.round(p * 1e6) / 1e6);
  assert.deepEqual(of("initial"), [0.333333, 0.666667, 0]);
  // State 0 of block 0 is followed by state 1 of its own block, which may not follow: once, in the backoff. State 1 by block 1, thrice.
  assert.deepEqual(of("transition/0"), [0, 1, 0.75, 0.25]);
  assert.deepEqual(of("transition/1"), [0.333333, 0, 0.333333, 0.333333]);
  assert.deepEqual(of("backoff/0"), [0, 0.25, 0.75]);
  assert.deepEqual(of("backoff/1"), [0.5, 0, 0.5]);
  assert.deepEqual(of("emission/0"), [0.5, 0.5, 0.666667, 0.333333]);
  assert.deepEqual(of("emission/1"), [0.5, 0.5]);
  const logs = await logLikelihood(new ReferenceEvaluator(circuit), samplesFromRows([[0, 1, 2], [0, 0, 1]]));
  // 0 1 2: first 0 in state 0 or 1; by hand.
  const first = 1 / 3 * 0.5 * (1 * 0.75) + 2 / 3 * (2 / 3) * (0.75 + 0.25 * 0.75);
  const then = 0.5 * ((1 / 3 + 1 / 3 * 0.5) * 0.5);
  assert.ok(Math.abs(Math.exp(logs[0]!) - first * then) < 1e-6, `${Math.exp(logs[0]!)}, not ${first * then}`);
  assert.ok(logs[1]! > -Infinity);
});

Deno.test("padding is not counted, and what fits no block is refused", () => {
  const counts = new BlockedHmmCounts(options), whole = new BlockedHmmCounts(options);
  counts.add([...x, 0, 1, 3], [...z, 0, 0, 0], 3, [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
  whole.add(x, z, 3);
  assert.deepEqual(counts.circuit(), whole.circuit());
  assert.throws(() => counts.add([1], [1], 1), /position 0: symbol 1 with state 1 is in no block/);
  assert.throws(() => counts.add([9], [0], 1), /symbol 9/);
  assert.throws(() => new BlockedHmmCounts({ ...options, backoff: 0 }), /`backoff` is 0, expected 1/);
  assert.throws(
    () =>
      new BlockedHmmCounts({
        ...options,
        blocks: [{ states: 1, symbols: [0, 1] }, { states: 1, symbols: [1, 2, 3] }],
      }),
    /symbol 1 is in several blocks/,
  );
});
