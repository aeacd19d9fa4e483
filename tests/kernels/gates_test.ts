import assert from "node:assert/strict";
import {
  blockedHmm,
  type Circuit,
  conditional,
  entropy,
  fit,
  hmm,
  type Learner,
  maxProduct,
  ReferenceEvaluator,
  ReferenceLearner,
  sample,
  sampleMissing,
  samplesFromRows,
  unobserved,
  type UpdateRule,
  withParameters,
} from "../../circuits/mod.ts";
import { GateEngine } from "../../kernels/gates/engine.ts";
import { openGatesHere } from "../../kernels/gates/here.ts";
import { openGates } from "../../kernels/gates/open.ts";
import { hasGates, whyNotGated } from "../../kernels/gates/layout.ts";
import { openEngine } from "../../kernels/open.ts";
import { randomBatch } from "../circuits/learner_conformance.ts";
import { randomCircuit } from "../circuits/truth.ts";
import { hardCases, plainCircuits } from "./engine_cases.ts";
import { compareWithReference } from "./engine_suite.ts";

/** Blocks of unequal size, symbols in two of them, pairs that may not follow each other. */
function blocked(length: number, seed: number, backoff = 2): Circuit {
  return blockedHmm({
    length,
    symbols: 9,
    blocks: [
      { states: 5, symbols: [0, 1, 2] },
      { states: 1, symbols: [3] },
      { states: 8, symbols: [2, 4, 5, 6] },
      { states: 3, symbols: [7, 8] },
    ],
    follows: [[0, 1, 2], [2, 3], [0, 3], [1]],
    backoff,
    seed,
  });
}

async function using(
  circuit: Circuit,
  threads: number,
  body: (engine: GateEngine) => Promise<void>,
  memory?: number,
) {
  const options = memory === undefined ? {} : { memory };
  // No threads: on this one, with the module that pages load.
  await using engine = threads === 0
    ? await openGatesHere(circuit, options)
    : await openGates(circuit, { threads, ...options });
  await body(engine);
}

const cases = [
  {
    title: "a blocked HMM",
    circuit: blocked(7, 1),
    samples: samplesFromRows(randomBatch(blocked(7, 1), 40, 2)),
  },
  {
    title: "a blocked HMM without backoff, of which many samples are impossible",
    circuit: blocked(6, 3, 0),
    samples: samplesFromRows(randomBatch(blocked(6, 3, 0), 40, 4)),
  },
  {
    title: "a hidden Markov model with a matrix that is used more often than is counted at once",
    circuit: hmm({ length: 10, states: 5, symbols: 6, seed: 5 }),
    samples: samplesFromRows(randomBatch(hmm({ length: 10, states: 5, symbols: 6 }), 40, 5)),
  },
  ...[...plainCircuits(), ...hardCases()].filter(({ circuit }) => whyNotGated(circuit) === undefined),
];

for (const { title, circuit, samples } of cases) {
  Deno.test(`gates: ${title}`, () =>
    using(circuit, 1, (engine) => compareWithReference(engine, samples, title, 0, true)));
}

Deno.test("gates: random circuits with missing values, on two threads and on this one, in little memory", async () => {
  let tried = 0;
  for (let seed = 0; seed < 60 && tried < 6; seed++) {
    const circuit = randomCircuit(seed * 7 + 1, 5);
    if (whyNotGated(circuit) !== undefined) continue;
    tried++;
    const samples = samplesFromRows(randomBatch(circuit, 23, seed));
    for (const threads of [2, 0]) {
      await using(
        circuit,
        threads,
        (engine) => compareWithReference(engine, samples, `circuit ${seed}`, 0, true),
        4000,
      );
    }
  }
  assert.ok(tried >= 3, `${tried} of the random circuits can be computed by gates`);
});

Deno.test("gates: where float64 would lose something, results are exact", async () => {
  const circuit = blocked(5, 1),
    values = new Map([...circuit.parameters].map(([id, { values }]) => [id, values.slice()]));
  // From 1 to the least that float32 holds, so that what one step rules out the next asks for.
  for (const row of [0, 1, 2, 3, 4]) {
    const own = values.get("transition/0")!, width = own.length / 5;
    own.fill(1e-40, row * width, (row + 1) * width);
    own[row * width + row] = 1;
  }
  const odd = withParameters(circuit, values);
  const samples = samplesFromRows(randomBatch(odd, 30, 7));
  await using(odd, 2, (engine) => compareWithReference(engine, samples, "odd", 0, true));
});

Deno.test("gates: queries of a blocked HMM are those of the reference", async () => {
  const circuit = blocked(6, 5), reference = new ReferenceEvaluator(circuit);
  const gaps = samplesFromRows([[0, null, null, 3, 7, 8], [null, 2, 2, null, null, null], [
    4,
    5,
    null,
    null,
    0,
    1,
  ]]);
  await using(circuit, 2, async (engine) => {
    const [got, wanted] = [
      await conditional(engine, gaps, [1, 4]),
      await conditional(reference, gaps, [1, 4]),
    ];
    for (const v of [1, 4]) got.get(v)!.forEach((p, i) => assert.ok(Math.abs(p - wanted.get(v)![i]!) < 1e-9));
    const unsure = await entropy(reference, gaps, 2);
    (await entropy(engine, gaps, 2)).forEach((x, s) => assert.ok(Math.abs(x - unsure[s]!) < 1e-8));
    for (const query of [sample, sampleMissing]) {
      const drawn = query === sample
        ? [await sample(engine, 50, { seed: 3 }), await sample(reference, 50, { seed: 3 })]
        : [
          await sampleMissing(engine, gaps, { seed: 3, draws: 9 }),
          await sampleMissing(reference, gaps, { seed: 3, draws: 9 }),
        ];
      assert.deepEqual(drawn[0]!.values, drawn[1]!.values);
    }
    assert.deepEqual(
      (await maxProduct(engine, gaps)).samples.values,
      (await maxProduct(reference, gaps)).samples.values,
    );
    assert.deepEqual([...await engine.logLikelihoods(unobserved(2, 6))].map((log) => Math.abs(log) < 1e-6), [
      true,
      true,
    ]);
  });
});

async function sameValues(engine: Learner, reference: Learner): Promise<void> {
  const [got, wanted] = [await engine.parameters(), await reference.parameters()];
  for (const [id, values] of wanted) {
    values.forEach((p, i) =>
      assert.ok(Math.abs(p - got.get(id)![i]!) < 1e-5, `${id}[${i}]: ${got.get(id)![i]}, not ${p}`)
    );
  }
}

const rules: Record<string, UpdateRule> = {
  "EM with smoothing": {
    step: { kind: "em" },
    sums: { pseudocount: 0.5 },
    parameters: {
      "emission/0": { pseudocount: 2, base: [0.5, 0.25, 0.25] },
      "transition/1": { pseudocount: 3, base: [...new Array<number>(12).fill(0), 0.25, 0.75].slice(-13) },
      "backoff/2": { frozen: true },
    },
  },
  "inertia": { step: { kind: "inertia", inertia: 0.25 }, leaves: { pseudocount: 1 } },
  "anemone": { step: { kind: "anemone", step: 0.5 } },
};

for (const [name, rule] of Object.entries(rules)) {
  Deno.test(`gates: learning by ${name} is that of the reference, and goes on from a state to the bit`, async () => {
    const circuit = blocked(5, 6), data = samplesFromRows(randomBatch(blocked(5, 6), 60, 1));
    const reference = new ReferenceLearner(circuit);
    const weights = Array.from({ length: 60 }, (_, s) => s % 3);
    await using(circuit, 2, async (engine) => {
      for (const learner of [engine, reference]) {
        for (let step = 0; step < 3; step++) {
          await learner.accumulate(data, weights);
          await learner.update(rule);
        }
        await learner.accumulate(data);
      }
      await sameValues(engine, reference);
      const state = await engine.state();
      await using(circuit, 2, async (other) => {
        await other.restore(state);
        for (const learner of [engine, other]) {
          await learner.update(rule);
          await learner.accumulate(data);
          await learner.update(rule);
        }
        assert.deepEqual(await other.parameters(), await engine.parameters());
        await assert.rejects(other.restore(new Map()), /the state is of another circuit/);
      });
    });
  });
}

Deno.test("gates: batches without some states give the parameters of the reference without the same", async () => {
  const circuit = blocked(5, 6), samples = samplesFromRows(randomBatch(circuit, 60, 1));
  const settings = { batchesPerUpdate: "epoch", step: { kind: "em" }, epochs: 2, stateDropout: 0.3 } as const;
  const reference = new ReferenceLearner(circuit);
  await using(circuit, 2, async (engine) => {
    for (const learner of [engine, reference]) await fit(learner, samples, { ...settings, batchSize: 20 });
    await sameValues(engine, reference);
  });
});

Deno.test("gates: the engine cpu takes them where evidence shuts something, and auto the engine cpu", async () => {
  assert.ok(hasGates(blocked(3, 1)));
  assert.equal(whyNotGated(blocked(3, 1)), undefined);
  for (const engine of ["cpu", "auto"] as const) {
    await using opened = await openEngine(blocked(3, 1), { engine, threads: 1 });
    assert.ok(opened instanceof GateEngine);
    assert.equal(opened.adapter, "WebAssembly, 1 thread");
  }
});
