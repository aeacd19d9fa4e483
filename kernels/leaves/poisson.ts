import type { Value } from "../onnx/graph.ts";
import { pairOf } from "../webgpu/words.ts";
import { deviance, MOST_COUNT, poissonOffset } from "../../circuits/leaves/counting.ts";
import type { DeviceLeaf, LeafFolds, LeafGraph } from "./device_leaf.ts";
import { farthest } from "./reach.ts";
import { TABLE } from "./states.ts";
import { sampleSums } from "./sums.ts";

/**
 * Likelihoods of counts, computed from the rate as in circuits/leaves/counting.ts: the host supplies the part of the
 * logarithm that depends on the count alone; the device subtracts the deviance from the rate. Rows of the table: the
 * rate as a sum of two floats.
 */
export const poissonDevice: DeviceLeaf = {
  gpu: {
    kind: "table",
    probabilities: false,
    encoding: () => ({
      kind: "own",
      key: "poisson",
      words: (count) => [count, Math.LOG2E * poissonOffset(count)],
    }),
    tableRows: () => 2,
    statisticsRows: () => 2,
    encode({ units, values }, { from, to, out, at, stride }) {
      for (let u = 0; u < units; u++) {
        const pair = pairOf(values[u] as number);
        for (let row = from; row < to; row++) out[at + (row - from) * stride + u] = pair[row] as number;
      }
    },
    value: {
      kind: "poisson",
      declarations: TABLE,
      constants: (circuit) => ({ LOG: false, MOST: farthest(circuit) ** 2 / 2 }),
      code: `\
  if (value == MISSING) {
    //# if MAX
    log = modes[fold.mode + unit];
    //# end
  } else {
    let k = f32(value);
    let rate = fold.table + unit;
    let above = (k - table[rate]) - table[rate + shape.tableStride];
    // Half the deviance, k log(k / rate) + rate - k: near the rate by a series, where the terms would cancel.
    let v = above / (k + table[rate]);
    let square = v * v;
    var term = 2.0 * k * v;
    var series = above * v;
    for (var j = 3; j < 29; j += 2) {
      term *= square;
      series += term / f32(j);
    }
    let plain = k * log2(max(k, 1.0) / table[rate]) / LOG2E - above;
    // Beyond MOST likelihoods stop falling, so that scales stay in their range: see far.ts.
    let deviance = min(select(plain, series, abs(v) < Value(0.5)), Value($MOST));
    log = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]) - deviance * LOG2E;
  }`,
    },
    statistics: {
      kind: "counts",
      reads: "values",
      flops: 3,
      code: sampleSums({
        missing: ["MISSING", "0xffffffffu"],
        sums: [["total", "flow * f32(value)"]],
      }),
    },
    reach: {
      spans: (parameter, limit) =>
        Array.from(parameter, (rate) => [
          edge(rate, 0, limit),
          edge(rate, 2 * MOST_COUNT, limit),
        ]),
    },
  },
  onnx: emit,
};

/** Distance from a rate toward `end` at which a count is as unlikely as a normal value `limit` standard deviations away. */
function edge(rate: number, end: number, limit: number): number {
  const most = limit * limit / 2;
  if (deviance(end, rate) <= most) return end;
  let near = rate, far = end;
  for (let step = 0; step < 60; step++) {
    const middle = (near + far) / 2;
    if (deviance(middle, rate) <= most) near = middle;
    else far = middle;
  }
  return near;
}

/** Log factorials below this are looked up; above, four terms of Stirling's series are accurate to 1e-15. */
const FEW = 32;

/** `k log(rate) - rate - log k!`. */
function emit(to: LeafGraph, leaves: LeafFolds): Value {
  const { graph } = to, { group, folds } = leaves, { units } = group;
  const x = to.values(leaves), observed = to.observed(leaves, x, true);
  const number = (n: number) => graph.constant(Float64Array.of(n), []);
  const whole = (n: number) => graph.constant(BigInt64Array.of(BigInt(n)), []);
  const rates = new Float64Array(folds * units), logs = rates.slice();
  for (let fold = 0; fold < folds; fold++) {
    const { leaf: { values }, first } = to.leaf(leaves, fold);
    for (let u = 0; u < units; u++) {
      rates[fold * units + u] = values[first + u] as number;
      logs[fold * units + u] = Math.log(values[first + u] as number);
    }
  }
  const factorials = new Float64Array(FEW + 1);
  for (let k = 1; k <= FEW; k++) factorials[k] = (factorials[k - 1] as number) + Math.log(k);
  // The runtime rejects rows outside the table, so values that are neither missing nor counts are refused.
  const count = to.whole(x);
  const row = graph.op("Where", [
    observed,
    graph.op("Where", [to.areWhole(x, MOST_COUNT + 1), graph.op("Min", [count, whole(FEW)]), whole(2 ** 48)]),
    whole(0),
  ]);
  const looked = graph.op("Gather", [graph.constant(factorials), row], { axis: 0 });
  const k = graph.op("Max", [graph.op("Where", [observed, to.doubles(x), number(0)]), number(0)]);
  const large = graph.op("Max", [k, number(FEW)]);
  const inverse = graph.op("Reciprocal", [large]), square = graph.op("Mul", [inverse, inverse]);
  const times = (a: Value, b: Value) => graph.op("Mul", [a, b]);
  const plus = (a: Value, b: Value) => graph.op("Add", [a, b]);
  // 1/(12 k) - 1/(360 k^3) + 1/(1260 k^5) - 1/(1680 k^7)
  const series = times(
    inverse,
    [1 / 1260, -1 / 360, 1 / 12].reduce((sum, c) => plus(times(sum, square), number(c)), number(-1 / 1680)),
  );
  const stirling = plus(
    graph.op("Sub", [times(plus(large, number(0.5)), graph.op("Log", [large])), large]),
    plus(series, number(0.5 * Math.log(2 * Math.PI))),
  );
  const factorial = graph.op("Where", [graph.op("Less", [k, number(FEW)]), looked, stirling]);
  const last = graph.integers(2), shape = [folds, 1, units];
  const byUnit = (value: Value) => graph.op("Unsqueeze", [value, last]);
  const log = graph.op("Sub", [
    graph.op("Sub", [
      times(byUnit(k), graph.constant(logs, shape)),
      graph.constant(rates, shape),
    ]),
    byUnit(factorial),
  ]);
  return to.orNothing(observed, log);
}
