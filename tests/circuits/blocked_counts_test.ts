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

Deno.test("counts of a blocked HMM are relative counts where nothing is virtual, and what follows nowhere is left to the backoff", async () => {
  const counts = new BlockedHmmCounts(options);
  counts.add(x, z, 3);
  const circuit = counts.circuit({
    initial: 0,
    transition: 0,
    within: 0,
    between: 0,
    discount: 0,
    emission: 0,
  });
  const of = (id: string) => [...circuit.parameters.get(id)!.values].map((p) => Math.round(p * 1e6) / 1e6);
  assert.deepEqual(of("initial"), [0.333333, 0.666667, 0]);
  // State 1 of block 0 is followed by block 1, thrice; state 0 by its own block, which may not follow, so nothing is known of it.
  assert.deepEqual(of("transition/0").slice(2), [1, 0]);
  assert.deepEqual(of("transition/1"), [0.5, 0, 0.5, 0]);
  assert.deepEqual(of("emission/0"), [0.5, 0.5, 0.666667, 0.333333]);
  assert.deepEqual(of("emission/1"), [0.5, 0.5]);
  const logs = await logLikelihood(new ReferenceEvaluator(circuit), samplesFromRows([[2, 1, 0]]));
  // 2 in state 0 or 1; state 1 goes on to 1, and that to 0 in state 0; state 0 as its block: once to itself, thrice to block 1, one virtual.
  const two = 1 / 3 * 0.5 * of("transition/0")[0]! + 2 / 3 * (1 / 3);
  assert.ok(Math.abs(Math.exp(logs[0]!) - two * 0.5 * (0.5 * 0.5)) < 1e-6, `${Math.exp(logs[0]!)}`);
});

Deno.test("smoothing goes from the text to the block, the pair of blocks and the state, as written out", () => {
  const counts = new BlockedHmmCounts(options), [d, a, w, e] = [0.3, 2, 1.5, 0.7];
  counts.add(x, z, 3);
  const circuit = counts.circuit({
    initial: 1,
    transition: a,
    within: w,
    between: e,
    discount: d,
    emission: 1,
  });
  // By hand: positions as states 0 and 1 of block 0 and 2 of block 1, windows 1 2 | 0 and so on.
  const global = x.map((symbol, i) => symbol % 2 === 0 ? z[i]! : 2), block = (s: number) => s < 2 ? 0 : 1;
  const steps = global.flatMap((to, i) => i % 3 === 0 ? [] : [[global[i - 1]!, to] as const]);
  const times = (test: (from: number, to: number) => boolean) => steps.filter(([f, t]) => test(f, t)).length;
  const seen = (s: number) => global.filter((one) => one === s).length;
  const inBlock = (b: number) => global.filter((one) => block(one) === b).length;
  const anyBlock = (b: number) => (inBlock(b) + 0.5) / (global.length + 1);
  const anyState = (s: number) => (seen(s) + (s < 2 ? 0.5 : 1)) / (inBlock(block(s)) + 1);
  const pair = (b: number, f: number) => times((x, y) => block(x) === b && block(y) === f);
  const nextBlock = (b: number, f: number) => {
    const [n, m] = [pair(b, f), pair(b, 1 - f)], lost = Math.min(n, d) + Math.min(m, d) + 1;
    return (n - Math.min(n, d) + lost * anyBlock(f)) / (n + m + 1);
  };
  const nextState = (b: number, s: number) =>
    (times((x, y) => block(x) === b && y === s) + e * anyState(s)) / (pair(b, block(s)) + e);
  const expected = (from: number, to: number) => {
    const all = times((x, y) => x === from && (from === 2 || block(y) === 1)) + a;
    const into = times((x, y) => x === from && block(y) === block(to));
    return (into + a * nextBlock(block(from), block(to))) / all *
      (times((x, y) => x === from && y === to) + w * nextState(block(from), to)) / (into + w);
  };
  const close = (id: string, truth: number[]) =>
    [...circuit.parameters.get(id)!.values].forEach((p, i) =>
      assert.ok(Math.abs(p - truth[i]!) < 1e-6, `${id} ${i}: ${p}, expected ${truth[i]}`)
    );
  // Block 0 may not follow itself: the backoff, and only its states.
  const missing = (from: number) => a * nextBlock(0, 0) / (times((x, y) => x === from && block(y) === 1) + a);
  close("transition/0", [expected(0, 2), missing(0), expected(1, 2), missing(1)]);
  close("transition/1", [expected(2, 0), expected(2, 1), expected(2, 2), 0]);
  close("backoff/0", [nextState(0, 0), nextState(0, 1), 0]);
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
