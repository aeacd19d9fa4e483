import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  categoricalVariables,
  CircuitBuilder,
  formatJpc,
  formatUai,
  hmm,
  naiveMixture,
  parseJpc,
  parseUai,
  ReferenceEvaluator,
  samplesFromRows,
} from "../../circuits/mod.ts";
import { holds } from "../property.ts";
import { allSamples, anyCircuit, close } from "./truth.ts";

Deno.test("a circuit written as .jpc comes back with the same likelihoods", async (test) => {
  await holds(
    test,
    fc.asyncProperty(anyCircuit(), async (circuit) => {
      const back = parseJpc(formatJpc(circuit));
      const [before, after] = await Promise.all(
        [circuit, back].map((c) => new ReferenceEvaluator(c).logLikelihoods(allSamples(circuit))),
      );
      before!.forEach((log, i) => assert.ok(close(Math.exp(log), Math.exp(after![i]!), 1e-5)));
    }),
    { numRuns: 50 },
  );
});

Deno.test(".jpc holds tied parameters and real columns, and refuses what it has no words for", async () => {
  const chain = hmm({ length: 4, states: 3, symbols: 5 });
  const logs = (circuit: typeof chain, rows: number[][]) =>
    new ReferenceEvaluator(circuit).logLikelihoods(samplesFromRows(rows));
  const rows = [[0, 1, 2, 3], [4, 4, 4, 4]];
  const [a, b] = await Promise.all([logs(chain, rows), logs(parseJpc(formatJpc(chain)), rows)]);
  a.forEach((log, i) => assert.ok(Math.abs(log - b[i]!) < 1e-5));
  const real = naiveMixture([{ kind: "real", name: "height" }, ...categoricalVariables(1, 3)], {
    components: 2,
  });
  const mixed = [[0.25, 2], [-1.5, 0]];
  const [c, d] = await Promise.all([logs(real, mixed), logs(parseJpc(formatJpc(real)), mixed)]);
  c.forEach((log, i) => assert.ok(Math.abs(log - d[i]!) < 1e-5));

  const builder = new CircuitBuilder();
  const outside = builder.input({ variable: builder.external("y"), family: "external", units: 1 });
  assert.throws(() => formatJpc(builder.build(outside)), /the \.jpc format has no external leaves/);
  const two = new CircuitBuilder();
  const vector = two.input({ variable: two.categorical("x", 2), family: "categorical", units: 2 });
  assert.throws(() => formatJpc(two.build(vector)), /the root of this circuit has 2 units/);
});

Deno.test("a graphical model written as .uai comes back as it was", () => {
  const graph = {
    states: [2, 3, 1],
    factors: [
      { scope: [], values: Float64Array.of(0.1) },
      { scope: [1, 0], values: Float64Array.of(1e-300, 2, 3, 0, 5, 1 / 3) },
    ],
  };
  assert.deepEqual(parseUai(formatUai(graph)), graph);
  assert.match(formatUai(graph, "BAYES"), /^BAYES\n3\n2 3 1\n2\n0\n2 1 0\n1\n0\.1\n6\n/);
  assert.throws(
    () => formatUai({ states: [2], factors: [{ scope: [0], values: Float64Array.of(1) }] }),
    /factor 0/,
  );
});
