import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  blockedHmm,
  categoricalVariables,
  checkCircuit,
  type Circuit,
  CircuitBuilder,
  CircuitError,
  hclt,
  hcltFromSamples,
  hmm,
  maximumSpanningTree,
  mixture,
  mixtureOfUnits,
  mutualInformation,
  naiveMixture,
  poonDomingos,
  quadGraph,
  quadTree,
  RandomStream,
  ratSpn,
  ReferenceEvaluator,
  type Samples,
  samplesFromRows,
  sizeOf,
  stack,
  substitute,
  type Variable,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { allSamples, assignments, close } from "./truth.ts";

async function total(circuit: Circuit): Promise<number> {
  const logs = await new ReferenceEvaluator(circuit).logLikelihoods(allSamples(circuit));
  return logs.reduce((sum, l) => sum + Math.exp(l), 0);
}

const bits = categoricalVariables(6, 2);

for (
  const [name, circuit] of Object.entries<() => Circuit>({
    "hmm": () => hmm({ length: 4, states: 3, symbols: 3 }),
    "hmm, not homogeneous": () => hmm({ length: 4, states: 3, symbols: 3, homogeneous: false }),
    "hmm of length 1": () => hmm({ length: 1, states: 3, symbols: 3 }),
    "blocked hmm": () =>
      blockedHmm({
        length: 3,
        symbols: 3,
        blocks: [{ states: 2, symbols: [0, 1] }, { states: 1, symbols: [1, 2] }],
        backoff: 1,
      }),
    "hclt": () => hclt(bits, maximumSpanningTree(new Float64Array(36), 6), { latents: [1, 2, 3, 4, 5, 6] }),
    "rat-spn": () => ratSpn(bits, { depth: 2, replicas: 3, units: 2 }),
    "rat-spn of depth 0": () => ratSpn(bits, { depth: 0, replicas: 2, units: 2 }),
    "poon-domingos": () => poonDomingos(bits, { height: 2, width: 3, delta: 1, units: 2 }),
    "poon-domingos, coarse": () =>
      poonDomingos(categoricalVariables(9, 2), { height: 3, width: 3, delta: 2, units: 2 }),
    "quad tree": () => quadTree(bits, { height: 3, width: 2, units: 2 }),
    "quad tree with channels": () => quadTree(bits, { height: 1, width: 2, channels: 3, units: 2 }),
    "quad graph": () => quadGraph(categoricalVariables(12, 2), { height: 4, width: 3, units: 2 }),
    "naive mixture": () => naiveMixture(bits, { components: 3 }),
    "one pixel": () => quadTree(categoricalVariables(1, 3), { height: 1, width: 1, units: 2 }),
  })
) {
  Deno.test(`${name}: valid and normalised`, async () => {
    const made = circuit();
    checkCircuit(made);
    assert.ok(close(await total(made), 1, 1e-5));
    assert.deepEqual(circuit(), made, "the same options make the same circuit");
  });
}

Deno.test("hmm is the forward algorithm", async () => {
  const initial = [0.5, 0.5],
    transition = [0.875, 0.125, 0.25, 0.75],
    emission = [0.5, 0.25, 0.25, 0.125, 0.125, 0.75];
  const circuit = hmm({ length: 3, states: 2, symbols: 3, initial, transition, emission });
  assert.equal(circuit.parameters.size, 3);
  const x = [2, 0, 1];
  let alpha = initial.map((p, i) => p * emission[i * 3 + x[0]!]!);
  for (const symbol of x.slice(1)) {
    alpha = [0, 1].map((j) =>
      (alpha[0]! * transition[j]! + alpha[1]! * transition[2 + j]!) * emission[j * 3 + symbol]!
    );
  }
  const [log] = await new ReferenceEvaluator(circuit).logLikelihoods(samplesFromRows([x]));
  assert.ok(close(log!, Math.log(alpha[0]! + alpha[1]!), 1e-12));
  assert.throws(() => hmm({ length: 3, states: 0, symbols: 3 }), /states is 0/);
  assert.throws(() => hmm({ length: 2, states: 2, symbols: 2, homogeneous: false, emission }), /homogeneous/);
});

Deno.test("mutual information of a table by hand", () => {
  const rows = [[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1], [0, 1, 0], [1, 0, null]];
  const information = mutualInformation(categoricalVariables(3, 2), samplesFromRows(rows), {
    pseudocount: 0,
  });
  const expected = 2 * (1 / 3) * Math.log((1 / 3) / 0.25) + 2 * (1 / 6) * Math.log((1 / 6) / 0.25);
  assert.ok(close(information[1]!, expected, 1e-12));
  assert.equal(information[1], information[3]);
  // Variables 0 and 2 over the five rows that have both.
  const p = [[2 / 5, 1 / 5], [1 / 5, 1 / 5]];
  const by = (a: number, b: number) =>
    p[a]![b]! * Math.log(p[a]![b]! / ((p[a]![0]! + p[a]![1]!) * (p[0]![b]! + p[1]![b]!)));
  assert.ok(close(information[2]!, by(0, 0) + by(0, 1) + by(1, 0) + by(1, 1), 1e-12));
  // Unequal marginals: p(a = 1) = 1/4, p(b = 1) = 1/2, never both.
  const skewed = mutualInformation(
    categoricalVariables(2, 2),
    samplesFromRows([[0, 1], [0, 1], [0, 0], [1, 0]]),
    { pseudocount: 0 },
  );
  const terms = 0.5 * Math.log(0.5 / (0.75 * 0.5)) + 0.25 * Math.log(0.25 / (0.75 * 0.5)) +
    0.25 * Math.log(0.25 / (0.25 * 0.5));
  assert.ok(close(skewed[1]!, terms, 1e-12));
  const smooth = mutualInformation(categoricalVariables(2, 2), samplesFromRows([[0, 0]]), { pseudocount: 1 });
  assert.ok(smooth[1]! > 0 && smooth[1]! < 0.2);
});

Deno.test("weights of samples count like repetitions, and real variables are cut at quantiles", () => {
  const rows = [[0, 0], [0, 1], [1, 1]];
  const weighted = mutualInformation(bits.slice(0, 2), samplesFromRows(rows), { sampleWeights: [2, 1, 3] });
  const repeated = [0, 0, 1, 2, 2, 2].map((i) => rows[i]!);
  assert.deepEqual(weighted, mutualInformation(bits.slice(0, 2), samplesFromRows(repeated)));
  const random = new RandomStream(1);
  const reals: Variable[] = ["a", "b", "c"].map((name) => ({ kind: "real", name }));
  const values = Float32Array.from({ length: 900 }, () => random.normal());
  for (let s = 0; s < 300; s++) values[s * 3 + 1] = values[s * 3]! * 2 + 0.1 * values[s * 3 + 1]!;
  const samples: Samples = { count: 300, variables: 3, values };
  const information = mutualInformation(reals, samples, { bins: 4 });
  assert.ok(information[1]! > 0.8 && information[2]! < 0.2, `${information}`);
});

Deno.test("the spanning tree is the heaviest, ties are decided by number, the centre is in the middle", (test) => {
  holds(
    test,
    fc.property(fc.integer({ min: 2, max: 6 }), fc.nat(1e6), (count, seed) => {
      const random = new RandomStream(seed);
      const weights = new Float64Array(count * count);
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < i; j++) weights[i * count + j] = weights[j * count + i] = random.integer(4);
      }
      const tree = maximumSpanningTree(weights, count);
      const weight = tree.order.slice(1).reduce((sum, v) => sum + weights[v * count + tree.parents[v]!]!, 0);
      // Kruskal, independently.
      const edges: [number, number, number][] = [];
      for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) edges.push([weights[i * count + j]!, i, j]);
      edges.sort((a, b) => b[0] - a[0]);
      const group = Array.from({ length: count }, (_, i) => i);
      let best = 0;
      for (const [w, i, j] of edges) {
        if (group[i] === group[j]) continue;
        best += w;
        const from = group[i];
        group.forEach((g, k) => group[k] = g === from ? group[j]! : g);
      }
      assert.equal(weight, best);
      assert.equal(tree.order.length, count);
    }),
  );
  const path = new Float64Array(25);
  for (let i = 0; i < 4; i++) path[i * 5 + i + 1] = path[(i + 1) * 5 + i] = 1;
  assert.equal(maximumSpanningTree(path, 5).root, 2);
  assert.deepEqual([...maximumSpanningTree(path, 5, 0).parents], [-1, 0, 1, 2, 3]);
  assert.deepEqual([...maximumSpanningTree(new Float64Array(9), 3, 0).parents], [-1, 0, 0]);
  assert.throws(() => maximumSpanningTree(path, 5, 9), /expected `centre` or a variable/);
});

Deno.test("a hidden Chow-Liu tree from samples links what depends on each other", () => {
  const random = new RandomStream(4);
  const rows = Array.from({ length: 200 }, () => {
    const [a, b] = [random.integer(2), random.integer(2)];
    return [a, b, a, b, random.uniform() < 0.9 ? a : b];
  });
  const circuit = hcltFromSamples({ variables: categoricalVariables(5, 2), samples: samplesFromRows(rows) }, {
    latents: 4,
    root: 0,
  });
  const parents =
    maximumSpanningTree(mutualInformation(circuit.variables, samplesFromRows(rows)), 5, 0).parents;
  assert.equal(parents[2], 0);
  assert.ok(parents[3] === 1 || parents[1] === 3);
  assert.equal(sizeOf(circuit).edges, 4 * 16 + 4);
});

Deno.test("a mixture is the average of its parts, and refuses others' variables", async () => {
  const parts = [
    naiveMixture(bits, { components: 2, seed: 1 }),
    ratSpn(bits, { depth: 1, replicas: 1, units: 2 }),
  ];
  const mixed = mixture(parts, [0.25, 0.75]);
  const samples = allSamples(mixed);
  const logs = await Promise.all(
    [...parts, mixed].map((c) => new ReferenceEvaluator(c).logLikelihoods(samples)),
  );
  logs[2]!.forEach((l, i) =>
    assert.ok(close(Math.exp(l), 0.25 * Math.exp(logs[0]![i]!) + 0.75 * Math.exp(logs[1]![i]!)))
  );
  assert.ok(close(await total(mixture([mixed, mixed])), 1, 1e-5));
  assert.throws(
    () => mixture([parts[0]!, naiveMixture(categoricalVariables(6, 3), { components: 1 })]),
    CircuitError,
  );
});

/** p(x0 x1 | k) for two states k, as a vector root. */
function patch(seed: number): Circuit {
  const b = new CircuitBuilder({ seed });
  const leaves = ["p", "q"].map((name) =>
    b.input({ variable: b.categorical(name, 2), family: "categorical", units: 2 })
  );
  return b.build(b.product(leaves));
}

Deno.test("substitution: the composed circuit is the outer one with p(patch | state) for its states", async () => {
  for (const family of ["categorical", "bernoulli", "indicator", "external"]) {
    const b = new CircuitBuilder({ seed: 5 });
    const left = b.categorical("left", 3);
    const z = family === "external" ? b.external("patch") : b.categorical("patch", 2);
    const leaves = [
      b.input({ variable: left, family: "categorical", units: 2 }),
      b.input({ variable: z, family, units: 2, settings: family === "indicator" ? { values: [1, 0] } : {} }),
    ];
    const outer = b.build(b.sum([b.product(leaves)], { units: 1 }));
    const inner = patch(3);
    const composed = substitute(outer, z, inner);
    assert.deepEqual([composed.outer, composed.inner], [[0, -1], [1, 2]]);
    const innerLogs = await new ReferenceEvaluator(inner).logLikelihoods(allSamples(inner));
    const rows = assignments(composed.circuit);
    const logs = await new ReferenceEvaluator(composed.circuit).logLikelihoods(samplesFromRows(rows));
    for (const [i, [x, p, q]] of rows.entries()) {
      const given = innerLogs.subarray((p! * 2 + q!) * 2, (p! * 2 + q!) * 2 + 2);
      const evaluator = new ReferenceEvaluator(outer);
      let expected = 0;
      if (family === "external") {
        const samples = {
          ...samplesFromRows([[x!, 0]]),
          externals: new Map([[z, Float32Array.from(given)]]),
        };
        expected = Math.exp((await evaluator.logLikelihoods(samples))[0]!);
      } else {
        const logs = await evaluator.logLikelihoods(samplesFromRows([[x!, 0], [x!, 1]]));
        expected = logs.reduce((sum, l, k) => sum + Math.exp(l + given[k]!), 0);
      }
      assert.ok(close(Math.exp(logs[i]!), expected), `${family} ${rows[i]}`);
    }
    assert.ok(close(await total(composed.circuit), 1, 1e-5));
  }
  assert.throws(() => substitute(hmm({ length: 2, states: 2, symbols: 3 }), 0, patch(1)), CircuitError);
  // Two inner circuits under one prefix would share parameters that have nothing to do with each other.
  const chain = hmm({ length: 2, states: 2, symbols: 2 });
  const once = substitute(chain, 0, patch(1), { prefix: "p" });
  assert.throws(
    () => substitute(once.circuit, once.outer[1]!, patch(2), { prefix: "p" }),
    /already a parameter `p\/leaf0`/,
  );
  checkCircuit(substitute(once.circuit, once.outer[1]!, patch(2)).circuit);
  assert.equal(sizeOf(mixtureOfUnits(patch(1))).edges, 2);
});

Deno.test("a stack has the root units of its circuits: block-diagonal where it can be, side by side elsewhere", async () => {
  const tree = maximumSpanningTree(new Float64Array(36), 6);
  const rat = (seed: number) => ratSpn(bits, { depth: 1, replicas: 2, units: 2, seed });
  const families: [(seed: number) => Circuit, boolean][] = [
    [(seed) => hclt(bits, tree, { latents: 3, seed }), true],
    [(seed) => naiveMixture(bits, { components: 2 + 0 * seed, seed }), true],
    [(seed) => hmm({ length: 6, states: 2, symbols: 2, seed }), true],
    [rat, false],
    [(seed) => seed === 1 ? rat(1) : hclt(bits, tree, { latents: 2, seed }), false],
  ];
  for (const [make, merged] of families) {
    const parts = [1, 2, 3].map(make);
    const stacked = stack(parts);
    assert.equal(stacked.nodes.length === parts[0]!.nodes.length, merged);
    const samples = allSamples(stacked);
    const logs = await new ReferenceEvaluator(stacked).logLikelihoods(samples);
    for (const [k, part] of parts.entries()) {
      const own = await new ReferenceEvaluator(part).logLikelihoods(samples);
      own.forEach((l, i) => assert.ok(close(l, logs[i * 3 + k]!, 1e-9)));
    }
  }
  // A latent variable of three states, replaced by three trees.
  const top = naiveMixture(categoricalVariables(2, 3), { components: 2 });
  const composed = substitute(top, 1, stack([1, 2, 3].map((seed) => hclt(bits, tree, { latents: 2, seed }))));
  assert.ok(close(await total(composed.circuit), 1, 1e-5));
  assert.throws(() => stack([naiveMixture(bits, { components: 1 }), patch(1)]), /circuit 1 of the stack/);
});
