import assert from "node:assert/strict";
import {
  blockedHmm,
  type BlockedHmmOptions,
  type Circuit,
  conditional,
  decodeCircuit,
  encodeCircuit,
  hmm,
  logLikelihood,
  maxProduct,
  parameterOf,
  ReferenceEvaluator,
  ReferenceLearner,
  sample,
  samplesFromRows,
} from "../../circuits/mod.ts";
import { allSamples } from "./truth.ts";

/** Five blocks of unequal size; symbol 3 is in two of them, and not every block may follow every other. */
const BLOCKS = [
  { states: 2, symbols: [0, 3] },
  { states: 3, symbols: [1, 2, 3] },
  { states: 1, symbols: [4] },
] as const;
const FOLLOWS = [[0, 1], [1, 2], [0]] as const;
const options: BlockedHmmOptions = { length: 4, symbols: 5, blocks: BLOCKS, follows: FOLLOWS, seed: 3 };

function close(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  assert.equal(found.length, wanted.length);
  for (let i = 0; i < found.length; i++) {
    const [a, b] = [found[i]!, wanted[i]!];
    assert.ok(a === b || Math.abs(a - b) < tolerance, `${i}: ${a}, not ${b}`);
  }
}

/** The matrices of the dense HMM that a blocked one describes. */
function matrices(circuit: Circuit, { blocks, follows = [], backoff = 0 }: BlockedHmmOptions) {
  const of = (id: string) => parameterOf(circuit, id).values;
  const first = [0];
  for (const block of blocks) first.push(first.at(-1)! + block.states);
  const states = first.at(-1)!;
  const transition = Array.from({ length: states }, () => new Array<number>(states).fill(0));
  const emission = Array.from({ length: states }, () => new Array<number>(5).fill(0));
  blocks.forEach((block, b) => {
    const next = follows[b]!.flatMap((f) =>
      Array.from({ length: blocks[f]!.states }, (_, u) => first[f]! + u)
    );
    const width = next.length + backoff;
    for (let u = 0; u < block.states; u++) {
      const row = transition[first[b]! + u]!;
      next.forEach((z, i) => row[z]! += of(`transition/${b}`)[u * width + i]!);
      for (let r = 0; r < backoff; r++) {
        const share = of(`transition/${b}`)[u * width + next.length + r]!;
        for (let z = 0; z < states; z++) {
          row[z]! += share * of(`backoff/${b}`)[r * states + z]!;
        }
      }
      block.symbols.forEach((symbol, i) =>
        emission[first[b]! + u]![symbol] = of(`emission/${b}`)[u * block.symbols.length + i]!
      );
    }
  });
  return { states, transition, emission, initial: [...of("initial")] };
}

function dense(circuit: Circuit, of: BlockedHmmOptions): Circuit {
  const { states, initial, transition, emission } = matrices(circuit, of);
  return hmm({ length: of.length, states, symbols: 5, initial, transition, emission });
}

for (const backoff of [0, 1, 2]) {
  Deno.test(`a blocked HMM is the dense HMM of the same matrices; units of backoff: ${backoff}`, async () => {
    const circuit = blockedHmm({ ...options, backoff }), same = dense(circuit, { ...options, backoff });
    const own = new ReferenceEvaluator(circuit), other = new ReferenceEvaluator(same);
    const all = allSamples(circuit);
    const logs = await logLikelihood(own, all);
    close(logs.map(Math.exp), (await logLikelihood(other, all)).map(Math.exp), 1e-6);
    assert.ok(Math.abs(logs.reduce((sum, log) => sum + Math.exp(log), 0) - 1) < 1e-5);
    assert.equal(
      logs.includes(-Infinity),
      backoff === 0,
      "without a backoff, what may not follow is impossible",
    );
    const gaps = samplesFromRows([[0, null, 3, 1], [null, null, 4, null], [3, 3, 3, 3], [null, 2, null, 2]]);
    close(await logLikelihood(own, gaps), await logLikelihood(other, gaps), 1e-5);
    const [mine, theirs] = [await conditional(own, gaps, [1, 3]), await conditional(other, gaps, [1, 3])];
    for (const v of [1, 3]) close(mine.get(v)!, theirs.get(v)!, 1e-5);
    const { samples } = await maxProduct(own, gaps);
    assert.ok((await logLikelihood(own, samples)).every((log) => log > -Infinity));
  });
}

Deno.test("a blocked HMM learns what the dense HMM learns", async () => {
  const circuit = blockedHmm(options);
  const data = await sample(new ReferenceEvaluator(blockedHmm({ ...options, seed: 4 })), 60, { seed: 1 });
  const own = new ReferenceLearner(circuit), other = new ReferenceLearner(dense(circuit, options));
  for (let step = 0; step < 3; step++) {
    for (const learner of [own, other]) {
      await learner.accumulate(data);
      await learner.update({ step: { kind: "em" } });
    }
  }
  await own.parameters();
  const learned = await other.parameters(), wanted = matrices(own.circuit, options);
  close(learned.get("transition")!, wanted.transition.flat(), 1e-5);
  close(learned.get("emission")!, wanted.emission.flat(), 1e-5);
  close(learned.get("initial")!, wanted.initial, 1e-5);
});

Deno.test("samples of a blocked HMM have the likelihoods of its symbols, and files give it back", async () => {
  const circuit = blockedHmm({ ...options, backoff: 1 });
  const drawn = await sample(new ReferenceEvaluator(circuit), 4000, { seed: 2 });
  const { initial, emission } = matrices(circuit, { ...options, backoff: 1 });
  for (let symbol = 0; symbol < 5; symbol++) {
    const wanted = initial.reduce((total, p, z) => total + p * emission[z]![symbol]!, 0);
    const found = Array.from({ length: 4000 }, (_, s) =>
      drawn.values[4 * s]!).filter((x) => x === symbol).length;
    assert.ok(Math.abs(found / 4000 - wanted) < 0.03, `${symbol}: ${found / 4000}, not ${wanted}`);
  }
  const { structure, parameters } = encodeCircuit(circuit);
  assert.deepEqual(decodeCircuit(structure, parameters), circuit);
});

Deno.test("blocks that make no model are refused", () => {
  const refuses = (change: Partial<BlockedHmmOptions>, message: RegExp) =>
    assert.throws(() => blockedHmm({ ...options, ...change }), message);
  refuses({ symbols: 6 }, /symbol 5 is in no block/);
  refuses({ blocks: [] }, /no blocks/);
  refuses({ follows: [[0], [1]] }, /2 lists, expected one for each of the 3 blocks/);
  refuses({ follows: [[0], [], [1]] }, /no block may follow block 1/);
  refuses({ follows: [[1, 0], [1], [1]] }, /expected ascending blocks/);
  refuses(
    { blocks: [{ states: 1, symbols: [0, 1, 2, 4, 3] }], follows: [[0]] },
    /`values` is 3, expected ascending/,
  );
});
