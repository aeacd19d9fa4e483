import assert from "node:assert/strict";
import {
  blockedHmm,
  BlockedHmmCounts,
  BlockedHmmLearner,
  blockedHmmOptions,
  type Circuit,
  decodeCircuit,
  EmTraining,
  encodeCircuit,
  hmm,
  type Learner,
  ReferenceLearner,
  samplesFromRows,
  sourceOf,
  withParameters,
} from "../../circuits/mod.ts";

/** Three blocks; the first may not follow itself, so that its backoff is used. */
const options = {
  length: 3,
  symbols: 5,
  blocks: [{ states: 2, symbols: [0, 3] }, { states: 2, symbols: [1, 2] }, { states: 1, symbols: [4] }],
  follows: [[1, 2], [0, 1, 2], [0, 2]],
  backoff: 1,
} as const;
const ROWS = [[0, 1, 2], [3, 4, 0], [1, 1, 0], [2, 3, 4], [4, 4, 1], [0, 0, 2], [2, 1, 3], [1, 2, 2]];
const NONE = { initial: 0, transition: 0, within: 0, between: 0, discount: 0, emission: 0 };
const EM = { step: { kind: "em" } } as const;

/** A counted model, whose backoff is for blocks that may not follow alone, with emissions and transitions that are not even. */
function counted(): Circuit {
  const counts = new BlockedHmmCounts(options);
  counts.add(ROWS.flat(), ROWS.flat().map((symbol, i) => symbol === 4 ? 0 : i * i % 3 % 2), 3);
  return counts.circuit({ transition: 1, within: 1, between: 1, emission: 1 });
}

async function updated(learner: Learner, rows: (number | null)[][]) {
  await learner.accumulate(samplesFromRows(rows));
  await learner.update(EM);
  return await learner.parameters();
}

function close(got: ReadonlyMap<string, ArrayLike<number>>, wanted: ReadonlyMap<string, ArrayLike<number>>) {
  assert.deepEqual([...got.keys()].sort(), [...wanted.keys()].sort());
  for (const [id, values] of got) {
    Array.from(values).forEach((x, i) => {
      const y = wanted.get(id)![i]!;
      assert.ok(Math.abs(x - y) < 1e-6, `${id} ${i}: ${x}, expected ${y}`);
    });
  }
}

/** A circuit as a file gives it back. */
function decoded(circuit: Circuit): Circuit {
  const { structure, parameters } = encodeCircuit(circuit);
  return decodeCircuit(structure, parameters);
}

Deno.test("without virtual samples the M-step by levels is that of EM", async () => {
  // All that follows may follow, so that no backoff is used, which levels make of what never follows.
  const rows = ROWS.filter((row) => !["0,0,2", "4,4,1"].includes(row.join()));
  const own = await updated(new BlockedHmmLearner(new ReferenceLearner(counted()), NONE), rows);
  const wanted = new Map(await updated(new ReferenceLearner(counted()), rows)), got = new Map(own);
  for (const b of options.blocks.keys()) for (const map of [wanted, got]) map.delete(`backoff/${b}`);
  close(got, wanted);
});

Deno.test("where symbols tell the states, expected counts are counts, and smoothed alike", async () => {
  const start = withParameters(
    counted(),
    new Map([
      ["emission/0", Float32Array.of(1, 0, 0, 1)],
      ["emission/1", Float32Array.of(0, 1, 1, 0)],
    ]),
  );
  const states = new Map([[0, 0], [3, 1], [1, 1], [2, 0], [4, 0]]);
  const smoothing = { initial: 2, transition: 3, within: 0.5, between: 0.7, discount: 0.4, emission: 1.5 };
  const counts = new BlockedHmmCounts(options);
  counts.add(ROWS.flat(), ROWS.flat().map((symbol) => states.get(symbol)!), 3);
  const wanted = counts.circuit(smoothing).parameters;
  const got = await updated(new BlockedHmmLearner(new ReferenceLearner(start), smoothing), ROWS);
  close(got, new Map([...wanted].map(([id, { values }]) => [id, values])));
});

Deno.test("transitions through a backoff count once, for the state that they come from", async () => {
  const start = blockedHmm({ ...options, seed: 7 });
  const got = await updated(new BlockedHmmLearner(new ReferenceLearner(start), NONE), [[1, 2, 1], [1, 1, 2]]);
  // Each is followed by its own block, directly or by the backoff, and by nothing else.
  const rows = got.get("transition/1")!;
  for (const u of [0, 1]) {
    const own = rows.subarray(u * 6, (u + 1) * 6);
    assert.ok(Math.abs(own[2]! + own[3]! - 1) < 1e-6, `${own}`);
  }
});

Deno.test("training by levels goes on from a state with the same numbers, and warns of nothing", async () => {
  const data = { train: sourceOf(samplesFromRows(ROWS)), valid: sourceOf(samplesFromRows(ROWS.slice(2, 6))) };
  const settings = { epochs: 3, batchSize: 3 };
  const open = () => new BlockedHmmLearner(new ReferenceLearner(blockedHmm({ ...options, seed: 2 })));
  const whole = new EmTraining(open(), data, settings);
  for await (const { warnings } of whole) assert.equal(warnings, undefined);
  const begun = new EmTraining(open(), data, settings);
  for (let i = 0; i < 6; i++) await begun.step();
  const resumed = new EmTraining(open(), data, settings);
  await resumed.restore(await begun.state());
  while (!resumed.done) await resumed.step();
  assert.deepEqual((await resumed.result()).parameters, (await whole.result()).parameters);
  assert.deepEqual(resumed.progress.reports, whole.progress.reports);
});

Deno.test("frozen parameters stay, and other steps and circuits are refused", async () => {
  const start = counted(), learner = new BlockedHmmLearner(new ReferenceLearner(start));
  await learner.accumulate(samplesFromRows(ROWS));
  await assert.rejects(
    learner.update({ step: { kind: "anemone", step: 0.5 } }),
    /the step is `anemone`, expected `em`/,
  );
  await learner.update({ ...EM, parameters: { "emission/0": { frozen: true } } });
  const values = await learner.parameters();
  assert.deepEqual(values.get("emission/0"), start.parameters.get("emission/0")!.values);
  assert.notDeepEqual(values.get("emission/1"), start.parameters.get("emission/1")!.values);
  assert.throws(
    () => new BlockedHmmLearner(new ReferenceLearner(start), { within: -1 }),
    /within is -1, expected a number from 0/,
  );
  assert.throws(
    () => new BlockedHmmLearner(new ReferenceLearner(hmm({ length: 3, states: 2, symbols: 2 }))),
    /the circuit is no blocked hidden Markov model/,
  );
});

Deno.test("a blocked HMM tells the options that it was made with", () => {
  for (const backoff of [0, 1, 2]) {
    const { length, symbols, blocks, follows } = options;
    const circuit = blockedHmm({ length, symbols, blocks, follows, backoff, seed: 1 });
    for (const same of [circuit, decoded(circuit)]) {
      assert.deepEqual(blockedHmmOptions(same), { length, symbols, blocks, follows, backoff });
    }
  }
  const of = (circuit: Circuit) => () => blockedHmmOptions(circuit);
  const circuit = blockedHmm({ ...options, seed: 1 });
  assert.throws(of(hmm({ length: 2, states: 2, symbols: 3 })), /no blocked hidden Markov model/);
  const renamed = circuit.nodes.map((node) =>
    node.kind === "sum" && node.parameter === "transition/0" ? { ...node, parameter: "transition/1" } : node
  );
  assert.throws(of({ ...circuit, nodes: renamed }), /no blocked hidden Markov model/);
});
