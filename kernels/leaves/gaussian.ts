import { pairOf } from "../webgpu/words.ts";
import type { DeviceLeaf, LeafFolds, LeafGraph, Moments } from "./device_leaf.ts";
import { farthest } from "./reach.ts";
import { TABLE } from "./states.ts";
import { sampleSums } from "./sums.ts";

/** Error of the device's sums in the variance, relative to the squared shift of the mean. */
export const ROUNDING = 1e-5;

const HALF_LOG2_TAU = 0.5 * Math.log2(2 * Math.PI);

/**
 * Rows of the table: the mean minus its column's centre, as a sum of two floats; 1 / stddev; and log2(stddev) + log2(2
 * pi) / 2.
 */
function entry(mean: number, stddev: number, centre: number, row: number): number {
  if (row === 0) return pairOf(mean - centre)[0];
  if (row === 1) return pairOf(mean - centre)[1];
  return row === 2 ? 1 / stddev : Math.log2(stddev) + HALF_LOG2_TAU;
}

/** Moments: of `(x - mean) / stddev` on the device, of `x - mean` in the family. */
const moments: Moments = {
  toFamily(statistics, parameter) {
    for (let at = 0; at < statistics.length; at += 3) {
      const stddev = 1 / Math.fround(1 / (parameter[at / 3 * 2 + 1] as number));
      const [weight, first, second] = statistics.subarray(at, at + 3) as unknown as [number, number, number];
      // A variance lost to rounding beside the square of a large shift must not be taken for zero.
      const least = weight > 0 ? (1 + ROUNDING) * first * first / weight : 0;
      statistics[at + 1] = stddev * first;
      statistics[at + 2] = stddev * stddev * Math.max(second, least);
    }
  },
  toDevice(statistics, parameter) {
    const out = Float32Array.from(statistics);
    for (let at = 0; at < statistics.length; at += 3) {
      const inverse = Math.fround(1 / (parameter[at / 3 * 2 + 1] as number));
      out[at + 1] = inverse * (statistics[at + 1] as number);
      out[at + 2] = inverse * inverse * (statistics[at + 2] as number);
    }
    return out;
  },
};

/** Likelihoods computed from mean and standard deviation for every value. */
export const gaussianDevice: DeviceLeaf = {
  gpu: {
    kind: "table",
    probabilities: false,
    encoding: () => ({ kind: "real" }),
    tableRows: () => 4,
    statisticsRows: () => 3,
    encode({ units, values }, { centre, from, to, out, at, stride }) {
      for (let u = 0; u < units; u++) {
        const mean = values[2 * u] as number, stddev = values[2 * u + 1] as number;
        for (let row = from; row < to; row++) {
          out[at + (row - from) * stride + u] = entry(mean, stddev, centre, row);
        }
      }
    },
    value: {
      kind: "gaussian",
      declarations: TABLE,
      constants: (circuit) => ({ LOG: false, FAR: farthest(circuit) }),
      code: `\
  if (value == MISSING_REAL) {
    //# if MAX
    log = modes[fold.mode + unit];
    //# end
  } else {
    // Value and mean are sums of two numbers each; the differences of high and low parts are exact where it matters.
    let low = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]);
    let mean = fold.table + unit;
    let x = (bitcast<f32>(value) - table[mean]) + (low - table[mean + shape.tableStride]);
    // Beyond FAR standard deviations likelihoods stop falling, so that scales stay in their range: see far.ts.
    let z = clamp(x * table[mean + 2u * shape.tableStride], Value(-$FAR), Value($FAR));
    log = z * z * (-0.5 * LOG2E) - table[mean + 3u * shape.tableStride];
  }`,
    },
    statistics: {
      kind: "gaussian",
      reads: "values",
      flops: 8,
      // Moments of (x - mean) / stddev, which keep the digits that moments about zero would lose.
      code: sampleSums({
        missing: ["MISSING_REAL", "0x7f7fffffu"],
        constants: "const FARTHEST = 1e13; // standard deviations: squares must not overflow",
        unit: `\
let mean = table[leaf.table + unit];
let meanLow = table[leaf.table + shape.tableStride + unit];
let inverse = table[leaf.table + 2u * shape.tableStride + unit];`,
        reads: "let low = bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + user.variable]);",
        sample:
          "let z = clamp(((bitcast<f32>(value) - mean) + (low - meanLow)) * inverse, Value(-FARTHEST), Value(FARTHEST));",
        sums: [["first", "flow * z"], ["second", "flow * z * z"]],
      }),
    },
    moments,
    reach: {
      spans: (parameter, limit) =>
        Array.from({ length: parameter.length / 2 }, (_, unit) => {
          const mean = parameter[2 * unit] as number, reach = limit * (parameter[2 * unit + 1] as number);
          return [mean - reach, mean + reach];
        }),
    },
  },
  onnx: emit,
};

function emit(to: LeafGraph, leaves: LeafFolds): string {
  const { graph } = to, { group, folds } = leaves, { units } = group;
  const x = to.values(leaves), observed = to.observed(leaves, x, false);
  const means = new Float64Array(folds * units), inverses = means.slice(), constants = means.slice();
  for (let fold = 0; fold < folds; fold++) {
    const { leaf: { values }, first } = to.leaf(leaves, fold);
    for (let u = 0; u < units; u++) {
      const at = fold * units + u;
      const stddev = values[(first + u) * 2 + 1] as number;
      means[at] = values[(first + u) * 2] as number;
      inverses[at] = 1 / stddev;
      constants[at] = Math.log(stddev) + 0.5 * Math.log(2 * Math.PI);
    }
  }
  const shape = [folds, 1, units], last = graph.integers(2);
  const value = graph.op("Unsqueeze", [to.doubles(x), last]);
  const z = graph.op("Mul", [
    graph.op("Sub", [value, graph.constant(means, shape)]),
    graph.constant(inverses, shape),
  ]);
  const square = graph.op("Mul", [graph.op("Mul", [z, z]), graph.constant(Float64Array.of(-0.5), [])]);
  return to.orNothing(observed, graph.op("Sub", [square, graph.constant(constants, shape)]));
}
