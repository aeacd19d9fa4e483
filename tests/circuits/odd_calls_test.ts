/** What is refused, or taken in several forms, beyond numbers that make no sense. */
import assert from "node:assert/strict";
import * as circuits from "../../circuits/mod.ts";
import {
  CircuitBuilder,
  CircuitError,
  EmTraining,
  encodeCircuit,
  expectedStatistics,
  hmm,
  loadCircuit,
  ReferenceEvaluator,
  ReferenceLearner,
  replaceValues,
  sample,
  samplesFromRows,
  saveCircuit,
  scoreOf,
  sourceOf,
  withParameters,
} from "../../circuits/mod.ts";

const model = hmm({ length: 3, states: 2, symbols: 3, seed: 1 });
const reference = new ReferenceEvaluator(model), rows = samplesFromRows([[0, 1, 2], [2, null, 0]]);
const learner = () => new ReferenceLearner(model);
const training = { epochs: 1, batchSize: 2 };
const train = (options: object, weights?: number[]) =>
  new EmTraining(learner(), { train: sourceOf(rows, weights) }, { ...training, ...options });

Deno.test("parameters that make no distribution are not taken, and not saved", async () => {
  const broken = replaceValues(model, new Map([["transition", Float32Array.of(0.5, 0.5, NaN, 1)]]));
  const folder = await Deno.makeTempDir();
  try {
    assert.throws(
      () => encodeCircuit(broken),
      /parameter `transition` of sum node \d+ `z2`: row 1, entry 0 is NaN/,
    );
    await assert.rejects(saveCircuit(`${folder}/model`, broken), CircuitError);
    await assert.rejects(Deno.stat(`${folder}/model`), Deno.errors.NotFound);
    for (const values of [[0.5, 0.5, 0.4, 0.5], [[0.5, 0.5], [0.4, 0.5]]]) {
      assert.throws(
        () => withParameters(model, new Map([["transition", values]])),
        /parameter `transition` .*row 1 sums to 0.9/,
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a circuit is loaded from its folder, and the file in it says so", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await saveCircuit(`${folder}/model`, model);
    for (const file of ["circuit.json", "parameters.safetensors"]) {
      await assert.rejects(loadCircuit(`${folder}/model/${file}`), (error: CircuitError) => {
        assert.ok(error instanceof CircuitError);
        assert.match(error.message, /is a file; a circuit is a folder/);
        assert.match(error.hint!, /Give the folder that holds it: .*\/model$/);
        return true;
      });
    }
    const path = `${folder}/model/circuit.json`, text = await Deno.readTextFile(path);
    for (const version of [0, -1, 1.5]) {
      await Deno.writeTextFile(path, text.replace(/"version":\d+/, `"version":${version}`));
      await assert.rejects(loadCircuit(`${folder}/model`), /version/);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("samples that all weigh nothing are refused, not trained on", async () => {
  const nothing = sourceOf(rows, [0, 0]);
  assert.throws(() => train({}, [0, 0]), /weights of all 2 training samples are 0/);
  assert.throws(
    () => new EmTraining(learner(), { train: sourceOf(rows), valid: nothing }, training),
    /weights of all 2 validation samples are 0/,
  );
  await assert.rejects(scoreOf(reference, nothing, 2), /weights of all 2 scored samples are 0/);
  // A group of which that is so is one without samples.
  const groups = circuits.trainGroups(learner(), [model, model], {
    train: sourceOf(rows, [1, 0]),
    groups: [0, 1],
  }, training);
  const samples = [];
  for await (const group of groups) samples.push(group.samples);
  assert.deepEqual(samples, [1, 0]);
});

Deno.test("a weight short or odd is refused by statistics, whatever the evaluator", async () => {
  await assert.rejects(expectedStatistics(reference, rows, [1]), /2 samples got 1 weights/);
  await assert.rejects(reference.flows(rows, [1]), /2 samples got 1 weights/);
  await assert.rejects(expectedStatistics(reference, rows, [1, -1]), /weight of sample 1 is -1/);
});

Deno.test("a state of a training that is none is refused", async () => {
  const training = train({});
  const state = await training.state();
  for (const odd of [{}, { ...state.progress, epoch: NaN }, { ...state.progress, batch: -1 }]) {
    const given = { ...state, progress: odd as typeof state.progress };
    await assert.rejects(train({}).restore(given), CircuitError);
  }
  const bytes = circuits.encodeSafetensors(new Map(), { format: "retort-training", progress: "{" });
  assert.throws(() => circuits.decodeTrainingState(bytes), /progress is not JSON/);
});

Deno.test("sampling has a default for all that is not given", async () => {
  assert.deepEqual(await sample(reference, 2), await sample(reference, 2, { seed: 0 }));
  assert.equal((await sample(reference, 0)).count, 0);
  assert.deepEqual(
    await circuits.sampleMissing(reference, rows),
    await circuits.sampleMissing(reference, rows, { seed: 0, draws: 1 }),
  );
});

Deno.test("weights are taken flat or as lists of lists, wherever they are given", () => {
  const flat = hmm({
    length: 2,
    states: 2,
    symbols: 3,
    initial: [0.3, 0.7],
    transition: [0.9, 0.1, 0.2, 0.8],
    emission: [0.2, 0.3, 0.5, 0.6, 0.3, 0.1],
  });
  const nested = hmm({
    length: 2,
    states: 2,
    symbols: 3,
    initial: [[0.3, 0.7]],
    transition: [[0.9, 0.1], [0.2, 0.8]],
    emission: [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]],
  });
  assert.deepEqual(nested, flat);
  const b = new CircuitBuilder();
  const leaf = b.input({
    variable: b.categorical("x", 2),
    family: "categorical",
    units: 4,
    parameter: [[1, 0], [0, 1], [0.5, 0.5], [0.1, 0.9]],
  });
  // Blocks: [groups, units / groups, in / groups].
  b.sum([leaf], { units: 2, groups: 2, weights: [[[0.5, 0.5]], [[0.25, 0.75]]] });
  b.parameter("shared", [1, 2, 2], [new Float32Array([0.5, 0.5]), [0.1, 0.9]]);
  const typed = [Float32Array.of(0.9, 0.1), Float32Array.of(0.2, 0.8)];
  assert.deepEqual(withParameters(flat, new Map([["transition", typed]])), flat);
  assert.deepEqual(circuits.mixture([flat, flat], [[0.5, 0.5]]), circuits.mixture([flat, flat], [0.5, 0.5]));
});

Deno.test("a shape that does not fit is told with both shapes", () => {
  const wrong = (transition: circuits.NestedNumbers) => () =>
    hmm({ length: 2, states: 2, symbols: 2, transition });
  assert.throws(
    wrong([[0.9, 0.1]]),
    /`transition` has the shape \[1, 2, 2\]; got numbers of the shape \[1, 2\]/,
  );
  assert.throws(wrong([[0.9, 0.1, 0], [0.2, 0.8, 0]]), /got numbers of the shape \[2, 3\]/);
  assert.throws(wrong([[0.9, 0.1], [1]]), /got lists of different lengths/);
  assert.throws(wrong([0.9, 0.1]), /of the shape \[1, 2, 2\] needs 4 numbers; got 2/);
  assert.throws(wrong([]), /needs 4 numbers; got 0/);
  const base = [[0.5, 0.5]] as const;
  assert.throws(
    () => circuits.checkRule(model, { step: { kind: "em" }, parameters: { emission: { base } } }),
    /base of parameter `emission` has the shape \[2, 3\]; got numbers of the shape \[1, 2\]/,
  );
});
