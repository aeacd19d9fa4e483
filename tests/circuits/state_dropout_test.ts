import assert from "node:assert/strict";
import {
  blockedHmm,
  BlockedHmmLearner,
  categoricalVariables,
  type Circuit,
  decodeTrainingState,
  EmTraining,
  encodeTrainingState,
  hmm,
  type Learner,
  naiveMixture,
  type ParameterArray,
  ReferenceEvaluator,
  ReferenceLearner,
  samplesFromRows,
  sourceOf,
  StateDropout,
  type TrainingOptions,
  withParameters,
} from "../../circuits/mod.ts";
import { keepsEach } from "../../circuits/learning/state_dropout.ts";
import { randomBatch } from "./learner_conformance.ts";
import { close } from "./truth.ts";

/** Eight states in three blocks; the first may not follow itself, so that its backoff is used. */
const BLOCKS = {
  length: 4,
  symbols: 6,
  blocks: [{ states: 3, symbols: [0, 3] }, { states: 3, symbols: [1, 2, 3] }, {
    states: 2,
    symbols: [4, 5],
  }],
  follows: [[1, 2], [0, 1, 2], [0]],
  backoff: 2,
} as const;
const blocked = () => blockedHmm({ ...BLOCKS, seed: 3 });
const dense = () => hmm({ length: 4, states: 8, symbols: 6, seed: 5 });

/** A model as matrices over all states: what follows what, backoffs resolved, and what emits what. */
interface Matrices {
  readonly initial: number[];
  readonly transition: number[][];
  readonly emission: number[][];
}

function matricesOf(circuit: Circuit): Matrices {
  const at = (id: string) => [...circuit.parameters.get(id)!.values];
  const rows = (flat: number[], width: number) =>
    Array.from({ length: flat.length / width }, (_, u) => flat.slice(u * width, (u + 1) * width));
  if (circuit.parameters.has("transition")) {
    return {
      initial: at("initial"),
      transition: rows(at("transition"), 8),
      emission: rows(at("emission"), 6),
    };
  }
  const first = [0, 3, 6], transition: number[][] = [], emission: number[][] = [];
  BLOCKS.blocks.forEach(({ states, symbols }, b) => {
    const columns = BLOCKS.follows[b]!.flatMap((f) =>
      Array.from({ length: BLOCKS.blocks[f]!.states }, (_, i) => first[f]! + i)
    );
    const backoff = rows(at(`backoff/${b}`), 8);
    for (const row of rows(at(`transition/${b}`), columns.length + 2)) {
      const all = new Array<number>(8).fill(0);
      columns.forEach((z, i) => all[z]! += row[i]!);
      backoff.forEach((shared, k) => shared.forEach((p, z) => all[z]! += row[columns.length + k]! * p));
      transition.push(all);
    }
    for (const row of rows(at(`emission/${b}`), symbols.length)) {
      const all = new Array<number>(6).fill(0);
      symbols.forEach((symbol, i) => all[symbol] = row[i]!);
      emission.push(all);
    }
    assert.equal(transition.length, first[b]! + states);
  });
  return { initial: at("initial"), transition, emission };
}

/** The likelihood of a row and how often states are expected, by all paths through the states that stay. */
function byPaths({ initial, transition, emission }: Matrices, kept: Uint8Array, row: (number | null)[]) {
  const among = (p: number[]) => {
    const left = p.map((x, z) => kept[z] ? x : 0), sum = left.reduce((a, x) => a + x, 0);
    return left.map((x) => x / sum);
  };
  const begin = among(initial), next = transition.map(among), visits = new Array<number>(8).fill(0);
  let total = 0;
  const walk = (path: number[], p: number): void => {
    if (p === 0) return;
    if (path.length === row.length) {
      total += p;
      for (const z of path) visits[z]! += p;
      return;
    }
    const from = path.length === 0 ? begin : next[path.at(-1)!]!, x = row[path.length]!;
    from.forEach((q, z) => walk([...path, z], p * q * (x === null ? 1 : emission[z]![x]!)));
  };
  walk([], 1);
  return { total, visits: visits.map((v) => v / total) };
}

for (const [name, circuit] of [["dense", dense()], ["blocked", blocked()]] as const) {
  Deno.test(`${name}: without some states, inference is that over all paths through the others`, async () => {
    const dropout = new StateDropout(circuit, 0.5, 7), matrices = matricesOf(circuit);
    const own = new Map([...circuit.parameters].map(([id, { values }]) => [id, values]));
    // The last position is seen, so that nothing is left out as unseen.
    const rows = randomBatch(circuit, 12, 2).map((row) => [...row.slice(0, 3), row[3] ?? 4]);
    for (let batch = 0; batch < 4; batch++) {
      const kept = dropout.kept(1, batch);
      assert.ok(kept.includes(0) && kept.includes(1));
      const fewer = withParameters(circuit, dropout.without(own, kept));
      const evaluator = new ReferenceEvaluator(fewer);
      for (const row of rows) {
        const { total, visits } = byPaths(matrices, kept, row);
        const { logLikelihoods, statistics, weights } = await evaluator.flows(samplesFromRows([row]));
        assert.ok(
          close(logLikelihoods[0]!, Math.log(total), 1e-5),
          `${logLikelihoods[0]}, ${Math.log(total)}`,
        );
        if (total === 0) continue;
        // Emissions of seen positions, first states and next ones count no state that was dropped.
        const seen = new Array<number>(8).fill(0);
        let z = 0;
        for (const id of name === "dense" ? ["emission"] : ["emission/0", "emission/1", "emission/2"]) {
          const counts = statistics.get(id)!, { shape } = circuit.parameters.get(id)!;
          for (let u = 0; u < shape[0]!; u++, z++) {
            for (let i = 0; i < shape[1]!; i++) seen[z]! += counts[u * shape[1]! + i]!;
          }
        }
        if (!row.includes(null)) seen.forEach((n, z) => assert.ok(close(n, visits[z]!, 1e-5)));
        kept.forEach((stays, z) =>
          assert.ok(stays === 1 || seen[z] === 0 && weights.get("initial")![z] === 0)
        );
      }
    }
  });
}

Deno.test("a row of which nothing is left leads to the states that stay, and other parameters do not change", () => {
  const circuit = hmm({ length: 2, states: 2, symbols: 2, transition: [[1, 0], [0, 1]] });
  const values = new Map([...circuit.parameters].map(([id, parameter]) => [id, parameter.values]));
  const fewer = new StateDropout(circuit, 0.5, 0).without(values, Uint8Array.of(0, 1));
  assert.deepEqual([...fewer.keys()].sort(), ["initial", "transition"]);
  assert.deepEqual([...fewer.get("transition")!], [0, 1, 0, 1]);
});

Deno.test("states are dropped at the rate, in batches that lie evenly, and one of each block stays", () => {
  const many = blockedHmm({
    length: 1,
    symbols: 3,
    blocks: [{ states: 3000, symbols: [0] }, { states: 1, symbols: [1] }, { states: 2, symbols: [2] }],
  });
  const dropout = new StateDropout(many, 0.3, 11);
  const times = new Uint32Array(3003);
  for (let batch = 0, before: Uint8Array | undefined; batch < 20; batch++) {
    const kept = dropout.kept(2, batch), dropped = 3000 - kept.subarray(0, 3000).reduce((a, n) => a + n, 0);
    assert.ok(Math.abs(dropped - 900) < 100, `${dropped} of 3000`);
    assert.equal(kept[3000], 1);
    assert.ok(kept[3001] === 1 || kept[3002] === 1);
    kept.forEach((stays, z) => {
      if (stays === 1) return;
      times[z]!++;
      assert.ok(before?.[z] !== 0, `state ${z} is dropped twice in succession`);
    });
    before = kept;
  }
  for (const n of times.subarray(0, 3000)) assert.ok(n >= 5 && n <= 7, `${n} of 20`);
  assert.deepEqual(new StateDropout(many, 0.3, 11).kept(2, 5), dropout.kept(2, 5));
  assert.notDeepEqual(dropout.kept(3, 5), dropout.kept(2, 5));
  assert.notDeepEqual(new StateDropout(many, 0.3, 12).kept(2, 5), dropout.kept(2, 5));
  assert.ok(dropout.kept(1, 1).some((n) => n === 0));
  assert.ok(new StateDropout(many, 0, 11).kept(1, 1).every((n) => n === 1));
  assert.equal(new StateDropout(many, 1, 11).kept(1, 1).reduce((a, n) => a + n, 0), 3);
  assert.deepEqual(
    ([[0, 1], [0.1, 1], [0.38, 2], [0.39, 2], [0.61, 3], [0.62, 3]] as const).map(([rate, batches]) =>
      keepsEach(rate, batches)
    ),
    [true, false, true, false, true, false],
  );
});

const learners: [string, () => Learner, TrainingOptions][] = [
  [
    "dense, a batch an update",
    () => new ReferenceLearner(dense()),
    { epochs: 2, batchSize: 5, batchesPerUpdate: 1, step: { kind: "anemone", step: 0.3 } },
  ],
  ["dense, all batches an update", () => new ReferenceLearner(dense()), { epochs: 2, batchSize: 5 }],
  [
    "blocked, by levels",
    () => new BlockedHmmLearner(new ReferenceLearner(blockedHmm({ ...onceEach, seed: 2 })), { emission: 1 }),
    { epochs: 2, batchSize: 5 },
  ],
];
const onceEach = {
  ...BLOCKS,
  blocks: [{ states: 3, symbols: [0, 3] }, { states: 3, symbols: [1, 2] }, { states: 2, symbols: [4, 5] }],
  backoff: 1,
};

for (const [name, open, settings] of learners) {
  Deno.test(`${name}: a training that drops states goes on from any state with the same bits`, async () => {
    const circuit = open().circuit;
    const data = {
      train: sourceOf(samplesFromRows(randomBatch(circuit, 18, 1))),
      valid: sourceOf(samplesFromRows(randomBatch(circuit, 7, 3))),
    };
    const start = (options: Partial<TrainingOptions>) =>
      new EmTraining(open(), data, { ...settings, seed: 4, ...options });
    const states: Uint8Array[] = [], whole = start({ stateDropout: 0.3 });
    while (!whole.done) {
      states.push(encodeTrainingState(await whole.state()));
      await whole.step();
    }
    const end = await whole.state();
    for (const state of states) {
      const resumed = start({ stateDropout: 0.3 });
      await resumed.restore(decodeTrainingState(state));
      while (!resumed.done) await resumed.step();
      assert.deepEqual(await resumed.state(), end);
    }
    const run = async (options: Partial<TrainingOptions>) => {
      const training = start(options);
      while (!training.done) await training.step();
      return await training.state();
    };
    assert.deepEqual(await run({ stateDropout: 0 }), await run({}));
    assert.notDeepEqual(await run({ stateDropout: 0.3, seed: 5 }), end);
    // Dropped states come back: nothing that leads to them is lost. Levels leave backoffs without use.
    const values = (await whole.result()).parameters;
    for (const id of values.keys().filter((id) => !/\/\d/.test(id) || id.startsWith("emission"))) {
      const lost = values.get(id)!.values.findIndex((x, i) =>
        x === 0 && circuit.parameters.get(id)!.values[i]! > 0
      );
      assert.equal(lost, -1, `${id}[${lost}]`);
    }
  });
}

Deno.test("a mini-batch leaves the emissions of its dropped states as they were", async () => {
  const circuit = dense(), seed = 6;
  const training = new EmTraining(
    new ReferenceLearner(circuit),
    { train: sourceOf(samplesFromRows(randomBatch(circuit, 10, 1))) },
    {
      epochs: 1,
      batchSize: 5,
      batchesPerUpdate: 1,
      step: { kind: "anemone", step: 0.5 },
      stateDropout: 0.3,
      seed,
    },
  );
  await training.step();
  const kept = new StateDropout(circuit, 0.3, seed).kept(1, 0);
  assert.ok(kept.includes(0));
  const before = circuit.parameters.get("emission")!.values;
  const after: ParameterArray = (await training.result()).parameters.get("emission")!.values;
  kept.forEach((stays, z) => {
    const row = [after, before].map((values) => [...values.subarray(6 * z, 6 * z + 6)]);
    if (stays === 1) assert.notDeepEqual(row[0], row[1]);
    else assert.deepEqual(row[0], row[1]);
  });
});

Deno.test("circuits without states, shares that are none, and updates that would forget are refused", () => {
  const mixture = naiveMixture(categoricalVariables(3, 2), { components: 2 });
  assert.throws(
    () => new StateDropout(mixture, 0.1, 1),
    /product node \d+ .*is in no hidden Markov model, whose states alone can be dropped/,
  );
  const train = sourceOf(samplesFromRows(randomBatch(dense(), 6, 1)));
  const refused: [Partial<TrainingOptions>, RegExp][] = [
    [{ stateDropout: 1 }, /stateDropout is 1, expected a number from 0 and below 1/],
    [{ stateDropout: -0.1 }, /stateDropout is -0.1/],
    [
      { stateDropout: 0.1, batchSize: 6 },
      /a step `em` of 1 batch would forget the states that none of them has/,
    ],
    [{ stateDropout: 0.5 }, /a step `em` of 2 batches would forget/],
    [{ stateDropout: 0.1, batchSize: 2, batchesPerUpdate: 2 }, /a step `em` of 1 batch would forget/],
  ];
  for (const [options, message] of refused) {
    assert.throws(
      () => new EmTraining(new ReferenceLearner(dense()), { train }, { epochs: 1, batchSize: 3, ...options }),
      message,
    );
  }
});
