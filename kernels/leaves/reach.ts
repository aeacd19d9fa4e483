import type { Circuit } from "../../circuits/mod.ts";

/** Total base-2 log-likelihood that a sample's unbounded values may reach: half the range of the rows' integer scales. */
const REACH = 2 ** 28;

/**
 * Number of standard deviations at which the likelihood of a real value or a count under a unit stops falling on the
 * device. Samples with a value farther than this from all units of a leaf are computed on the host; see far.ts.
 */
export function farthest({ variables }: Circuit): number {
  const unbounded = variables.filter(({ kind }) => kind === "real" || kind === "count").length;
  return Math.sqrt(2 * Math.LN2 * REACH / Math.max(1, unbounded));
}
