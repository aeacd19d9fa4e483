import assert from "node:assert/strict";
import {
  CircuitBuilder,
  formatJpc,
  type Leaf,
  leafFamilies,
  leafMarginals,
  logLikelihood,
  ReferenceEvaluator,
  samplesFromRows,
  sourceOf,
} from "../../../circuits/mod.ts";

const { histogram } = leafFamilies;

function leaf(edges: unknown, shares: number[], units = 1): Leaf {
  return {
    variable: { kind: "real", name: "x" },
    units,
    settings: { edges: edges as number[] },
    values: Float64Array.from(shares),
  };
}

Deno.test("histogram: a value on an edge is in the bin above, on the last in the last, outside impossible", () => {
  const at = leaf([-1, 0, 0.5, 2.5], [0.5, 0.25, 0.25]);
  const density = (x: number) => Math.exp(histogram.logProbability(at, 0, x));
  for (
    const [x, wanted] of [
      [-1, 0.5],
      [-1e-9, 0.5],
      [0, 0.5],
      [0.49, 0.5],
      [0.5, 0.125],
      [2.5, 0.125],
      [2.5 + 1e-12, 0],
      [-1 - 1e-12, 0],
      [1e300, 0],
    ] as const
  ) assert.ok(Math.abs(density(x) - wanted) < 1e-15, `${x}: ${density(x)}`);
  // Many bins: as a search from the first edge on has it.
  const edges = Array.from({ length: 1000 }, (_, i) => Math.sinh(i / 100 - 5));
  const many = leaf(edges, new Array(999).fill(1 / 999));
  for (let i = 0; i < 500; i++) {
    const x = Math.sinh(i / 50 - 5.003);
    const bin = edges.findLastIndex((edge, j) => j < 999 && edge <= x);
    const wanted = bin < 0 || x > edges[999]! ? -Infinity : -Math.log(999 * (edges[bin + 1]! - edges[bin]!));
    const got = histogram.logProbability(many, 0, x);
    assert.ok(got === wanted || Math.abs(got - wanted) < 1e-12, `${x}: ${got}, not ${wanted}`);
  }
});

Deno.test("histogram: the M-step is the share of each bin, and smoothing goes by bins", async () => {
  const at = leaf([0, 1, 3], [0.5, 0.5]), statistics = new Float64Array(2);
  for (const x of [0.5, 0.25, 2, 7]) histogram.accumulate(at, 0, x, 1, statistics);
  assert.deepEqual([...histogram.maximise(at, statistics, 0)], [Math.fround(2 / 3), Math.fround(1 / 3)]);
  assert.deepEqual([...histogram.maximise(at, statistics, 1)], [Math.fround(2.5 / 4), Math.fround(1.5 / 4)]);
  const b = new CircuitBuilder(), x = b.real("x");
  const circuit = b.build(
    b.input({ variable: x, family: "histogram", units: 1, settings: { edges: [0, 1, 3] }, id: "bins" }),
  );
  const marginals = await leafMarginals(circuit, sourceOf(samplesFromRows([[0.5], [2], [2.5], [null], [9]])));
  assert.deepEqual([...marginals.get("bins")!], [0.4, 0.6]);
  const outside = await logLikelihood(new ReferenceEvaluator(circuit), samplesFromRows([[9], [null]]));
  assert.deepEqual([...outside], [-Infinity, 0]);
  assert.throws(() => formatJpc(circuit), /has no histogram leaves/);
});

Deno.test("histogram: edges that make no bins are described", () => {
  for (
    const [edges, message] of [
      [undefined, /must list at least 2 numbers/],
      [[1], /must list at least 2 numbers/],
      [[0, 1, 1], /edge 2 is 1, expected finite numbers, each above the one before/],
      [[0, NaN], /edge 1 is NaN/],
      [[-1e308, 1e308], /bin 0 is wider than a double holds/],
    ] as const
  ) assert.match(histogram.checkSettings(leaf(edges, [1])) ?? "", message);
  assert.match(histogram.checkValues(leaf([0, 1, 2], [0.5, 0.25])) ?? "", /unit 0 sums to 0.75/);
});
