import {
  type Circuit,
  type InputNode,
  leafFamily,
  leafOf,
  type ParameterArray,
  parameterOwners,
} from "../../circuits/mod.ts";
import type { LeafTable } from "../plan.ts";
import { transposeInto } from "../transpose.ts";
import { padded } from "./layout.ts";
import { isTableFamily } from "./machine.ts";

/** Log zero on the device: WGSL promises no infinities. */
export const LOG_ZERO = -1e30;

/** Scale of a row that is zero. */
export const ZERO_SCALE = -536870912;

/** What stands for a missing state, as a u32, and for a missing real value, as bits of the largest f32. */
export const MISSING = 0xffffffff, MISSING_REAL = 0x7f7fffff;

/** Rows `from .. to - 1` of a matrix `[.., width]`, padded to `[to - from, padded(width)]`, into `out` at `at`. */
export function padRows(
  values: Float32Array,
  width: number,
  from: number,
  to: number,
  out: Float32Array,
  at: number,
): void {
  const stride = padded(width);
  if (stride === width) out.set(values.subarray(from * width, to * width), at);
  else {
    for (let row = from; row < to; row++) {
      out.set(values.subarray(row * width, (row + 1) * width), at + (row - from) * stride);
    }
  }
}

/** The inverse of {@link padRows}: from `data` at `at` into `values`. */
export function unpadRows(
  data: Float32Array,
  at: number,
  width: number,
  from: number,
  to: number,
  values: Float32Array | Float64Array,
): void {
  const stride = padded(width);
  for (let row = from; row < to; row++) {
    values.set(data.subarray(at + (row - from) * stride, at + (row - from) * stride + width), row * width);
  }
}

/** Real numbers on the device are at most that far from the centre of their column: squares must not overflow. */
const FARTHEST = 1e30;

/** A number as the sum of two of float32: 48 bits of it. */
export function pairOf(x: number): [high: number, low: number] {
  const near = Math.max(-FARTHEST, Math.min(FARTHEST, x)), high = Math.fround(near);
  return [high, Math.fround(near - high)];
}

const HALF_LOG2_TAU = 0.5 * Math.log2(2 * Math.PI);

/** Entry of a Gaussian unit in a row of its table: see {@link GAUSSIAN_ROWS}. */
function gaussianEntry(mean: number, stddev: number, centre: number, row: number): number {
  if (row === 0) return pairOf(mean - centre)[0];
  if (row === 1) return pairOf(mean - centre)[1];
  return row === 2 ? 1 / stddev : Math.log2(stddev) + HALF_LOG2_TAU;
}

/**
 * Rows `from .. to - 1` of a leaf's table for the device (`[states or 4, padded(units)]`) into `out` at `at`; `centre`
 * is that of its column.
 */
export function encodeLeaf(
  circuit: Circuit,
  table: LeafTable,
  owner: InputNode,
  values: ParameterArray,
  centre: number,
  from: number,
  to: number,
  out: Float32Array,
  at: number,
): void {
  const { units, family } = table, stride = padded(units);
  if (leafFamily(family).rows) transposeInto(values, from, table.states, units, to - from, out, at, stride);
  else if (family === "gaussian") {
    for (let u = 0; u < units; u++) {
      const mean = values[2 * u] as number, stddev = values[2 * u + 1] as number;
      for (let row = from; row < to; row++) {
        out[at + (row - from) * stride + u] = gaussianEntry(mean, stddev, centre, row);
      }
    }
  } else {
    const leaf = { ...leafOf(circuit, owner), values }, { logProbability } = leafFamily(family);
    for (let state = from; state < to; state++) {
      const row = at + (state - from) * stride;
      for (let u = 0; u < units; u++) {
        const log = logProbability(leaf, u, state);
        out[row + u] = log === -Infinity ? LOG_ZERO : log * Math.LOG2E;
      }
    }
  }
}

/** Rows `from .. to - 1` of the device's table of a leaf made of distributions back into `values`. */
export function decodeLeaf(
  table: LeafTable,
  data: Float32Array,
  at: number,
  from: number,
  to: number,
  values: ParameterArray,
): void {
  const { units, states } = table;
  transposeInto(data, at, padded(units), to - from, units, values, from, states);
}

/** Rows `from .. to - 1` of statistics (`[states or 3, padded(units)]`) into `[units, width]`. */
export function decodeStatistics(
  units: number,
  width: number,
  data: Float32Array,
  at: number,
  from: number,
  to: number,
  values: Float32Array | Float64Array,
): void {
  transposeInto(data, at, padded(units), to - from, units, values, from, width);
}

/** The inverse of {@link decodeStatistics}. */
export function encodeStatistics(
  units: number,
  width: number,
  values: ArrayLike<number>,
  from: number,
  to: number,
  out: Float32Array,
  at: number,
): void {
  transposeInto(values, from, width, units, to - from, out, at, padded(units));
}

/** Variance, as a part of the square of a mean's move, that the device's sums may get wrong. */
export const ROUNDING = 1e-5;

/**
 * The device's moments of Gaussian units, `[units, 3]`, of `(x - mean) / stddev`, made those that the family has, of
 * `x - mean`, in place. `parameter` has the values that they were counted under.
 */
export function familyMoments(moments: Float64Array, parameter: ParameterArray): void {
  for (let at = 0; at < moments.length; at += 3) {
    const stddev = 1 / Math.fround(1 / (parameter[at / 3 * 2 + 1] as number));
    const [weight, first, second] = moments.subarray(at, at + 3) as unknown as [number, number, number];
    // A variance that is lost in the square of a far move is not taken for one of zero.
    const least = weight > 0 ? (1 + ROUNDING) * first * first / weight : 0;
    moments[at + 1] = stddev * first;
    moments[at + 2] = stddev * stddev * Math.max(second, least);
  }
}

/** The inverse of {@link familyMoments}. */
export function deviceMoments(moments: Float64Array, parameter: ParameterArray): Float32Array {
  const out = Float32Array.from(moments);
  for (let at = 0; at < moments.length; at += 3) {
    const inverse = Math.fround(1 / (parameter[at / 3 * 2 + 1] as number));
    out[at + 1] = inverse * (moments[at + 1] as number);
    out[at + 2] = inverse * inverse * (moments[at + 2] as number);
  }
  return out;
}

/** Base-2 logarithms of the likelihood of every unit's mode, `[units]`. */
export function modeLogs(circuit: Circuit, owner: InputNode, values: ParameterArray): Float32Array {
  const leaf = { ...leafOf(circuit, owner), values }, family = leafFamily(owner.family);
  return Float32Array.from({ length: owner.units }, (_, u) => {
    const log = family.logProbability(leaf, u, family.mode(leaf, u));
    return log === -Infinity ? LOG_ZERO : log * Math.LOG2E;
  });
}

/** One leaf that uses each leaf parameter, by id. */
export function leafOwners(circuit: Circuit): Map<string, InputNode> {
  return new Map(
    [...parameterOwners(circuit)].filter((entry): entry is [string, InputNode] => entry[1].kind === "input"),
  );
}

/** Whether a family's parameter can be read back from its table on the device. */
export function isReadable(family: string): boolean {
  return isTableFamily(family) && family !== "logistic";
}
