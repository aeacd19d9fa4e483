import assert from "node:assert/strict";
import {
  assemblePatches,
  categoricalVariables,
  type Circuit,
  clusterTree,
  completePatches,
  conditionalMean,
  hclt,
  hideVariables,
  logLikelihood,
  maximumSpanningTree,
  PatchLearner,
  patchMeans,
  type PatchPart,
  RandomStream,
  ReferenceEvaluator,
  ReferenceLearner,
  samplePatches,
  type Samples,
  samplesFromRows,
  stack,
  unobserved,
  unstack,
  type UpdateRule,
} from "../../circuits/mod.ts";
import { close, jointTable } from "./truth.ts";

const CLUSTERS = 3;
const tree = (count: number, seed: number) => {
  const random = new RandomStream(seed);
  const weights = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) weights[i * count + j] = weights[j * count + i] = random.uniform();
  }
  return maximumSpanningTree(weights, count);
};
const patch = (seed: number) =>
  stack(
    Array.from({ length: CLUSTERS }, (_, k) =>
      hclt(categoricalVariables(3, 3), tree(3, seed), { latents: 2, seed: 10 * seed + k })),
  );

const variables = categoricalVariables(9, 3);
const top = clusterTree(["a", "b", "c"], tree(3, 5), { clusters: CLUSTERS, seed: 4 });

/** Patches 0 and 2 share a circuit, patch 1 has its own; the columns are mixed up. */
function parts(): PatchPart[] {
  const [shared, own] = [patch(1), patch(2)];
  return [
    { circuit: shared, columns: [0, 4, 1] },
    { circuit: own, columns: [2, 3, 8] },
    { circuit: shared, columns: [5, 6, 7] },
  ];
}

function images(count: number, missing = 0, seed = 3): Samples {
  const random = new RandomStream(seed);
  return samplesFromRows(
    Array.from(
      { length: count },
      () => Array.from({ length: 9 }, () => random.uniform() < missing ? null : random.integer(3)),
    ),
  );
}

async function pair(
  threshold = 0,
  made = parts(),
): Promise<{ learner: PatchLearner; reference: ReferenceLearner }> {
  const open = (circuit: Circuit) => new ReferenceLearner(circuit);
  const learner = await PatchLearner.open({ variables, top, parts: made, open, threshold, rows: 7 });
  return { learner, reference: new ReferenceLearner(assemblePatches(variables, top, made)) };
}

Deno.test("unstack is the inverse of stack, and refuses what is no stack", async () => {
  const circuits = [1, 2, 3].map((seed) =>
    hclt(categoricalVariables(3, 3), tree(3, 1), { latents: 2, seed })
  );
  const back = unstack(stack(circuits), 3);
  const data = samplesFromRows([[0, 1, 2], [2, 2, 0], [1, 0, 0]]);
  for (const [i, circuit] of circuits.entries()) {
    assert.deepEqual(back[i]!.nodes, circuit.nodes);
    for (const [id, { values, shape }] of circuit.parameters) {
      assert.deepEqual(back[i]!.parameters.get(id)!.shape, shape);
      assert.deepEqual([...back[i]!.parameters.get(id)!.values], [...values]);
    }
    const logs = await new ReferenceEvaluator(back[i]!).logLikelihoods(data);
    assert.deepEqual(logs, await new ReferenceEvaluator(circuit).logLikelihoods(data));
  }
  assert.throws(() => unstack(circuits[0]!, 2), /not a stack of 2/);
  assert.throws(() => unstack(stack(circuits), 2), /not a stack of 2/);
});

const rules: [string, UpdateRule][] = [
  ["EM", { step: { kind: "em" } }],
  ["inertia with pseudocounts", {
    step: { kind: "inertia", inertia: 0.7 },
    sums: { pseudocount: 0.3 },
    leaves: { pseudocount: 0.2 },
  }],
  ["anemone", { step: { kind: "anemone", step: 0.4 }, parameters: { "patch0/leaf/1": { pseudocount: 1 } } }],
];

for (const [name, rule] of rules) {
  Deno.test(`patch learner: ${name} is that of the assembled circuit`, async () => {
    const { learner, reference } = await pair();
    for (const round of [0, 1]) {
      // In the second round every third patch is missing as a whole.
      const data = images(20, round === 0 ? 0.2 : 0.7, round);
      const weights = Float64Array.from({ length: 20 }, (_, i) => (i % 3) * 0.5);
      for (const given of [undefined, weights]) {
        const [a, b] = [await learner.accumulate(data, given), await reference.accumulate(data, given)];
        a.logLikelihoods.forEach((log, s) => assert.ok(close(log, b.logLikelihoods[s]!, 1e-5)));
      }
      await learner.update(rule);
      await reference.update(rule);
    }
    const expected = await reference.parameters();
    const found = await learner.parameters();
    assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
    for (const [id, values] of expected) {
      values.forEach((x, i) =>
        assert.ok(close(found.get(id)![i]!, x, 1e-4), `${id}[${i}]: ${found.get(id)![i]} and ${x}`)
      );
    }
    const data = images(10, 0.5);
    const [a, b] = [await learner.logLikelihoods(data), await reference.logLikelihoods(data)];
    a.forEach((log, s) => assert.ok(close(log, b[s]!, 1e-5)));
  });
}

Deno.test("patch learner: a threshold leaves out what hardly counts, and nothing else", async () => {
  const { learner, reference } = await pair(1e-3);
  const data = images(30);
  const [found, expected] = [await learner.flows(data), await reference.flows(data)];
  const sum = (counts: Iterable<Float64Array>) =>
    [...counts].flatMap((c) => [...c]).reduce((total, x) => total + x, 0);
  const [a, b] = [sum(found.statistics.values()), sum(expected.statistics.values())];
  assert.ok(a <= b + 1e-9 && a > b * (1 - 1e-3 * CLUSTERS), `${a} of ${b}`);
});

Deno.test("patch learner: goes on from its state bit by bit", async () => {
  const [{ learner }, { learner: other }] = [await pair(), await pair()];
  await learner.accumulate(images(5, 0, 1));
  await learner.update({ step: { kind: "em" } });
  await learner.accumulate(images(5, 0, 2));
  await other.restore(await learner.state());
  for (const one of [learner, other]) {
    await one.accumulate(images(5, 0, 3));
    await one.update({ step: { kind: "em" }, sums: { pseudocount: 0.1 } });
  }
  assert.deepEqual(await other.parameters(), await learner.parameters());
  assert.deepEqual(await other.logLikelihoods(images(4)), await learner.logLikelihoods(images(4)));
  const state = new Map(await learner.state());
  state.delete("weights/top/z/0");
  await assert.rejects(other.restore(state), /another circuit/);
});

Deno.test("patch learner: impossible images count for nothing", async () => {
  const { learner } = await pair();
  const values = new Map(await learner.parameters());
  // State 2 of the first variable of the shared circuit: impossible.
  const leaf = values.get("patch0/leaf/0")!;
  for (let u = 0; u < leaf.length; u += 3) leaf.set([0.5, 0.5, 0], u);
  await learner.setParameters(new Map([["patch0/leaf/0", leaf]]));
  const rows = samplesFromRows([[2, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0]]);
  const { impossible, logLikelihoods } = await learner.accumulate(rows);
  assert.equal(impossible, 1);
  assert.equal(logLikelihoods[0], -Infinity);
  await learner.update({ step: { kind: "em" } });
  for (const [id, found] of await learner.parameters()) assert.ok(found.every(Number.isFinite), id);
});

Deno.test("images are drawn as often as they are probable, whole and completed", async () => {
  const two = categoricalVariables(2, 2);
  const small = stack([1, 2].map((seed) => hclt(two, tree(2, seed), { latents: 2, seed })));
  const pixels = categoricalVariables(4, 2);
  const over = clusterTree(["a", "b"], tree(2, 1), { clusters: 2, latents: 2, seed: 8 });
  const made = [{ circuit: small, columns: [0, 2] }, { circuit: small, columns: [3, 1] }];
  const learner = await PatchLearner.open({
    variables: pixels,
    top: over,
    parts: made,
    open: (circuit) => new ReferenceLearner(circuit),
  });
  const truth = jointTable(assemblePatches(pixels, over, made));
  const count = 4000;
  const check = (drawn: Samples, expected: { x: number[]; p: number }[]) => {
    const seen = new Map<string, number>();
    for (let s = 0; s < drawn.count; s++) {
      const key = [...drawn.values.subarray(s * 4, s * 4 + 4)].join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    let chi = 0;
    for (const { x, p } of expected) chi += (((seen.get(x.join()) ?? 0) - p * count) ** 2) / (p * count);
    // Five standard deviations above the mean of chi-square with as many degrees of freedom.
    const freedom = expected.length - 1;
    assert.ok(chi < freedom + 5 * Math.sqrt(2 * freedom), `chi-square ${chi} with ${freedom}`);
  };
  check(await samplePatches(learner, count, { seed: 5 }), truth);
  const given = samplesFromRows([[1, null, null, 0]]);
  const agreeing = truth.filter(({ x }) => x[0] === 1 && x[3] === 0);
  const mass = agreeing.reduce((total, { p }) => total + p, 0);
  check(
    await completePatches(learner, given, { seed: 6, draws: count }),
    agreeing.map(({ x, p }) => ({ x, p: p / mass })),
  );
});

Deno.test("expected values of what is missing are those of the assembled circuit", async () => {
  const { learner, reference } = await pair();
  const data = images(6, 0.4);
  const means = await patchMeans(learner, data);
  for (let s = 0; s < 6; s++) {
    for (let v = 0; v < 9; v++) {
      const at = s * 9 + v;
      if (data.observed![at] === 1) {
        assert.equal(means[at], data.values[at]);
        continue;
      }
      const one = {
        count: 1,
        variables: 9,
        values: data.values.slice(s * 9, s * 9 + 9),
        observed: data.observed!.slice(s * 9, s * 9 + 9),
      };
      const exact = (await conditionalMean(reference, one, [v])).get(v)![0]!;
      assert.ok(close(means[at]!, exact, 1e-4), `${s}, ${v}: ${means[at]} and ${exact}`);
    }
  }
  const nothing = await patchMeans(learner, unobserved(1, 9));
  const first = (await conditionalMean(reference, hideVariables(unobserved(1, 9), [0]), [0])).get(0)![0]!;
  assert.ok(close(nothing[0]!, first, 1e-5));
  assert.ok((await logLikelihood(reference, data)).every(Number.isFinite));
});
