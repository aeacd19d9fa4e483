import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  categoricalVariables,
  courseOf,
  decodeTrainingState,
  EmTraining,
  encodeTrainingState,
  type EpochReport,
  fittedUpdates,
  naiveMixture,
  perturbed,
  ReferenceEvaluator,
  ReferenceLearner,
  sample,
  sourceOf,
  type TrainingOptions,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";

/** Epochs with these log-likelihoods on validation. */
function epochs(...valid: number[]): EpochReport[] {
  return valid.map((logLikelihood, epoch) => ({
    epoch,
    best: false,
    valid: { logLikelihood, bitsPerVariable: 1, impossible: 0, samples: 1 },
  }));
}

Deno.test("a step falls after a round that brings nothing, and at its smallest patience ends the training", () => {
  const rules = { patience: 2, tolerance: 0.1, mostFalls: 2, round: 1 };
  const course = (valid: readonly number[], more: Partial<typeof rules> = {}) => {
    const { falls, calm, over } = courseOf(epochs(...valid), { ...rules, ...more });
    return { falls, calm, over };
  };
  assert.deepEqual(course([]), { falls: 0, calm: 0, over: false });
  assert.deepEqual(course([-5, -4, -3]), { falls: 0, calm: 0, over: false });
  // Less than the tolerance above the best one is no gain, however often: small gains add up until they are one.
  assert.deepEqual(course([-5, -4.95]), { falls: 1, calm: 0, over: false });
  assert.deepEqual(course([-5, -4.95, -4.89]), { falls: 1, calm: 0, over: false });
  assert.deepEqual(course([-5, -5, -5]), { falls: 2, calm: 0, over: false });
  assert.deepEqual(course([-5, -5, -5, -5]), { falls: 2, calm: 1, over: false });
  assert.deepEqual(course([-5, -5, -5, -5, -4, -4]), { falls: 2, calm: 1, over: false });
  assert.deepEqual(course([-5, -5, -5, -5, -5]), { falls: 2, calm: 2, over: true });
  // Without falls it is patience alone; a round of two epochs takes twice as many.
  assert.equal(course([-5, -5, -5], { mostFalls: 0 }).over, true);
  assert.equal(course([-5, -5, -5], { mostFalls: 0, round: 2 }).over, false);
  assert.equal(course([-5, -5, -5, -5, -5], { mostFalls: 0, round: 2 }).over, true);
  assert.deepEqual(course([-5, -5, -5, -5], { round: 2 }), { falls: 1, calm: 1, over: false });
  assert.equal(course([-5, -5, -5, -5], { patience: Infinity }).over, false);
  // The best epoch comes along, and whether EM has gone as far as it can.
  const ended = courseOf(epochs(-5, -4, -4.5, -4.5, -4.5), rules);
  assert.equal(ended.best?.epoch, 1);
  assert.equal(ended.converged, ended.over);
});

Deno.test("updates fit the number of samples: small data have as many an epoch as large ones", (test) => {
  // 29,060 windows are those of Penn Treebank, 65,269 those of WikiText-2.
  assert.deepEqual(fittedUpdates(29_060, 256), { batchSize: 256, batchesPerUpdate: 3, round: 1 });
  assert.deepEqual(fittedUpdates(65_269, 256), { batchSize: 256, batchesPerUpdate: 7, round: 1 });
  assert.deepEqual(fittedUpdates(2_000, 256), { batchSize: 63, batchesPerUpdate: 1, round: 1 });
  assert.deepEqual(fittedUpdates(40, 256), { batchSize: 16, batchesPerUpdate: 1, round: 6 });
  assert.deepEqual(fittedUpdates(1, 256), { batchSize: 16, batchesPerUpdate: 1, round: 16 });
  holds(
    test,
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 4096 }), (count, largest) => {
      const { batchSize, batchesPerUpdate, round } = fittedUpdates(count, largest);
      const updates = Math.ceil(Math.ceil(count / batchSize) / batchesPerUpdate);
      assert.ok(batchSize >= 1 && batchSize <= largest && batchesPerUpdate >= 1 && batchesPerUpdate <= 16);
      assert.ok(round * updates >= 16, "a round is enough to tell");
      if (batchSize > 16) assert.ok(updates >= 31, `${updates} updates`);
      if (batchesPerUpdate < 16) assert.ok(updates <= Math.max(64, count / 16 + 1), `${updates} updates`);
    }),
  );
});

/** Samples of a mixture, and a random mixture that is to learn them. */
async function problem() {
  const variables = categoricalVariables(6, 3);
  const truth = perturbed(naiveMixture(variables, { components: 3, seed: 8 }), { amount: 4, seed: 1 });
  const drawn = async (count: number, seed: number) =>
    sourceOf(await sample(new ReferenceEvaluator(truth), count, { seed }));
  return {
    start: naiveMixture(variables, { components: 3, seed: 3 }),
    data: { train: await drawn(400, 2), valid: await drawn(200, 5) },
  };
}

const falling: TrainingOptions = {
  epochs: 200,
  batchSize: 64,
  batchesPerUpdate: "auto",
  step: { kind: "anemone", step: { from: 0.5, to: 0.05 } },
  smoothing: { sums: { pseudocount: 0.1 }, leaves: { pseudocount: 0.1 } },
  patience: 2,
  tolerance: 0.001,
};

Deno.test("the validation samples end a training with a falling step, and it says whether they did", async () => {
  const { start, data } = await problem();
  const run = async (options: Partial<TrainingOptions>, given: Partial<typeof data> = data) => {
    const training = new EmTraining(
      new ReferenceLearner(start),
      { train: data.train, ...given },
      { ...falling, ...options },
    );
    for await (const _ of training);
    return training;
  };
  const ended = await run({});
  const { reports, best } = ended.progress;
  assert.equal(ended.converged, true);
  assert.ok(reports.length < 100 && best!.epoch < reports.length - 1);
  // Full-batch EM to the end finds nothing better.
  const full = await run({ batchesPerUpdate: "epoch", step: { kind: "em" }, epochs: 150 });
  assert.ok(best!.score.logLikelihood > full.progress.best!.score.logLikelihood - 0.02);
  // Stopped by its epochs while it still gets better, or too early to tell.
  assert.equal((await run({ epochs: 3 })).converged, false);
  assert.equal((await run({ epochs: 0 })).converged, false);
  const before = reports.length - 2;
  assert.equal((await run({ epochs: before })).converged, false, "patience was not over");
  assert.equal((await run({}, {})).converged, undefined, "nothing told");
  // Without patience the last epoch being the best one is the sign.
  const plain = { batchesPerUpdate: "epoch", step: { kind: "em" }, tolerance: 0 } as const;
  const { patience: _, ...none } = { ...falling, ...plain };
  const openEnded = async (epochs: number) => {
    const training = new EmTraining(new ReferenceLearner(start), data, { ...none, epochs });
    for await (const _ of training);
    const { best, reports } = training.progress;
    return { converged: training.converged, last: best!.epoch === reports.at(-1)!.epoch };
  };
  assert.deepEqual(await openEnded(3), { converged: false, last: true });
  const long = await openEnded(150);
  assert.equal(long.converged, !long.last);
  assert.equal(long.last, false, "a mixture that is trained so long has learned its samples by heart");
});

Deno.test("a training with a falling step resumed after any epoch ends with the same bits", async () => {
  const { start, data } = await problem();
  const training = new EmTraining(new ReferenceLearner(start), data, { ...falling, epochs: 12 });
  const states: Uint8Array[] = [];
  while (!training.done) {
    if (await training.step() !== undefined) states.push(encodeTrainingState(await training.state()));
  }
  const end = await training.state();
  for (const state of states) {
    const resumed = new EmTraining(new ReferenceLearner(start), data, { ...falling, epochs: 12 });
    await resumed.restore(decodeTrainingState(state));
    while (!resumed.done) await resumed.step();
    assert.deepEqual(await resumed.state(), end);
    assert.equal(resumed.converged, training.converged);
  }
});

Deno.test("an epoch counts as better only by more than the tolerance, so that the last one is never the best of a training that is over", async () => {
  const { start, data } = await problem();
  const training = new EmTraining(new ReferenceLearner(start), data, { ...falling, tolerance: 0.1 });
  for await (const _ of training);
  const { reports, best } = training.progress;
  assert.equal(training.converged, true);
  assert.ok(best!.epoch <= reports.at(-1)!.epoch - 2, `${best!.epoch} of ${reports.at(-1)!.epoch}`);
  const highest = Math.max(...reports.map(({ valid }) => valid!.logLikelihood));
  assert.ok(best!.score.logLikelihood >= highest - 0.1);
});
