import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  categoricalVariables,
  type Circuit,
  CircuitBuilder,
  decodeTrainingState,
  EmTraining,
  encodeTrainingState,
  hmm,
  INERTIA,
  naiveMixture,
  perturbed,
  ReferenceEvaluator,
  ReferenceLearner,
  sample,
  samplesFromRows,
  type SampleSource,
  scoreOf,
  sourceOf,
  takeSamples,
  type TrainingOptions,
  type TrainingState,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { mixedCircuit, randomBatch } from "./learner_conformance.ts";
import { anyCircuit, close } from "./truth.ts";

async function train(
  circuit: Circuit,
  data: { train: SampleSource; valid?: SampleSource },
  options: TrainingOptions,
) {
  const training = new EmTraining(new ReferenceLearner(circuit), data, options);
  const reports = await Array.fromAsync(training);
  return { circuit: await training.result(), reports, training };
}

/** Bernoulli variables without dependence, one unit each, so that their maximum is known in closed form. */
function independent(variables: number, tied = false): Circuit {
  const b = new CircuitBuilder({ seed: 1 });
  const leaves = Array.from({ length: variables }, (_, v) => {
    const variable = b.categorical(`x${v}`, 2);
    return b.input({
      variable,
      family: "bernoulli",
      units: 1,
      ...(tied && v > 0 ? { parameter: "p0" } : { id: `p${v}` }),
    });
  });
  return b.build(b.product(leaves));
}

Deno.test("full-batch EM never lowers the likelihood: random circuits, weights, missing values", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(), fc.nat(1000), async (random, seed) => {
      for (const circuit of [random, mixedCircuit()]) {
        const rows = randomBatch(circuit, 14, seed);
        const weights = rows.map((_, s) => 0.5 + (s * 7 + seed) % 4);
        const source = sourceOf(samplesFromRows(rows), weights);
        // Scores are of the parameters before each update, so six epochs show five updates.
        const { reports } = await train(circuit, { train: source }, { epochs: 6, batchSize: 5 });
        assert.equal(reports.length, 6);
        reports.slice(1).forEach(({ train: after }, i) => {
          const before = reports[i]!.train!;
          assert.equal(after!.impossible, before.impossible);
          const slack = 1e-5 * Math.max(1, Math.abs(before.logLikelihood));
          assert.ok(
            before.logLikelihood === -Infinity || after!.logLikelihood >= before.logLikelihood - slack,
          );
        });
      }
    }),
    { numRuns: 15 },
  );
});

Deno.test("a known HMM is recovered from its samples", async () => {
  const truth = hmm({
    length: 8,
    states: 2,
    symbols: 3,
    initial: [0.7, 0.3],
    transition: [0.85, 0.15, 0.3, 0.7],
    emission: [0.8, 0.15, 0.05, 0.05, 0.15, 0.8],
  });
  const drawn = await sample(new ReferenceEvaluator(truth), 900, { seed: 11 });
  const rows = Array.from({ length: 900 }, (_, s) => s);
  const data = sourceOf(takeSamples(drawn, rows.slice(0, 800))),
    valid = sourceOf(takeSamples(drawn, rows.slice(800)));
  const start = hmm({ length: 8, states: 2, symbols: 3, seed: 4 });
  const { circuit } = await train(start, { train: data }, {
    epochs: 150,
    batchSize: 400,
    patience: 1,
    tolerance: 1e-5,
  });
  const values = (id: string) => [...circuit.parameters.get(id)!.values];
  // States have no names of their own: put the one that likes symbol 0 first.
  const swap = values("emission")[0]! < values("emission")[3]!;
  const e = values("emission"), t = values("transition");
  const emission = swap ? [...e.slice(3), ...e.slice(0, 3)] : e;
  const transition = swap ? [t[3]!, t[2]!, t[1]!, t[0]!] : t;
  const near = (got: number[], wanted: number[], slack: number) =>
    got.forEach((x, i) => assert.ok(Math.abs(x - wanted[i]!) < slack, `${got} is not ${wanted}`));
  near(emission, [0.8, 0.15, 0.05, 0.05, 0.15, 0.8], 0.04);
  near(transition, [0.85, 0.15, 0.3, 0.7], 0.06);
  // What was learned fits the samples better than the truth does, and new ones nearly as well.
  const trueScore = await scoreOf(new ReferenceEvaluator(truth), data, 400);
  const learned = await scoreOf(new ReferenceEvaluator(circuit), data, 400);
  assert.ok(learned.logLikelihood > trueScore.logLikelihood);
  const unseen = await Promise.all(
    [circuit, truth].map((one) => scoreOf(new ReferenceEvaluator(one), valid, 400)),
  );
  assert.ok(unseen[0]!.logLikelihood > unseen[1]!.logLikelihood - 0.05);
});

Deno.test("tied parameters learn from all their uses; missing values are not asked", async () => {
  const rows = [[1, 1, 0], [1, null, 0], [0, 1, null], [1, null, null]];
  const untied = await train(independent(3), { train: sourceOf(samplesFromRows(rows)) }, {
    epochs: 2,
    batchSize: 3,
  });
  const p = (circuit: Circuit, id: string) => circuit.parameters.get(id)!.values[1]!;
  assert.ok(
    close(p(untied.circuit, "p0"), 3 / 4) && close(p(untied.circuit, "p1"), 1) &&
      p(untied.circuit, "p2") === 0,
  );
  const tied = await train(independent(3, true), { train: sourceOf(samplesFromRows(rows)) }, {
    epochs: 2,
    batchSize: 3,
  });
  assert.equal(tied.circuit.parameters.size, 1);
  assert.ok(close(p(tied.circuit, "p0"), 5 / 8), `${p(tied.circuit, "p0")}`);
});

Deno.test("a weight counts a sample so often; a source is read by index", async () => {
  const rows = randomBatch(mixedCircuit(), 6, 3), weights = [1, 2, 0, 3, 1, 1];
  const repeated = rows.flatMap((row, s) => new Array<typeof row>(weights[s]!).fill(row));
  const samples = samplesFromRows(rows), asked: number[][] = [];
  const lazy: SampleSource = {
    count: 6,
    weights,
    read(indices) {
      asked.push([...indices]);
      return Promise.resolve(takeSamples(samples, indices));
    },
  };
  const options = { epochs: 3, batchSize: 4 };
  const weighted = await train(mixedCircuit(), { train: lazy }, options);
  const again = await train(mixedCircuit(), { train: sourceOf(samplesFromRows(repeated)) }, options);
  assert.deepEqual(asked, [[0, 1, 2], [3, 4, 5], [0, 1, 2], [3, 4, 5], [0, 1, 2], [3, 4, 5]]);
  for (const [id, { values }] of weighted.circuit.parameters) {
    values.forEach((x, i) => assert.ok(close(x, again.circuit.parameters.get(id)!.values[i]!, 1e-5)));
  }
  assert.ok(close(weighted.reports[0]!.train!.logLikelihood, again.reports[0]!.train!.logLikelihood));
});

const everything: TrainingOptions = {
  epochs: 3,
  batchSize: 4,
  batchesPerUpdate: 2,
  step: { kind: "inertia", inertia: INERTIA },
  smoothing: {
    sums: { pseudocount: 1 },
    parameters: { colours: { base: Float32Array.of(0.5, 0.3, 0.2), mix: 0.1 } },
  },
  seed: 9,
  dropout: 0.2,
};

for (const step of [everything.step!, { kind: "anemone", step: 0.3 } as const]) {
  Deno.test(`${step.kind}: a training resumed at any step ends with the same bits`, async () => {
    const circuit = mixedCircuit(), options = { ...everything, step };
    const data = {
      train: sourceOf(
        samplesFromRows(randomBatch(circuit, 18, 1)),
        randomBatch(circuit, 18, 2).map((_, s) => 0.5 + s),
      ),
      valid: sourceOf(samplesFromRows(randomBatch(circuit, 7, 3))),
    };
    const states: Uint8Array[] = [];
    const training = new EmTraining(new ReferenceLearner(circuit), data, options);
    const bytes = async (one: EmTraining) => encodeTrainingState(await one.state());
    while (!training.done) {
      states.push(await bytes(training));
      await training.step();
    }
    const end = await training.state(), result = await training.result();
    assert.equal(
      states.length,
      1 + 3 * (5 + 1),
      "a step to score the start, five batches and a score an epoch",
    );
    for (const state of states) {
      // Another process: nothing is left but the bytes.
      const resumed = new EmTraining(new ReferenceLearner(circuit), data, options);
      await resumed.restore(decodeTrainingState(state));
      while (!resumed.done) await resumed.step();
      assert.deepEqual(await resumed.state(), end);
      const other = await resumed.result();
      for (const [id, { values }] of result.parameters) {
        assert.deepEqual(other.parameters.get(id)!.values, values);
      }
    }
    await assert.rejects(training.step(), /the training is over/i);
    assert.throws(() => decodeTrainingState(states[0]!.subarray(0, 40)), /training state/);
  });
}

Deno.test("the best epoch on validation is kept, and patience ends the training", async () => {
  // One unit a training sample is room enough to learn them by heart.
  const variables = categoricalVariables(8, 2);
  const rows = randomBatch(naiveMixture(variables, { components: 1 }), 60, 5).map((row) =>
    row.map((x) => x ?? 1)
  );
  const data = {
    train: sourceOf(samplesFromRows(rows.slice(0, 20))),
    valid: sourceOf(samplesFromRows(rows.slice(20))),
  };
  const options = { epochs: 100, batchSize: 20, patience: 3, smoothing: { leaves: { pseudocount: 0.5 } } };
  const { circuit, reports, training } = await train(
    naiveMixture(variables, { components: 12, seed: 2 }),
    data,
    options,
  );
  assert.ok(reports.length < 101, `${reports.length} reports`);
  const best = reports.reduce((a, b) => b.valid!.logLikelihood > a.valid!.logLikelihood ? b : a);
  assert.equal(reports.at(-1)!.epoch, best.epoch + 3);
  assert.equal(training.progress.best!.epoch, best.epoch);
  assert.equal(reports[0]!.train, undefined);
  const kept = await scoreOf(new ReferenceEvaluator(circuit), data.valid, 7);
  assert.ok(close(kept.logLikelihood, best.valid!.logLikelihood, 1e-9));
  assert.ok(close(kept.bitsPerVariable, -kept.logLikelihood / Math.LN2 / 8));
});

Deno.test("impossible samples are counted, reported and left out, in training and validation", async () => {
  const b = new CircuitBuilder();
  const leaves = ["x", "y"].map((x) =>
    b.input({ variable: b.categorical(x, 3), family: "categorical", units: 1, parameter: [0.5, 0.5, 0] })
  );
  const circuit = b.build(b.product(leaves));
  const source = sourceOf(samplesFromRows([[0, 0], [2, 0], [1, 0], [1, null]]));
  const { reports } = await train(circuit, { train: source, valid: source }, { epochs: 2, batchSize: 2 });
  for (const { train, valid } of reports.slice(1)) {
    assert.equal(train!.impossible, 1);
    assert.deepEqual([valid!.impossible, valid!.samples], [1, 4]);
    assert.ok(Number.isFinite(train!.logLikelihood) && Number.isFinite(valid!.logLikelihood));
  }
  // All of them impossible: nothing is learned and nothing is fatal.
  const none = await train(circuit, { train: sourceOf(samplesFromRows([[2, 2]])) }, {
    epochs: 1,
    batchSize: 1,
  });
  assert.equal(none.reports[0]!.train!.logLikelihood, -Infinity);
  assert.deepEqual(none.circuit.parameters, circuit.parameters);
  const state: TrainingState = await none.training.state();
  assert.deepEqual(decodeTrainingState(encodeTrainingState(state)).progress, state.progress);
});

Deno.test("mini-batches learn, by inertia and by anemone, also with values dropped", async () => {
  const truth = naiveMixture(categoricalVariables(6, 3), { components: 3, seed: 8 });
  const sharp = perturbed(truth, { amount: 4, seed: 1 });
  const drawn = await sample(new ReferenceEvaluator(sharp), 400, { seed: 2 });
  const source = sourceOf(drawn),
    start = naiveMixture(categoricalVariables(6, 3), { components: 3, seed: 3 });
  const score = async (circuit: Circuit) =>
    (await scoreOf(new ReferenceEvaluator(circuit), source, 100)).logLikelihood;
  const reached = await score(
    (await train(start, { train: source }, { epochs: 40, batchSize: 400 })).circuit,
  );
  for (
    const [step, dropout] of [
      [{ kind: "inertia", inertia: { points: [[0, 0.7], [1, 0.98]] } }, 0],
      [{ kind: "anemone", step: { points: [[0, 0.5], [1, 0.05]] } }, 0],
      [{ kind: "anemone", step: { points: [[0, 0.5], [1, 0.05]] } }, 0.25],
    ] as const
  ) {
    const { circuit } = await train(start, { train: source }, {
      epochs: 20,
      batchSize: 40,
      batchesPerUpdate: 1,
      step,
      dropout,
      smoothing: { sums: { pseudocount: 0.1 }, leaves: { pseudocount: 0.1 } },
    });
    const got = await score(circuit);
    assert.ok(
      got > reached - 0.05 && got > await score(start) + 0.3,
      `${step.kind} reached ${got}, full EM ${reached}`,
    );
  }
});

Deno.test("pseudocounts are for all samples, however they are cut into updates", async () => {
  // With one unit a variable, EM is done in one update: the counts and the pseudocount.
  const rows = randomBatch(independent(2), 12, 1).map((row) => row.map((x) => x ?? 0));
  const smoothing = { leaves: { pseudocount: 4 } };
  const { circuit } = await train(independent(2), { train: sourceOf(samplesFromRows(rows)) }, {
    epochs: 1,
    batchSize: 5,
    smoothing,
  });
  const ones = rows.reduce((total, row) => total + row[0]!, 0);
  assert.ok(close(circuit.parameters.get("p0")!.values[1]!, (ones + 2) / 16));
  // A mini-batch of a third gets a third of the pseudocount.
  const part = await train(independent(2), { train: sourceOf(samplesFromRows(rows)) }, {
    epochs: 1,
    batchSize: 4,
    batchesPerUpdate: 1,
    shuffle: false,
    smoothing,
  });
  const last = rows.slice(8).reduce((total, row) => total + row[0]!, 0);
  assert.ok(close(part.circuit.parameters.get("p0")!.values[1]!, (last + 2 / 3) / (4 + 4 / 3)));
});

Deno.test("options that make no sense are refused by name", () => {
  const source = sourceOf(samplesFromRows([[0, 1]])), learner = new ReferenceLearner(independent(2));
  const refused: [Partial<TrainingOptions>, RegExp][] = [
    [{ epochs: 1.5 }, /epochs is 1.5/],
    [{ batchSize: 0 }, /batchSize is 0/],
    [{ dropout: 1 }, /dropout is 1/],
    [{ batchesPerUpdate: 0 }, /batchesPerUpdate is 0/],
    [
      { step: { kind: "inertia", inertia: { points: [[0.5, 0.9], [0.2, 0.9]] } } },
      /point 1 of the schedule of inertia/,
    ],
    [{ step: { kind: "anemone", step: 2 } }, /schedule of step has the value 2/],
    [{ step: { kind: "anemone", step: { from: 0.1, to: 0.5 } } }, /falls from 0.1 to 0.5/],
    [{ step: { kind: "anemone", step: { from: 1, to: 0 } } }, /falls from 1 to 0/],
    [
      { step: { kind: "anemone", step: { from: 1, to: 0.5, factor: 1 } } },
      /factor by which the step falls is 1/,
    ],
    [{ smoothing: { parameters: { nothing: { frozen: true } } } }, /no parameter `nothing`/],
  ];
  for (const [options, message] of refused) {
    assert.throws(
      () => new EmTraining(learner, { train: source }, { epochs: 1, batchSize: 1, ...options }),
      message,
    );
  }
  assert.throws(
    () => new EmTraining(learner, { train: sourceOf(samplesFromRows([])) }, { epochs: 1, batchSize: 1 }),
    /no training samples/,
  );
  assert.throws(() => sourceOf(samplesFromRows([[0, 1]]), [1, 2]), /1 samples got 2 weights/);
});

Deno.test("parameters that are no numbers end a training with the level and the parameter", async () => {
  const circuit = hmm({ length: 3, states: 2, symbols: 3 });
  const rows = samplesFromRows([[0, 1, 2], [2, 1, 0]]);
  for (const [id, level] of [["emission", 0], ["transition", 1]] as const) {
    const learner = new ReferenceLearner(circuit);
    const training = new EmTraining(learner, { train: sourceOf(rows), valid: sourceOf(rows) }, {
      epochs: 3,
      batchSize: 2,
    });
    for (let report = await training.step(); report?.epoch !== 1;) report = await training.step();
    // As a device would that lost its way: from outside NaN is refused.
    const state = await learner.state();
    state.get(`parameters/${id}`)!.values[1] = NaN;
    await learner.restore(state);
    await assert.rejects(async () => {
      while (!training.done) await training.step();
      await training.result();
    }, (error: Error & { hint?: string }) => {
      assert.match(error.message, new RegExp(`of parameter \`${id}\` at level ${level} \\(.*NaN`));
      assert.match(error.hint!, /deno task doctor/);
      return true;
    });
  }
});
