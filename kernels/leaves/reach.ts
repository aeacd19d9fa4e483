import type { Circuit } from "../../circuits/mod.ts";

/** Base-2 logarithms that unbounded values of a sample may take together: the integer scales of rows reach twice as far. */
const REACH = 2 ** 28;

/**
 * Standard deviations at which the likelihood of a real value or a count under a unit stops falling on the device. Samples with a
 * value that is further from all units of a leaf are computed on the host: see far.ts.
 */
export function farthest({ variables }: Circuit): number {
  const unbounded = variables.filter(({ kind }) => kind === "real" || kind === "count").length;
  return Math.sqrt(2 * Math.LN2 * REACH / Math.max(1, unbounded));
}
