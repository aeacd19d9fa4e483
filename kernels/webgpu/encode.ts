import {
  type Circuit,
  type InputNode,
  leafFamily,
  leafOf,
  type ParameterArray,
  parameterOwners,
} from "../../circuits/mod.ts";
import { gpuTable } from "../leaves/mod.ts";
import type { LeafTable } from "../plan.ts";
import { transposeInto } from "../../circuits/transpose.ts";
import { padded } from "./layout.ts";
import { LOG_ZERO } from "./words.ts";

/** Copies rows `from .. to - 1` of a matrix `[.., width]`, padded to `[to - from, padded(width)]`, to `out` at `at`. */
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

/** Inverse of {@link padRows}: copies from `data` at `at` to `values`. */
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

/**
 * Writes rows `from .. to - 1` of a leaf's device table (`[rows, padded(units)]`) to `out` at `at`; `centre` is its
 * column's.
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
  gpuTable(table.family).encode(
    { ...leafOf(circuit, owner), values },
    { centre, from, to, out, at, stride: padded(table.units) },
  );
}

/** Copies rows `from .. to - 1` of statistics, or of a table of distributions, (`[rows, padded(units)]`) to `[units, width]`. */
export function decodeStatistics(
  units: number,
  width: number,
  data: Float32Array,
  at: number,
  from: number,
  to: number,
  values: ParameterArray,
): void {
  transposeInto(data, at, padded(units), to - from, units, values, from, width);
}

/** Inverse of {@link decodeStatistics}. */
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

/** Base-2 logarithms of the likelihood of every unit's mode, `[units]`. */
export function modeLogs(circuit: Circuit, owner: InputNode, values: ParameterArray): Float32Array {
  const leaf = { ...leafOf(circuit, owner), values }, family = leafFamily(owner.family);
  return Float32Array.from({ length: owner.units }, (_, u) => {
    const log = family.logProbability(leaf, u, family.mode(leaf, u));
    return log === -Infinity ? LOG_ZERO : log * Math.LOG2E;
  });
}

/** One leaf for each leaf parameter, by parameter id. */
export function leafOwners(circuit: Circuit): Map<string, InputNode> {
  return new Map(
    [...parameterOwners(circuit)].filter((entry): entry is [string, InputNode] => entry[1].kind === "input"),
  );
}
