import assert from "node:assert/strict";
import {
  assemblePatches,
  categoricalVariables,
  type Circuit,
  CircuitError,
  clusterTree,
  countClusters,
  countComplete,
  hclt,
  materialise,
  maximumSpanningTree,
  nodeNamed,
  parameterOf,
  patchSamples,
  RandomStream,
  ReferenceEvaluator,
  ReferenceLearner,
  rootUnits,
  samplesFromRows,
  sizeOf,
  sourceOf,
  stack,
  type VariableTree,
  withParameters,
} from "../../circuits/mod.ts";
import { close } from "./truth.ts";

/** 4x4 pixels of two states, 2x2 patches of 2x2 pixels. */
const SIDE = 4, CLUSTERS = 3, LATENTS = 2;
const image = categoricalVariables(SIDE * SIDE, 2);
const columnsOf = (patch: number) => {
  const top = Math.floor(patch / 2) * 2, left = (patch % 2) * 2;
  return [0, 1, 2, 3].map((i) => (top + (i >> 1)) * SIDE + left + (i & 1));
};

function randomTree(count: number, seed: number): VariableTree {
  const random = new RandomStream(seed);
  const weights = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) weights[i * count + j] = weights[j * count + i] = random.uniform();
  }
  return maximumSpanningTree(weights, count);
}

/** A patch circuit of `clusters` root units: a hidden Chow-Liu tree for each cluster, as one grouped circuit. */
function patchCircuit(tree: VariableTree, seed: number): Circuit {
  const variables = categoricalVariables(4, 2);
  return stack(
    Array.from(
      { length: CLUSTERS },
      (_, k) => hclt(variables, tree, { latents: LATENTS, seed: seed * 10 + k }),
    ),
  );
}

/** All sequences of `length` states below `states`. */
function sequences(length: number, states: number): number[][] {
  return Array.from(
    { length: states ** length },
    (_, i) => Array.from({ length }, (_, at) => Math.floor(i / states ** at) % states),
  );
}

/** p(patch | cluster) by brute force over all latent variables, from the tables of the grouped circuit. */
function patchLikelihood(patch: Circuit, tree: VariableTree, k: number, x: readonly number[]): number {
  let total = 0;
  for (const u of sequences(4, LATENTS)) {
    let p = 1;
    for (let v = 0; v < 4; v++) {
      const parent = tree.parents[v]!;
      // [groups, rows, latents] and [groups * latents, states].
      const rows = parent < 0 ? 1 : LATENTS, row = parent < 0 ? 0 : u[parent]!;
      p *= parameterOf(patch, `z/${v}`).values[(k * rows + row) * LATENTS + u[v]!]!;
      p *= parameterOf(patch, `leaf/${v}`).values[(k * LATENTS + u[v]!) * 2 + x[v]!]!;
    }
    total += p;
  }
  return total;
}

/** p(image) by brute force over the clusters of all patches. */
function imageLikelihood(
  top: Circuit,
  tree: VariableTree,
  patches: readonly Circuit[],
  trees: readonly VariableTree[],
  x: readonly number[],
): number {
  const given = patches.map((patch, p) =>
    Array.from(
      { length: CLUSTERS },
      (_, k) => patchLikelihood(patch, trees[p]!, k, columnsOf(p).map((column) => x[column]!)),
    )
  );
  let total = 0;
  for (const z of sequences(4, CLUSTERS)) {
    let p = 1;
    for (let v = 0; v < 4; v++) {
      const parent = tree.parents[v]!;
      const row = parent < 0 ? 0 : z[parent]!;
      p *= parameterOf(top, `z/${v}`).values[row * CLUSTERS + z[v]!]! * given[v]![z[v]!]!;
    }
    total += p;
  }
  return total;
}

const names = ["a", "b", "c", "d"];
const images = Array.from({ length: 40 }, (_, i) => {
  const random = new RandomStream(5, i);
  return Array.from({ length: 16 }, () => random.integer(2));
});

for (const shared of [false, true]) {
  const title = shared ? "shared over positions" : "a circuit for each position";
  Deno.test(`patches, ${title}: the assembled circuit's likelihood is brute force over all latents`, async () => {
    const tree = randomTree(4, 1);
    const top = clusterTree(names, tree, { clusters: CLUSTERS, seed: 3 });
    const trees = names.map((_, p) => randomTree(4, shared ? 7 : 7 + p));
    const one = patchCircuit(trees[0]!, 1);
    const patches = names.map((_, p) => shared ? one : patchCircuit(trees[p]!, p + 1));
    const whole = assemblePatches(
      image,
      top,
      patches.map((circuit, p) => ({ circuit, columns: columnsOf(p) })),
    );
    assert.equal(rootUnits(whole), 1);
    assert.equal(
      sizeOf(whole).parameters,
      sizeOf(top).parameters + (shared ? 1 : 4) * sizeOf(one).parameters,
      "parameters are tied or not",
    );
    const logs = await new ReferenceEvaluator(whole).logLikelihoods(samplesFromRows(images));
    images.forEach((x, i) => {
      const p = imageLikelihood(top, tree, patches, trees, x);
      assert.ok(close(Math.exp(logs[i]!), p, 1e-9), `image ${i}: ${Math.exp(logs[i]!)} and ${p}`);
    });

    // The top circuit alone, on the patches' log-likelihoods.
    const vectors = await Promise.all(patches.map(async (patch, p) => {
      const rows = samplesFromRows(images.map((x) => columnsOf(p).map((column) => x[column]!)));
      return Float32Array.from(await new ReferenceEvaluator(patch).logLikelihoods(rows));
    }));
    const above = await new ReferenceEvaluator(top).logLikelihoods(patchSamples(vectors, CLUSTERS));
    above.forEach((log, i) => assert.ok(close(log, logs[i]!, 1e-6), `image ${i}: ${log} and ${logs[i]}`));
  });
}

Deno.test("the assembled circuit sums to one over all images", async () => {
  const variables = categoricalVariables(4, 2);
  const top = clusterTree(["a", "b"], randomTree(2, 1), { clusters: 2, latents: 3, seed: 3 });
  const patch = stack(
    [1, 2].map((seed) => hclt(categoricalVariables(2, 2), randomTree(2, seed), { latents: 2, seed })),
  );
  const whole = assemblePatches(variables, top, [
    { circuit: patch, columns: [0, 2] },
    { circuit: patch, columns: [3, 1] },
  ]);
  const logs = await new ReferenceEvaluator(whole).logLikelihoods(samplesFromRows(sequences(4, 2)));
  assert.ok(close(logs.reduce((total, log) => total + Math.exp(log), 0), 1, 1e-6));
});

Deno.test("counted clusters are the maximum of the complete likelihood", async () => {
  const tree = randomTree(4, 2), random = new RandomStream(9);
  const assignments = Array.from({ length: 4 * 200 }, (_, i) => (i + random.integer(2)) % CLUSTERS);
  const options = { clusters: CLUSTERS, pseudocount: 0.1 };
  const counted = countClusters(tree, assignments, options);
  // The same by the general way: latent variables made explicit, external leaves all the same.
  const top = clusterTree(names, tree, { clusters: CLUSTERS });
  const explicit = materialise(top, names.map((_, v) => nodeNamed(top, `z${v}`))).circuit;
  const rows = samplesFromRows(
    Array.from({ length: 200 }, (_, i) => [0, 0, 0, 0, ...assignments.slice(4 * i, 4 * i + 4)]),
  );
  const flat = new Float32Array(200 * CLUSTERS);
  const learner = new ReferenceLearner(explicit);
  await countComplete(
    learner,
    sourceOf({ ...rows, externals: new Map([0, 1, 2, 3].map((v) => [v, flat])) }),
    {
      smoothing: { sums: { pseudocount: 0.1 } },
    },
  );
  const order = explicit.variables.slice(4).map((variable) => variable.name);
  assert.deepEqual(order, ["z0", "z1", "z2", "z3"]);
  for (const [id, values] of await learner.parameters()) {
    counted.get(id)!.forEach((p, i) =>
      assert.ok(close(p, values[i]!, 1e-5), `${id}[${i}]: ${p} and ${values[i]}`)
    );
  }
});

Deno.test("counted clusters with latents: rows sum to one, and as many states as clusters give the same model", async () => {
  const tree = randomTree(4, 2), random = new RandomStream(9);
  const assignments = Array.from({ length: 4 * 100 }, () => random.integer(CLUSTERS));
  const logs = names.map((_, p) =>
    Float32Array.from({ length: 20 * CLUSTERS }, (_, i) => -new RandomStream(p, i).uniform() * 5)
  );
  const scores: Float64Array[] = [];
  for (const latents of [undefined, CLUSTERS, 2 * CLUSTERS + 1]) {
    const options = { clusters: CLUSTERS, ...(latents && { latents }), spread: 0 };
    const values = countClusters(tree, assignments, options);
    const top = withParameters(clusterTree(names, tree, options), values);
    scores.push(await new ReferenceEvaluator(top).logLikelihoods(patchSamples(logs, CLUSTERS)));
  }
  scores[0]!.forEach((log, i) => {
    assert.ok(close(log, scores[1]![i]!, 1e-5));
    // The pseudocount is spread over states, and clusters have not all as many.
    assert.ok(close(log, scores[2]![i]!, 1e-2));
  });
  assert.throws(
    () => countClusters(tree, [0, 1, 2, 3], { clusters: 3 }),
    /image 0, patch 3: the cluster is 3, expected 0 to 2/,
  );
  assert.throws(() => countClusters(tree, [0, 1, 2], { clusters: 3 }), CircuitError);
});

Deno.test("patches that do not make up the image are refused, with the place", () => {
  const top = clusterTree(["a", "b"], randomTree(2, 1), { clusters: CLUSTERS });
  const circuit = patchCircuit(randomTree(4, 1), 1);
  const eight = categoricalVariables(8, 2);
  const part = (columns: number[]) => ({ circuit, columns });
  assert.throws(() => assemblePatches(eight, top, [part([0, 1, 2, 3])]), /1 patch circuits for 2 patches/);
  assert.throws(
    () => assemblePatches(eight, top, [part([0, 1, 2, 3]), part([3, 4, 5, 6])]),
    /patch 1 has variable 3 of the image, which patch 0 has already/,
  );
  assert.throws(() => assemblePatches(eight, top, [part([0, 1, 2, 3]), part([4, 5, 6, 9])]), /it has 8/);
  assert.throws(
    () => assemblePatches(eight, top, [part([0, 1, 2, 3]), part([4, 5, 6])]),
    /4 variables; got 3/,
  );
  assert.throws(
    () => assemblePatches(categoricalVariables(9, 2), top, [part([0, 1, 2, 3]), part([4, 5, 6, 7])]),
    /variable 8 of the image belongs to no patch/,
  );
  const wide = clusterTree(["a", "b"], randomTree(2, 1), { clusters: 4 });
  assert.throws(() => assemblePatches(eight, wide, [part([0, 1, 2, 3]), part([4, 5, 6, 7])]), /4 units/);
});
