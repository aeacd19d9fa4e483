import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  type Circuit,
  CountedWeight,
  EmTraining,
  Evidence,
  expectedStatistics,
  hmm,
  maximise,
  ReferenceEvaluator,
  ReferenceLearner,
  samplesFromRows,
  sourceOf,
  withParameters,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { anyCircuit, circuitsWithRow, close, saysOf } from "./truth.ts";

const model = { states: 2, symbols: 3 };
const values = {
  initial: [0.3, 0.7],
  transition: [0.5, 0.5, 0.4, 0.6],
  emission: [0.2, 0.3, 0.5, 0.6, 0.3, 0.1],
};

/** Expected transitions of one sequence by going through all paths of hidden states, up to what was observed last. */
function transitionsByPaths(row: readonly (number | null)[]): number[] {
  const length = row.findLastIndex((x) => x !== null) + 1;
  const counts = [0, 0, 0, 0];
  let total = 0;
  for (let path = 0; path < 2 ** length; path++) {
    const z = Array.from({ length }, (_, t) => path >> t & 1);
    let p = values.initial[z[0]!]!;
    for (let t = 0; t < length; t++) {
      if (t > 0) p *= values.transition[z[t - 1]! * 2 + z[t]!]!;
      if (row[t] !== null) p *= values.emission[z[t]! * 3 + row[t]!]!;
    }
    total += p;
    for (let t = 1; t < length; t++) counts[z[t - 1]! * 2 + z[t]!]! += p;
  }
  return counts.map((count) => count / total);
}

Deno.test("transitions are counted up to what was observed last, across gaps too", async () => {
  const circuit = hmm({ length: 9, ...model, ...values });
  const rows = [
    [0, 2, 1, null, null, null, null, null, null], // padded
    [2, null, null, 1, 0, null, null, null, null], // a gap inside says that time passed
    [null, null, 1, 2, 2, 0, 0, 1, 1], // what came first was not seen
    [1, null, null, null, null, null, null, null, null],
    [0, 1, 2, 0, 1, 2, 0, 1, 2],
  ];
  for (const row of rows) {
    const { weights } = await new ReferenceEvaluator(circuit).flows(samplesFromRows([row]));
    transitionsByPaths(row).forEach((count, i) =>
      assert.ok(Math.abs(weights.get("transition")![i]! - count) < 1e-6, `${row}: ${i}`)
    );
  }
});

Deno.test("nothing is counted of a sample that says nothing; the sample itself is possible", async () => {
  const circuit = hmm({ length: 4, ...model, ...values });
  const flows = await new ReferenceEvaluator(circuit).flows(samplesFromRows([[null, null, null, null]]));
  assert.deepEqual([flows.impossible, Math.abs(flows.logLikelihoods[0]!) < 1e-6], [0, true]);
  for (const counts of [...flows.weights.values(), ...flows.statistics.values()]) {
    assert.ok(counts.every((x) => x === 0));
  }
});

Deno.test("EM on sequences of several lengths ends where their own models would", async () => {
  // One circuit of each length, with the counts of both added up: no padding anywhere.
  const lengths = [3, 5];
  const rows = lengths.map((length, i) =>
    Array.from({ length: 12 }, (_, s) => Array.from({ length }, (_, t) => (s * (i + 2) + t * t) % 3))
  );
  let parts = lengths.map((length) => hmm({ length, ...model, ...values }));
  for (let step = 0; step < 8; step++) {
    const flows = await Promise.all(
      parts.map((part, i) => expectedStatistics(new ReferenceEvaluator(part), samplesFromRows(rows[i]!))),
    );
    const sum = (kind: "weights" | "statistics") =>
      new Map([...flows[0]![kind]].map(([id, a]) => [id, a.map((x, i) => x + flows[1]![kind].get(id)![i]!)]));
    const both = { ...flows[0]!, weights: sum("weights"), statistics: sum("statistics") };
    const { parameters } = maximise(parts[0]!, both, 0.5);
    const next = new Map([...parameters].map(([id, parameter]) => [id, parameter.values]));
    parts = parts.map((part) => withParameters(part, next));
  }
  const padded = rows.flat().map((row) => [...row, ...new Array<null>(20 - row.length).fill(null)]);
  const training = new EmTraining(
    new ReferenceLearner(hmm({ length: 20, ...model, ...values })),
    { train: sourceOf(samplesFromRows(padded)) },
    {
      epochs: 8,
      batchSize: 7,
      smoothing: { sums: { pseudocount: 0.5 }, leaves: { pseudocount: 0.5 } },
    },
  );
  for await (const _ of training);
  const trained = await training.result();
  for (const [id, { values: wanted }] of parts[0]!.parameters) {
    wanted.forEach((x, i) =>
      assert.ok(close(trained.parameters.get(id)!.values[i]!, x, 2e-6), `${id}[${i}]`)
    );
  }
});

Deno.test("where samples say something, and how much they weigh, is what recursion finds", (test) => {
  holds(
    test,
    fc.property(circuitsWithRow(), circuitsWithRow(), ({ circuit, row }, { row: other }) => {
      const second = circuit.variables.map((_, v) =>
        other[v] === undefined ? 0 : other[v] === null ? null : 0
      );
      const samples = samplesFromRows([row, second]);
      const evidence = Evidence.of(circuit), seen = evidence.seen(samples);
      const weight = new CountedWeight(circuit);
      weight.add(samples, [-1, -2], [2, 0.5]);
      for (const { id } of circuit.nodes) {
        const says = [row, second].map((one) => saysOf(circuit, id, one));
        const at = evidence.scopeOf[id]! * 2;
        assert.deepEqual(says, [0, 1].map((s) => seen === undefined || seen[at + s] === 1));
        assert.equal(weight.of(id), (says[0] ? 2 : 0) + (says[1] ? 0.5 : 0));
      }
      assert.equal(weight.total, 2.5);
    }),
    { numRuns: 100 },
  );
});

Deno.test("a circuit and the same with other parameters share what is known of its scopes", (test) => {
  holds(
    test,
    fc.property(anyCircuit(), (circuit: Circuit) => {
      assert.equal(Evidence.of(circuit), Evidence.of(withParameters(circuit, new Map())));
    }),
    { numRuns: 3 },
  );
});
