import assert from "node:assert/strict";
import fc from "fast-check";
import {
  categoricalVariables,
  type Circuit,
  CircuitBuilder,
  hclt,
  hmm,
  maximumSpanningTree,
  naiveMixture,
  RandomStream,
  ReferenceEvaluator,
  type Samples,
  withParameters,
} from "../../circuits/mod.ts";
import { CpuEngine } from "../../kernels/cpu/engine.ts";
import { GraphRunner } from "../../kernels/cpu/graph_runner.ts";
import { CpuModel } from "../../kernels/cpu/model.ts";
import { judgeRoot, judgeRows, uncertifiedSamples } from "../../kernels/cpu/verdicts.ts";
import { holds } from "../property.ts";

function runnerOf(circuit: Circuit): GraphRunner {
  return new GraphRunner(new CpuModel(circuit), { threads: 1 });
}

/** A tree over the variables with links drawn at random: some nodes have many children. */
function treeCircuit(count: number, seed: number): Circuit {
  const random = new RandomStream(seed), weights = new Float64Array(count * count);
  for (let v = 0; v < count; v++) {
    // Links to the first variable are likely.
    for (let w = 0; w < v; w++) {
      weights[v * count + w] = weights[w * count + v] = random.uniform() + (w === 0 ? 0.6 : 0);
    }
  }
  return hclt(categoricalVariables(count, 5), maximumSpanningTree(weights, count), { latents: 3, seed });
}

function drawn(circuit: Circuit, count: number, seed: number): Samples {
  const random = new RandomStream(seed), variables = circuit.variables.length;
  return {
    count,
    variables,
    values: Uint8Array.from({ length: count * variables }, () => random.integer(5)),
    observed: Uint8Array.from({ length: count * variables }, () => random.integer(8) > 0 ? 1 : 0),
  };
}

Deno.test("without error bounds values, counts and likelihoods are the same to the bit", async (test) => {
  await holds(
    test,
    fc.asyncProperty(fc.integer({ min: 2, max: 11 }), fc.nat(1000), async (variables, seed) => {
      const circuit = treeCircuit(variables, seed), runner = runnerOf(circuit);
      try {
        assert.ok(runner.isUnbounded);
        const samples = drawn(circuit, 7, seed), random = new RandomStream(seed, 1);
        const weights = Float32Array.from({ length: 7 * 5 }, () => 0.1 + random.uniform());
        const batch = runner.prepare(
          seed % 3 === 0 ? { ...samples, soft: new Map([[0, { weights }], [1, { weights }]]) } : samples,
        );
        const root = runner.segmentation.segments.at(-1)!;
        const bounded = judgeRows(root, await runner.run("likelihoods", batch, false), 7);
        const unbounded = await runner.run("unbounded likelihoods", batch, false);
        assert.deepEqual(uncertifiedSamples(unbounded), []);
        assert.deepEqual(judgeRows(root, unbounded, 7), bounded);
        const names = [...(await runner.program("training", batch)).outputs].map(({ name }) => name)
          .filter((name) => name.startsWith("flow_") || name.startsWith("ratio_"));
        assert.ok(names.length > 1);
        const one = await runner.run("training", batch, false);
        const other = await runner.run("unbounded training", batch, false);
        assert.deepEqual(judgeRoot(other), judgeRoot(one));
        for (const name of names) assert.deepEqual(other.singles(name), one.singles(name), name);
      } finally {
        await runner.close();
      }
    }),
    { numRuns: 12 },
  );
});

/**
 * A root and two leaves of it, two states each, that all but determine each other: parts of the tree that contradict each other
 * leave a product far below its floor.
 */
function contradictory(): Circuit {
  const circuit = hclt(categoricalVariables(3, 2), {
    root: 0,
    parents: Int32Array.of(-1, 0, 0),
    order: [0, 1, 2],
  }, { latents: 2 });
  const values = new Map([...circuit.parameters].map(([id, { values: { length } }]) => {
    if (length === 2) return [id, Float32Array.of(0.5, 0.5)];
    const rare = id.startsWith("z/") ? 1e-9 : 1e-20;
    return [id, Float32Array.of(1 - rare, rare, rare, 1 - rare)];
  }));
  return withParameters(circuit, values);
}

Deno.test("samples below a floor are told apart and computed with their bounds", async () => {
  const circuit = contradictory();
  const samples: Samples = {
    count: 8,
    variables: 3,
    values: Uint8Array.from({ length: 24 }, (_, i) => Math.floor(i / 3) >> (2 - i % 3) & 1),
  };
  const runner = runnerOf(circuit);
  assert.ok(runner.isUnbounded);
  // 011 and 100: what the root says, and what both leaves say.
  const unbounded = await runner.run("unbounded likelihoods", runner.prepare(samples), false);
  assert.deepEqual(uncertifiedSamples(unbounded), [3, 4]);
  await runner.close();

  const weights = [1, 2, 0.5, 3, 0.25, 0, 1, 1];
  const engine = new CpuEngine(circuit, { threads: 1 }), reference = new ReferenceEvaluator(circuit);
  try {
    const logs = await reference.logLikelihoods(samples);
    (await engine.logLikelihoods(samples)).forEach((log, s) => assert.ok(Math.abs(log - logs[s]!) < 1e-5));
    const found = await engine.flows(samples, weights), expected = await reference.flows(samples, weights);
    found.logLikelihoods.forEach((log, s) => assert.ok(Math.abs(log - logs[s]!) < 1e-5));
    for (const kind of ["weights", "statistics"] as const) {
      for (const [id, counts] of expected[kind]) {
        counts.forEach((count, i) =>
          assert.ok(
            Math.abs(found[kind].get(id)![i]! - count) < 1e-5,
            `${id}[${i}] ${found[kind].get(id)![i]} ${count}`,
          )
        );
      }
    }
    // Bounds do not vouch for them either: in each of two calls they were computed exactly, and no others.
    assert.equal(engine.recomputed, 4);
  } finally {
    await engine.close();
  }
});

/** A product of two leaves of two units, of which the first is all but impossible where the second is not. */
function productRoot(): Circuit {
  const b = new CircuitBuilder({ seed: 1 });
  for (const variable of categoricalVariables(2, 2)) b.variable(variable);
  const leaves = [0, 1].map((v) => b.input({ variable: v, family: "categorical", units: 2 }));
  const circuit = b.build(b.product(leaves));
  const values = Float32Array.of(1e-30, 1, 0.5, 0.5);
  return withParameters(circuit, new Map([...circuit.parameters.keys()].map((id) => [id, values.slice()])));
}

Deno.test("every unit of a root has its own certainty", async () => {
  const circuit = productRoot();
  const samples: Samples = { count: 2, variables: 2, values: Uint8Array.of(0, 0, 1, 1) };
  const engine = new CpuEngine(circuit, { threads: 1 });
  try {
    const expected = await new ReferenceEvaluator(circuit).logLikelihoods(samples);
    assert.ok(expected.every(Number.isFinite));
    (await engine.logLikelihoods(samples)).forEach((log, i) =>
      assert.ok(Math.abs(log - expected[i]!) < 1e-4)
    );
  } finally {
    await engine.close();
  }
});

Deno.test("products of some factors of many states stay above their floor together", async () => {
  for (const factors of [3, 5, 6, 9]) {
    const circuit = naiveMixture(categoricalVariables(factors, 64), { components: 3 });
    const runner = runnerOf(circuit);
    assert.ok(runner.isUnbounded);
    const random = new RandomStream(factors);
    const samples: Samples = {
      count: 50,
      variables: factors,
      values: Uint8Array.from({ length: 50 * factors }, () => random.integer(64)),
    };
    const batch = runner.prepare(samples), root = runner.segmentation.segments.at(-1)!;
    const unbounded = await runner.run("unbounded likelihoods", batch, false);
    const short = new Set(uncertifiedSamples(unbounded)), { logs } = judgeRows(root, unbounded, 50);
    // Nine factors of 64 states are near the end of what one product can hold.
    assert.ok(factors > 6 || short.size === 0, `${short.size} of ${factors} factors`);
    const bounded = judgeRows(root, await runner.run("likelihoods", batch, false), 50);
    logs.forEach((log, s) => {
      if (short.has(s)) return;
      assert.equal(log, bounded.logs[s]);
      assert.ok(!bounded.uncertified.has(s));
    });
    await runner.close();
  }
});

Deno.test("bounds are kept for many factors, leaves given as logarithms, and products of products", async () => {
  const gaussian = hclt(
    [0, 1, 2].map((v) => ({ name: `x${v}`, kind: "real" as const })),
    { root: 0, parents: Int32Array.of(-1, 0, 0), order: [0, 1, 2] },
    { latents: 2 },
  );
  const nested = new CircuitBuilder({ seed: 1 });
  for (const variable of categoricalVariables(3, 2)) nested.variable(variable);
  const [a, b, c] = [0, 1, 2].map((v) => nested.input({ variable: v, family: "categorical", units: 2 }));
  const circuits: [Circuit, boolean][] = [
    [hmm({ length: 4, states: 3, symbols: 4 }), true],
    [naiveMixture(categoricalVariables(30, 2), { components: 3 }), false],
    [gaussian, false],
    [nested.build(nested.sum([nested.product([nested.product([a!, b!]), c!])], { units: 1 })), false],
    [productRoot(), false],
  ];
  for (const [circuit, unbounded] of circuits) {
    const runner = runnerOf(circuit);
    assert.equal(runner.isUnbounded, unbounded);
    await runner.close();
  }
});
