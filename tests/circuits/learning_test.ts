import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  ascending,
  batchCount,
  batchOf,
  categoricalVariables,
  compileFactors,
  countComplete,
  dropValues,
  hclt,
  hmm,
  INERTIA,
  materialise,
  nodeNamed,
  parseUai,
  perturbed,
  RandomStream,
  ReferenceEvaluator,
  ReferenceLearner,
  samplesFromRows,
  type Schedule,
  scheduled,
  shuffled,
  sourceOf,
  withParameters,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { mixedCircuit } from "./learner_conformance.ts";
import { anyCircuit, close } from "./truth.ts";

/** A materialised HMM with complete rows `x0 x1 x2 z0 z1 z2`. */
function complete(count: number, seed: number) {
  const circuit = hmm({ length: 3, states: 2, symbols: 3, seed: 1 });
  const { circuit: explicit } = materialise(circuit, ["z0", "z1", "z2"].map((z) => nodeNamed(circuit, z)));
  const random = new RandomStream(seed);
  const rows = Array.from({ length: count }, () => [3, 3, 3, 2, 2, 2].map((k) => random.integer(k)));
  return { circuit, explicit, rows };
}

Deno.test("counting: the parameters are the frequencies of the rows, weights and batches included", async () => {
  const { circuit, explicit, rows } = complete(50, 3), weights = rows.map((_, s) => 1 + s % 3);
  // Zero weights before do not matter: counting starts from nothing.
  const start = withParameters(explicit, new Map([["transition", Float32Array.of(1, 0, 0, 1)]]));
  const learner = new ReferenceLearner(start);
  const counted = await countComplete(learner, sourceOf(samplesFromRows(rows), weights), {
    batchSize: 7,
    smoothing: { leaves: { pseudocount: 3 } },
  });
  assert.deepEqual(counted, { impossible: 0, samples: 50 });
  const parameters = await learner.parameters();
  const pairs = [[0, 0], [0, 0]], emitted = [[1, 1, 1], [1, 1, 1]], first = [0, 0];
  rows.forEach((row, s) => {
    const [x, z] = [row.slice(0, 3), row.slice(3)], w = weights[s]!;
    first[z[0]!]! += w;
    for (const t of [0, 1, 2]) emitted[z[t]!]![x[t]!]! += w;
    for (const t of [1, 2]) pairs[z[t - 1]!]![z[t]!]! += w;
  });
  const rates = (table: number[][]) =>
    table.flatMap((row) => row.map((n) => n / row.reduce((a, b) => a + b)));
  const agree = (id: string, wanted: number[]) =>
    wanted.forEach((p, i) => assert.ok(close(parameters.get(id)![i]!, p, 1e-6), `${id}[${i}]`));
  agree("transition", rates(pairs));
  agree("emission", rates(emitted));
  agree("initial", rates([first]));
  // They fit the circuit without the explicit variables.
  assert.equal(withParameters(circuit, parameters).parameters.size, 3);
});

Deno.test("counting maximises log p(x, z): no other parameters fit better", async (test) => {
  await holds(
    test,
    fc.asyncProperty(fc.nat(1e6), async (seed) => {
      const { explicit, rows } = complete(12, seed), samples = samplesFromRows(rows);
      const learner = new ReferenceLearner(explicit);
      await countComplete(learner, sourceOf(samples));
      const best = withParameters(explicit, await learner.parameters());
      const total = async (circuit: typeof best) =>
        (await new ReferenceEvaluator(circuit).logLikelihoods(samples)).reduce((a, b) => a + b, 0);
      const reached = await total(best);
      for (const amount of [0.01, 0.3, 3]) {
        assert.ok(reached >= await total(perturbed(best, { amount, seed })) - 1e-4);
        assert.ok(reached >= await total(perturbed(explicit, { amount, seed })) - 1e-4);
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("counting a hidden Chow-Liu tree with its latents observed", async () => {
  const tree = { root: 0, parents: Int32Array.of(-1, 0, 0), order: [0, 1, 2] };
  const circuit = hclt(categoricalVariables(3, 2), tree, { latents: 2 });
  const { circuit: explicit } = materialise(circuit, ["z0", "z1", "z2"].map((z) => nodeNamed(circuit, z)));
  const learner = new ReferenceLearner(explicit);
  await countComplete(
    learner,
    sourceOf(samplesFromRows([[0, 1, 1, 0, 1, 1], [0, 0, 1, 0, 1, 0], [1, 1, 0, 1, 0, 0]])),
  );
  const values = await learner.parameters();
  assert.deepEqual([...values.get("z/1")!], [0, 1, 1, 0]);
  assert.deepEqual([...values.get("z/2")!], [0.5, 0.5, 1, 0]);
});

Deno.test("counting takes sequences of several lengths, padded, and values that were not seen", async () => {
  const long = hmm({ length: 6, states: 2, symbols: 3 });
  const latents = [0, 1, 2, 3, 4, 5].map((t) => nodeNamed(long, `z${t}`));
  const learner = new ReferenceLearner(materialise(long, latents).circuit);
  const { rows } = complete(40, 5);
  const none = [null, null, null];
  // The symbol at position 1 was not seen in every third row; the state was.
  const holes = rows.map(([a, b, c, ...z], s) => [a!, s % 3 === 0 ? null : b!, c!, ...none, ...z, ...none]);
  await countComplete(learner, sourceOf(samplesFromRows(holes)), { smoothing: { sums: { pseudocount: 2 } } });
  const pairs = [[1, 1], [1, 1]], emitted = [[0, 0, 0], [0, 0, 0]];
  rows.forEach((row, s) => {
    const [x, z] = [row.slice(0, 3), row.slice(3)];
    for (const t of [0, 1, 2]) if (t !== 1 || s % 3 !== 0) emitted[z[t]!]![x[t]!]!++;
    for (const t of [1, 2]) pairs[z[t - 1]!]![z[t]!]!++;
  });
  const parameters = await learner.parameters();
  for (const [id, table] of [["transition", pairs], ["emission", emitted]] as const) {
    table.flatMap((row) => row.map((n) => n / row.reduce((a, b) => a + b))).forEach((p, i) =>
      assert.ok(close(parameters.get(id)![i]!, p, 1e-6), `${id}[${i}]`)
    );
  }
});

Deno.test("counting refuses latents that are hidden, or missing where something was observed, naming them", async () => {
  const { circuit, explicit, rows } = complete(5, 1);
  await assert.rejects(
    countComplete(
      new ReferenceLearner(circuit),
      sourceOf(samplesFromRows(rows.map((row) => row.slice(0, 3)))),
    ),
    /`z\d` has a latent variable that is not a column/,
  );
  const holes = rows.map((row, s) => s === 3 ? [...row.slice(0, 4), null, row[5]!] : row);
  await assert.rejects(
    countComplete(new ReferenceLearner(explicit), sourceOf(samplesFromRows(holes)), { batchSize: 2 }),
    /sample 3, variable 4 `z1`: the value is missing/,
  );
  // In a compiled network variables are the latent ones of those below them.
  const network =
    compileFactors(parseUai("BAYES 2  2 2  2  1 0  2 0 1   2  0.3 0.7   4  0.9 0.1 0.2 0.8")).circuit;
  await assert.rejects(
    countComplete(new ReferenceLearner(network), sourceOf(samplesFromRows([[0, 1], [1, null]]))),
    /sample 1, variable 1 .*: the value is missing/,
  );
});

Deno.test("a perturbed circuit is a valid one nearby; zeros stay; only what was named changes", (test) => {
  holds(
    test,
    fc.property(anyCircuit(), fc.nat(1000), (random, seed) => {
      for (const circuit of [random, mixedCircuit()]) {
        const noisy = perturbed(circuit, { amount: 0.2, seed });
        for (const node of circuit.nodes) {
          if (node.kind !== "sum") continue;
          const width = circuit.parameters.get(node.parameter)!.shape[2]!;
          const old = circuit.parameters.get(node.parameter)!.values;
          const values = noisy.parameters.get(node.parameter)!.values;
          for (let at = 0; at < values.length; at += width) {
            assert.ok(close([...values.slice(at, at + width)].reduce((a, b) => a + b, 0), 1, 1e-5));
          }
          old.forEach((x, i) =>
            assert.ok(x === 0 ? values[i] === 0 : Math.abs(Math.log(values[i]! / x)) <= 0.2001)
          );
        }
      }
    }),
    { numRuns: 30 },
  );
  const circuit = mixedCircuit(),
    some = perturbed(circuit, { amount: 1, seed: 3, parameters: ["heights", "coins"] });
  for (const [id, { values }] of circuit.parameters) {
    const same = some.parameters.get(id)!.values.every((x, i) => x === values[i]);
    assert.equal(same, id !== "heights" && id !== "coins", id);
  }
  assert.deepEqual(
    some.parameters,
    perturbed(circuit, { amount: 1, seed: 3, parameters: ["coins", "heights"] }).parameters,
  );
});

Deno.test("shuffles are permutations of seed and epoch, in blocks where asked", () => {
  const order = shuffled(100, 7, 2);
  assert.deepEqual([...order].sort((a, b) => a - b), [...ascending(100)]);
  assert.deepEqual(shuffled(100, 7, 2), order);
  for (const [seed, epoch] of [[7, 3], [8, 2]] as const) {
    assert.notDeepEqual(shuffled(100, seed, epoch), order);
  }
  const blocks = shuffled(95, 1, 1, 10);
  assert.deepEqual([...blocks].sort((a, b) => a - b), [...ascending(95)]);
  const runs = [...blocks].map((i) => Math.floor(i / 10)).filter((b, i, all) => b !== all[i - 1]);
  assert.equal(runs.length, 10);
  assert.notDeepEqual(runs, [...runs].sort((a, b) => a - b));
});

Deno.test("batches cover the order once and are of nearly one size", (test) => {
  holds(
    test,
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 50 }), (count, size) => {
      const order = ascending(count);
      const batches = Array.from({ length: batchCount(count, size) }, (_, b) => batchOf(order, b, size));
      assert.deepEqual(batches.flatMap((batch) => [...batch]), [...order]);
      const sizes = batches.map((batch) => batch.length);
      assert.ok(Math.max(...sizes) <= size && Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
  );
});

Deno.test("dropout hides values at its rate, the same in any batch, and shows none that was missing", () => {
  const rows = Array.from({ length: 300 }, (_, s) => [1, s % 3 === 0 ? null : 1, 1, 1, 1]);
  const samples = samplesFromRows(rows), indices = ascending(300);
  const dropped = dropValues({ samples, indices }, 0.3, 5, 1).samples.observed!;
  const shown = dropped.reduce((a, b) => a + b, 0) / samples.observed!.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(shown - 0.7) < 0.05, `${shown}`);
  dropped.forEach((o, at) => assert.ok(o <= samples.observed![at]!));
  const some = Uint32Array.of(17, 3);
  const alone = dropValues({ samples: samplesFromRows([rows[17]!, rows[3]!]), indices: some }, 0.3, 5, 1);
  assert.deepEqual([...alone.samples.observed!], [...dropped.slice(85, 90), ...dropped.slice(15, 20)]);
  assert.notDeepEqual(dropValues({ samples, indices }, 0.3, 5, 2).samples.observed, dropped);
});

Deno.test("schedules: lines and steps between points", () => {
  assert.equal(scheduled(0.5, 0.3), 0.5);
  assert.ok(close(scheduled(INERTIA, 0.25), 0.945, 1e-12));
  assert.equal(scheduled(INERTIA, 0.5), 0.99);
  assert.equal(scheduled(INERTIA, 1), 0.999);
  const steps: Schedule = { points: [[0.2, 0.9], [0.6, 0.99]], between: "steps" };
  assert.deepEqual([0, 0.2, 0.59, 0.6, 1].map((at) => scheduled(steps, at)), [0.9, 0.9, 0.9, 0.99, 0.99]);
});
