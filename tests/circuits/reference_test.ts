import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  CircuitBuilder,
  downward,
  logSumExp,
  maximise,
  ReferenceEvaluator,
  samplesFromRows,
  upward,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { agrees, allSamples, anyCircuit, circuitsWithRow, close, jointTable, likelihood } from "./truth.ts";

Deno.test("log-likelihoods are those of the definition, and sum to one", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(), async (circuit) => {
      const logs = await new ReferenceEvaluator(circuit).logLikelihoods(allSamples(circuit));
      const rows = jointTable(circuit);
      rows.forEach(({ p }, i) => assert.ok(close(Math.exp(logs[i]!), p), `${logs[i]} for ${p}`));
      assert.ok(close(logs.reduce((total, l) => total + Math.exp(l), 0), 1, 1e-5));
    }),
    { numRuns: 100 },
  );
});

Deno.test("missing values are summed out, and maximised out in max-product's upward bound", async (test) => {
  await holds(
    test,
    fc.asyncProperty(circuitsWithRow(), async ({ circuit, row }) => {
      const matching = jointTable(circuit).filter(({ x }) => agrees(x, row));
      const samples = samplesFromRows([row]);
      const [log] = await new ReferenceEvaluator(circuit).logLikelihoods(samples);
      assert.ok(close(Math.exp(log!), matching.reduce((total, { p }) => total + p, 0)));
      const best = upward(circuit, samples, 0, "max")[circuit.root]![0]!;
      // One path through the sums can only have less mass than all of them.
      assert.ok(best <= Math.log(Math.max(...matching.map(({ p }) => p))) + 1e-6);
      assert.equal(Number.isNaN(best), false);
    }),
    { numRuns: 100 },
  );
});

Deno.test("flows are derivatives of the log-likelihood of what was observed by the logarithm of the weights", async (test) => {
  await holds(
    test,
    fc.asyncProperty(circuitsWithRow(), async ({ circuit, row }) => {
      const evaluator = new ReferenceEvaluator(circuit);
      const samples = samplesFromRows([row]);
      const { weights, logLikelihoods, impossible } = await evaluator.flows(samples);
      if (impossible === 1) {
        assert.equal(logLikelihoods[0], -Infinity);
        for (const counts of weights.values()) assert.ok(counts.every((f) => f === 0));
        return;
      }
      for (const [id, counts] of weights) {
        const values = circuit.parameters.get(id)!.values;
        for (let i = 0; i < values.length; i++) {
          const at = (w: number) => {
            const changed = Float64Array.from(values);
            changed[i] = w;
            // Weights of which nothing was observed have no part in the likelihood.
            const moved = likelihood(
              circuit,
              row,
              (_, other) => other === id ? changed : circuit.parameters.get(other)!.values,
            );
            return { log: Math.log(moved), w };
          };
          if (values[i] === 0) {
            assert.equal(counts[i], 0);
            continue;
          }
          const [a, b] = [at(values[i]! * 1.002), at(values[i]! * 0.998)];
          const derivative = (a.log - b.log) / (Math.log(a.w) - Math.log(b.w));
          assert.ok(Math.abs(derivative - counts[i]!) < 1e-4, `${id}[${i}]: ${derivative} and ${counts[i]}`);
        }
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("flow is conserved: what enters a sum leaves by its edges, and every variable gets a flow of 1", (test) => {
  holds(
    test,
    fc.property(circuitsWithRow(), ({ circuit, row }) => {
      const samples = samplesFromRows([row]);
      const logs = upward(circuit, samples, 0);
      if (logs[circuit.root]![0] === -Infinity) return;
      const left = circuit.nodes.map((node) => new Float64Array(node.units));
      const flows = downward(circuit, logs, (id, output, _at, flow) => left[id]![output]! += flow);
      const perVariable = circuit.variables.map(() => 0);
      for (const node of circuit.nodes) {
        if (node.kind === "sum") {
          node.units && flows[node.id]!.forEach((f, u) => assert.ok(close(f, left[node.id]![u]!)));
        }
        if (node.kind === "input") perVariable[node.variable]! += flows[node.id]!.reduce((a, b) => a + b, 0);
      }
      perVariable.forEach((total) => assert.ok(close(total, 1)));
    }),
    { numRuns: 100 },
  );
});

Deno.test("EM on the reference never lowers the likelihood, whatever is missing", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(), fc.nat(1000), async (circuit, salt) => {
      const rows = jointTable(circuit).map(({ x }, i) =>
        x.map((k, v) => (i * 7 + v * 3 + salt) % 4 === 0 ? null : k)
      );
      const samples = samplesFromRows(rows), sampleWeights = rows.map((_, i) => 1 + (i * salt) % 5);
      let current = circuit, before = -Infinity, impossible = -1;
      for (let step = 0; step < 4; step++) {
        const flows = await new ReferenceEvaluator(current).flows(samples, sampleWeights);
        const total = flows.logLikelihoods.reduce(
          (sum, l, i) => l === -Infinity ? sum : sum + l * sampleWeights[i]!,
          0,
        );
        if (impossible >= 0) assert.equal(flows.impossible, impossible);
        impossible = flows.impossible;
        assert.ok(
          total >= before - 1e-4 * Math.abs(before === -Infinity ? 0 : before),
          `${total} after ${before}`,
        );
        before = total;
        current = maximise(current, flows);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("likelihoods far below the range of a float64 stay finite, impossible samples are -Infinity", async () => {
  const b = new CircuitBuilder();
  const leaves = Array.from({ length: 3000 }, (_, v) => {
    const variable = b.categorical(`x${v}`, 3);
    return b.input({
      variable,
      family: "categorical",
      units: 1,
      parameter: v === 0 ? [0.5, 0.5, 0] : [0.1, 0.2, 0.7],
    });
  });
  const evaluator = new ReferenceEvaluator(b.build(b.product(leaves)));
  const rows = [0, 2].map((k) => leaves.map((_, v) => v === 0 ? k : 0));
  const logs = await evaluator.logLikelihoods(samplesFromRows(rows));
  assert.ok(close(logs[0]!, Math.log(0.5) + 2999 * Math.log(Math.fround(0.1))));
  assert.equal(logs[1], -Infinity);
  assert.equal(logSumExp([-Infinity, -Infinity]), -Infinity);
  assert.ok(close(logSumExp([-1000, -1000]), -1000 + Math.log(2)));
});

Deno.test("the brute force gives the likelihoods of a mixture that were worked out by hand", () => {
  const b = new CircuitBuilder();
  const [x, y] = ["x", "y"].map((name) => b.categorical(name, 2));
  const leaf = (variable: number, ...rows: number[][]) =>
    b.input({ variable, family: "categorical", units: rows.length, parameter: rows.flat() });
  const both = b.product([leaf(x!, [0.25, 0.75], [0.5, 0.5]), leaf(y!, [0.125, 0.875], [1, 0])]);
  // Two groups of one unit each, whose weights are the 1 of a single input; then the mixture of the two.
  const grouped = b.sum([both], { units: 2, groups: 2, weights: [1, 1] });
  const circuit = b.build(b.sum([grouped], { units: 1, groups: 1, weights: [0.25, 0.75] }));
  assert.deepEqual(jointTable(circuit), [
    { x: [0, 0], p: 0.25 * 0.25 * 0.125 + 0.75 * 0.5 },
    { x: [0, 1], p: 0.25 * 0.25 * 0.875 },
    { x: [1, 0], p: 0.25 * 0.75 * 0.125 + 0.75 * 0.5 },
    { x: [1, 1], p: 0.25 * 0.75 * 0.875 },
  ]);
});
