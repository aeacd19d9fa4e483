import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  type Circuit,
  expectedStatistics,
  maximise,
  ReferenceEvaluator,
  ReferenceLearner,
  type Samples,
  samplesFromRows,
  topDown,
  unobserved,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { learnerConformance, mixedCircuit, randomBatch } from "./learner_conformance.ts";
import { allSamples, anyCircuit, close, jointTable, saysOf } from "./truth.ts";

learnerConformance({ name: "reference", open: (circuit) => new ReferenceLearner(circuit) });

async function updated(circuit: Circuit, samples: Samples, rule: Parameters<ReferenceLearner["update"]>[0]) {
  const learner = new ReferenceLearner(circuit);
  await learner.accumulate(samples);
  await learner.update(rule);
  return await learner.parameters();
}

Deno.test("an EM update is the M-step of `maximise`, whatever the leaves", async (test) => {
  await holds(
    test,
    fc.asyncProperty(
      anyCircuit(),
      fc.nat(1000),
      fc.constantFrom(0, 0.3),
      async (random, seed, pseudocount) => {
        for (const circuit of [random, mixedCircuit()]) {
          const samples = samplesFromRows(randomBatch(circuit, 8, seed));
          const flows = await expectedStatistics(new ReferenceEvaluator(circuit), samples);
          const wanted = maximise(circuit, flows, pseudocount);
          const got = await updated(circuit, samples, {
            step: { kind: "em" },
            sums: { pseudocount },
            leaves: { pseudocount },
          });
          for (const [id, values] of got) {
            wanted.parameters.get(id)!.values.forEach((x, i) => assert.ok(close(x, values[i]!, 1e-6), id));
          }
        }
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("top-down probabilities are the flows of a sample with nothing observed", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(), async (circuit) => {
      const evaluator = new ReferenceEvaluator(circuit);
      const nothing = unobserved(1, circuit.variables.length);
      const inputs = circuit.nodes.filter((node) => node.kind === "input").map((node) => node.id);
      const passed = topDown(circuit);
      for (const [id, flows] of await evaluator.leafFlows(nothing, inputs)) {
        flows.forEach((f, u) =>
          assert.ok(Math.abs(f - passed[id]![u]!) < 1e-6, `${f} and ${passed[id]![u]}`)
        );
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("anemone: a step on the model's own expectation stays where it is", async (test) => {
  // Samples in proportion to their probability have counts in proportion to TD * theta, so any step is a rest.
  await holds(
    test,
    fc.asyncProperty(anyCircuit(), fc.constantFrom(0.1, 0.5, 1), async (circuit, step) => {
      const learner = new ReferenceLearner(circuit);
      await learner.accumulate(allSamples(circuit), jointTable(circuit).map(({ p }) => 3 * p));
      await learner.update({ step: { kind: "anemone", step } });
      const after = await learner.parameters();
      for (const node of circuit.nodes) {
        if (node.kind !== "sum") continue;
        circuit.parameters.get(node.parameter)!.values.forEach((w, i) =>
          assert.ok(Math.abs(w - after.get(node.parameter)![i]!) < 1e-5)
        );
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("mix and base: smoothed counts are the formula's", async () => {
  const circuit = mixedCircuit(), samples = samplesFromRows(randomBatch(circuit, 30, 2));
  const { statistics } = await expectedStatistics(new ReferenceEvaluator(circuit), samples);
  const base = [0.2, 0.2, 0.6], counts = statistics.get("colours")!;
  const after = await updated(circuit, samples, {
    step: { kind: "em" },
    parameters: { colours: { base, mix: 0.5, pseudocount: 4 } },
  });
  for (let unit = 0; unit < 4; unit++) {
    const row = counts.slice(unit * 3, unit * 3 + 3), total = row[0]! + row[1]! + row[2]!;
    row.forEach((c, k) => {
      const wanted = (0.5 * c + (0.5 * total + 4) * base[k]!) / (total + 4);
      assert.ok(close(wanted, after.get("colours")![unit * 3 + k]!, 1e-6));
    });
  }
});

Deno.test("inertia mixes old and new; anemone mixes what the samples would count before and what they count", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(), fc.nat(1000), fc.constantFrom(0.25, 0.9), async (circuit, seed, share) => {
      const rows = randomBatch(circuit, 8, seed), samples = samplesFromRows(rows);
      const flows = await new ReferenceEvaluator(circuit).flows(samples);
      const possible = rows.filter((_, s) => flows.logLikelihoods[s]! > -Infinity);
      const passed = topDown(circuit);
      /** How often the samples would take an edge, those apart that say nothing about its node. */
      const expected = (id: string, at: number, width: number) =>
        circuit.nodes.reduce((total, node) => {
          if (node.kind !== "sum" || node.parameter !== id) return total;
          const saying = possible.filter((row) => saysOf(circuit, node.id, row)).length;
          const weight = circuit.parameters.get(id)!.values[at]!;
          return total + saying * passed[node.id]![Math.floor(at / width)]! * weight;
        }, 0);
      const em = maximise(circuit, flows).parameters;
      const slow = await updated(circuit, samples, { step: { kind: "inertia", inertia: share } });
      const anemone = await updated(circuit, samples, { step: { kind: "anemone", step: share } });
      for (const [id, counts] of flows.weights) {
        const { shape, values } = circuit.parameters.get(id)!, width = shape[2]!;
        for (let at = 0; at < values.length; at += width) {
          const row = Array.from(
            { length: width },
            (_, i) => (1 - share) * expected(id, at + i, width) + share * counts[at + i]!,
          );
          const total = row.reduce((a, b) => a + b);
          for (let i = 0; i < width; i++) {
            const old = values[at + i]!;
            assert.ok(
              close(slow.get(id)![at + i]!, share * old + (1 - share) * em.get(id)!.values[at + i]!, 1e-5),
            );
            assert.ok(close(anemone.get(id)![at + i]!, total > 0 ? row[i]! / total : old, 1e-5));
          }
        }
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("gaussian and logistic leaves take the step in their expected statistics", async () => {
  const circuit = mixedCircuit(), rows = randomBatch(circuit, 40, 8), samples = samplesFromRows(rows);
  const tall = rows.filter((row) => row[3] !== null).length;
  const nothing = await new ReferenceEvaluator(circuit).leafFlows(
    unobserved(1, 5),
    circuit.nodes.flatMap((node) => node.kind === "input" ? [node.id] : []),
  );
  const { statistics } = await new ReferenceEvaluator(circuit).flows(samples);
  const node = circuit.nodes.find((n) => n.kind === "input" && n.parameter === "heights")!;
  const old = circuit.parameters.get("heights")!.values;
  const after = await updated(circuit, samples, { step: { kind: "anemone", step: 0.25 } });
  for (const u of [0, 1]) {
    const [m, s] = [old[2 * u]!, old[2 * u + 1]!], mass = 0.75 * tall * nothing.get(node.id)![u]!;
    const [n, first, second] = [1, 0, s * s].map((x, i) =>
      mass * x + 0.25 * statistics.get("heights")![3 * u + i]!
    );
    assert.ok(close(after.get("heights")![2 * u]!, m + first! / n!, 1e-5));
    assert.ok(close(after.get("heights")![2 * u + 1]!, Math.sqrt(second! / n! - (first! / n!) ** 2), 1e-5));
  }
  // With half the inertia the logistic scale is the geometric mean of old and new.
  const em = await updated(circuit, samples, { step: { kind: "em" } });
  const half = await updated(circuit, samples, { step: { kind: "inertia", inertia: 0.5 } });
  const [oldLevels, newLevels] = [circuit.parameters.get("levels")!.values, em.get("levels")!];
  assert.ok(close(half.get("levels")![1]!, Math.sqrt(oldLevels[1]! * newLevels[1]!), 1e-5));
  assert.ok(close(half.get("levels")![0]!, (oldLevels[0]! + newLevels[0]!) / 2, 1e-5));
});
