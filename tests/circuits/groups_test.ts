import assert from "node:assert/strict";
import {
  categoricalVariables,
  type Circuit,
  EmTraining,
  naiveMixture,
  RandomStream,
  ReferenceLearner,
  samplesFromRows,
  sourceOf,
  stack,
  takeSamples,
  trainGroups,
  type TrainingOptions,
  unstack,
} from "../../circuits/mod.ts";

const variables = categoricalVariables(3, 3);
const GROUPS = 4;
const starts = Array.from({ length: GROUPS }, (_, seed) => naiveMixture(variables, { components: 2, seed }));
const random = new RandomStream(1);
const rows = samplesFromRows(
  Array.from({ length: 60 }, () => Array.from({ length: 3 }, () => random.integer(3))),
);
/** Group 2 has no samples. */
const groups = Array.from({ length: 60 }, () => [0, 1, 3][random.integer(3)]!);
const weights = Float64Array.from({ length: 60 }, () => random.uniform());
const membersOf = (g: number) => groups.flatMap((group, s) => group === g ? [s] : []);
const options: TrainingOptions = {
  epochs: 3,
  batchSize: 5,
  batchesPerUpdate: 2,
  step: { kind: "inertia", inertia: 0.5 },
  smoothing: { leaves: { pseudocount: 0.5 } },
  seed: 7,
};

async function train(from = 0): Promise<Circuit[]> {
  const learner = new ReferenceLearner(starts[0]!);
  const done: Circuit[] = [];
  for await (
    const { group, circuit, samples, reports } of trainGroups(
      learner,
      starts,
      { train: sourceOf(rows, weights), groups },
      { ...options, from },
    )
  ) {
    assert.equal(group, from + done.length);
    assert.equal(samples, membersOf(group).length);
    assert.equal(reports.length, samples === 0 ? 0 : 3);
    done.push(circuit);
  }
  return done;
}

Deno.test("groups are trained as if each had a learner and its samples alone", async () => {
  const trained = await train();
  for (const [g, circuit] of trained.entries()) {
    const own = membersOf(g);
    if (own.length === 0) {
      assert.equal(circuit, starts[g]);
      continue;
    }
    const source = sourceOf(takeSamples(rows, own), own.map((s) => weights[s]!));
    const alone = new EmTraining(new ReferenceLearner(starts[g]!), { train: source }, options);
    for await (const _ of alone);
    const expected = (await alone.result()).parameters;
    for (const [id, { values }] of circuit.parameters) assert.deepEqual(values, expected.get(id)!.values, id);
  }
  const back = unstack(stack(trained), GROUPS);
  for (const [g, circuit] of trained.entries()) {
    assert.deepEqual(back[g]!.parameters.get("leaf/1")!.values, circuit.parameters.get("leaf/1")!.values);
  }
});

Deno.test("training can go on from any group with the same result", async () => {
  const [all, rest] = [await train(), await train(2)];
  assert.deepEqual(rest, all.slice(2));
});

Deno.test("validation chooses each group's best epoch; faults are named", async () => {
  const learner = new ReferenceLearner(starts[0]!);
  const data = { train: sourceOf(rows), groups };
  for await (
    const { samples, reports } of trainGroups(
      learner,
      starts,
      { ...data, valid: sourceOf(rows), validGroups: groups },
      { ...options, epochs: 2 },
    )
  ) {
    assert.equal(reports.length, samples === 0 ? 0 : 3, "the start is scored too");
    assert.ok(reports.every(({ valid }) => valid !== undefined));
  }
  await assert.rejects(async () => {
    for await (const _ of trainGroups(learner, starts, { ...data, groups: [0] }, options));
  }, /got 1 groups for 60 samples/);
  await assert.rejects(async () => {
    for await (const _ of trainGroups(learner, starts.slice(0, 2), data, options));
  }, /the group of sample \d+ is 3, expected 0 to 1/);
  let steps = 0;
  await assert.rejects(async () => {
    const between = () => {
      if (++steps === 4) throw new Error("stop");
    };
    for await (const _ of trainGroups(learner, starts, data, { ...options, between }));
  }, /stop/);
});
