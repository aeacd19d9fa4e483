import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  categoricalVariables,
  type Circuit,
  CircuitBuilder,
  CircuitError,
  hideVariables,
  hmm,
  isDeterministic,
  materialise,
  maximise,
  naiveMixture,
  nodeNamed,
  RandomStream,
  ReferenceEvaluator,
  samplesFromRows,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { allSamples, anyCircuit, assignments, close } from "./truth.ts";

function padded(rows: number[][], extra: number): (number | null)[][] {
  return rows.map((row) => [...row, ...new Array<null>(extra).fill(null)]);
}

Deno.test("summing the latent variables out gives back the likelihood, in any circuit", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(), fc.nat(1e6), fc.boolean(), async (circuit, seed, state) => {
      const random = new RandomStream(seed);
      const sums = circuit.nodes.filter((node) => node.kind === "sum" && random.uniform() < 0.5).map((node) =>
        node.id
      );
      const made = materialise(circuit, sums, { unused: state ? "state" : "uniform" });
      assert.equal(made.circuit.variables.length, circuit.variables.length + sums.length);
      const before = await new ReferenceEvaluator(circuit).logLikelihoods(allSamples(circuit));
      const after = await new ReferenceEvaluator(made.circuit).logLikelihoods(
        samplesFromRows(padded(assignments(circuit), sums.length)),
      );
      before.forEach((l, i) => assert.ok(close(l, after[i]!, 1e-9), `${l} became ${after[i]}`));
    }),
    { numRuns: 100 },
  );
});

Deno.test("with every sum materialised the circuit is deterministic and flows are counts", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(3), async (circuit) => {
      const sums = circuit.nodes.filter((node) => node.kind === "sum").map((node) => node.id);
      const made = materialise(circuit, sums, { unused: "state" });
      assert.ok(isDeterministic(made.circuit));
      const size = made.circuit.variables.reduce((n, v) => n * (v.kind === "categorical" ? v.states : 1), 1);
      if (size > 3000) return;
      const samples = allSamples(made.circuit), evaluator = new ReferenceEvaluator(made.circuit);
      const logs = await evaluator.logLikelihoods(samples);
      assert.ok(close(logs.reduce((sum, l) => sum + Math.exp(l), 0), 1, 1e-4));
      const { weights } = await evaluator.flows(samples);
      for (const counts of weights.values()) {
        for (const count of counts) assert.ok(close(count, Math.round(count), 1e-9));
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("complete-data learning of an HMM is counting", async () => {
  const circuit = hmm({ length: 3, states: 2, symbols: 3 });
  const made = materialise(circuit, ["z0", "z1", "z2"].map((name) => nodeNamed(circuit, name)));
  assert.deepEqual(made.latents, [3, 4, 5]);
  assert.equal(made.circuit.variables[4]!.name, "z1");
  // x0 x1 x2 z0 z1 z2
  const samples = samplesFromRows([[0, 1, 2, 0, 0, 1], [0, 0, 2, 1, 1, 1], [1, 1, 1, 0, 1, 0]]);
  const learned = maximise(made.circuit, await new ReferenceEvaluator(made.circuit).flows(samples));
  const rounded = (id: string) =>
    [...learned.parameters.get(id)!.values].map((x) => Math.round(x * 1000) / 1000);
  assert.deepEqual(rounded("initial"), [0.667, 0.333]);
  assert.deepEqual(rounded("transition"), [0.333, 0.667, 0.333, 0.667]);
  const smoothed = maximise(made.circuit, await new ReferenceEvaluator(made.circuit).flows(samples), 1);
  assert.deepEqual([...smoothed.parameters.get("initial")!.values], [0.625, 0.375]);
  assert.ok(close(smoothed.parameters.get("emission")!.values[0]!, (1 + 1 / 3) / 5));
  assert.deepEqual(rounded("emission"), [0.25, 0.75, 0, 0.4, 0.2, 0.4]);
});

Deno.test("posteriors of a materialised latent variable are those of Bayes' rule", async () => {
  const circuit = naiveMixture(categoricalVariables(3, 2), { components: 3, seed: 2 });
  const made = materialise(circuit, [nodeNamed(circuit, "z")]);
  const evaluator = new ReferenceEvaluator(made.circuit);
  const samples = samplesFromRows([0, 1, 2].map((k) => [1, 0, 1, k]));
  const joint = await evaluator.logLikelihoods(samples);
  const [evidence] = await evaluator.logLikelihoods(hideVariables(samples, [3]));
  assert.ok(close(joint.reduce((sum, l) => sum + Math.exp(l - evidence!), 0), 1));
  assert.ok(!isDeterministic(circuit) && isDeterministic(made.circuit));
});

Deno.test("several nodes may share a latent variable; wrong choices are refused by name", () => {
  const circuit: Circuit = hmm({ length: 3, states: 2, symbols: 2 });
  const [z0, z1] = ["z0", "z1"].map((name) => nodeNamed(circuit, name));
  assert.throws(() => materialise(circuit, [0]), /input node 0 is not a sum node/);
  assert.throws(() => materialise(circuit, [z0!, z0!]), /`z0` is chosen twice/);
  // One above the other: the latent variable would be on both sides of a product.
  assert.throws(() => materialise(circuit, [[z0!, z1!]]), CircuitError);
});

Deno.test("two sums of one scope under one latent variable: same likelihood, one more variable", async () => {
  const b = new CircuitBuilder({ seed: 3 });
  const variables = ["x", "y"].map((name) => b.categorical(name, 2));
  const part = () =>
    b.product(variables.map((variable) => b.input({ variable, family: "categorical", units: 3 })));
  const sums = [part(), part()].map((child) => b.sum([child], { units: 2 }));
  const circuit = b.build(b.sum(sums, { units: 1 }));
  const made = materialise(circuit, [sums]);
  assert.equal(made.circuit.variables.length, 3);
  const before = await new ReferenceEvaluator(circuit).logLikelihoods(allSamples(circuit));
  const after = await new ReferenceEvaluator(made.circuit).logLikelihoods(
    samplesFromRows(padded(assignments(circuit), 1)),
  );
  before.forEach((l, i) => assert.ok(close(l, after[i]!, 1e-9)));
});
