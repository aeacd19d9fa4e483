import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  categoricalVariables,
  checkCircuit,
  copyStates,
  expectedStatistics,
  hclt,
  hmm,
  maximumSpanningTree,
  naiveMixture,
  nodeNamed,
  RandomStream,
  ReferenceEvaluator,
  samplesFromRows,
  stateFlow,
  statesByFlow,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { allSamples, close } from "./truth.ts";

const tree = (seed: number) => {
  const random = new RandomStream(seed);
  const weights = new Float64Array(16);
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < i; j++) weights[i * 4 + j] = weights[j * 4 + i] = random.uniform();
  }
  return maximumSpanningTree(weights, 4);
};
const circuit = (seed: number) => hclt(categoricalVariables(4, 3), tree(seed), { latents: 3, seed });

Deno.test("maps in which every state occurs change no likelihood, whatever is copied", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      fc.nat(1000),
      fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 4 }), { minLength: 4, maxLength: 4 }),
      async (seed, extra) => {
        const before = circuit(seed);
        const maps = new Map(extra.map((more, v) => [nodeNamed(before, `z${v}`), [0, 1, 2, ...more]]));
        const after = copyStates(before, maps);
        checkCircuit(after);
        const data = allSamples(before);
        const a = await new ReferenceEvaluator(before).logLikelihoods(data);
        const b = await new ReferenceEvaluator(after).logLikelihoods(data);
        a.forEach((log, s) => assert.ok(close(log, b[s]!, 1e-5)));
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("states that are left out are gone, and the rest is a distribution", async () => {
  const before = naiveMixture(categoricalVariables(2, 2), { components: 3, seed: 1 });
  const after = copyStates(before, new Map([[nodeNamed(before, "z"), [2, 0]]]));
  checkCircuit(after);
  const [w0, , w2] = before.parameters.get("z")!.values;
  const [v0, v1] = after.parameters.get("z")!.values;
  assert.ok(close(v0!, w2! / (w0! + w2!), 1e-6) && close(v1!, w0! / (w0! + w2!), 1e-6));
  const logs = await new ReferenceEvaluator(after).logLikelihoods(allSamples(after));
  assert.ok(close(logs.reduce((total, log) => total + Math.exp(log), 0), 1, 1e-5));
});

Deno.test("states by flow: rare ones go, frequent ones are copied, ties are broken by number", () => {
  assert.deepEqual([...statesByFlow([5, 0.001, 3, 2], 4, 0.01)], [0, 0, 2, 3]);
  assert.deepEqual([...statesByFlow([9, 1, 1], 6, 0)], [0, 0, 0, 0, 1, 2]);
  assert.deepEqual([...statesByFlow([1, 1, 1], 2, 0)], [0, 1]);
  assert.deepEqual([...statesByFlow([0, 0], 3, 0.5)], [0, 0, 1].sort());
});

Deno.test("the flow of states is the posterior of the latent variable, summed", async () => {
  const made = circuit(3);
  const data = samplesFromRows([[0, 1, 2, 0], [2, 2, 0, 1]]);
  const flows = await expectedStatistics(new ReferenceEvaluator(made), data);
  for (const v of [0, 1, 2, 3]) {
    const flow = stateFlow(made, nodeNamed(made, `z${v}`), flows.weights);
    assert.equal(flow.length, 3);
    assert.ok(close(flow.reduce((a, b) => a + b), 2, 1e-9));
  }
});

Deno.test("what has no latent variable of its own is refused", () => {
  const tied = hmm({ length: 3, states: 2, symbols: 2 });
  assert.throws(() => copyStates(tied, new Map([[nodeNamed(tied, "z1"), [0, 1, 1]]])), /is tied/);
  const one = circuit(1);
  assert.throws(() => copyStates(one, new Map([[nodeNamed(one, "z1"), [0, 3]]])), /a copy of 3 of 3/);
  assert.throws(() => copyStates(one, new Map([[nodeNamed(one, "z1"), []]])), /needs a state/);
  assert.throws(() => copyStates(one, new Map([[0, [0]]])), /no dense sum/);
});
