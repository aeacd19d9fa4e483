import { CircuitError } from "../circuits/mod.ts";
import type { Plan } from "./plan.ts";

/** Default bytes for an engine's activations. */
export const DEFAULT_MEMORY: number = 2 ** 29;

/** Passes whose arrays an engine holds in memory at once. */
export type PassKind = "forward" | "training";

/**
 * Bytes per sample while a plan runs: for `forward`, a float32 for every unit and two 8-byte numbers (scale, bound) for
 * every row; for `training`, the same again for the backward pass. An upper bound for engines that free what is no
 * longer needed; parameters and counts are extra.
 */
export function bytesPerSample(plan: Plan, passes: PassKind): number {
  const bytes = 4 * plan.units + 16 * plan.rows;
  return passes === "forward" ? bytes : 2 * bytes;
}

/** Bytes of all parameters of a plan; counts take the same again (twice as much in float64). */
export function parameterBytes(plan: Plan): number {
  let bytes = 0;
  for (const { slots, units, inputs } of plan.weightTables) bytes += 4 * slots * units * inputs;
  for (const { slots, size } of plan.leafTables) bytes += 4 * slots * size;
  return bytes;
}

/** Refuses an invalid number of bytes. @throws {CircuitError} */
export function checkMemory(bytes: number): void {
  if (bytes > 0) return;
  throw new CircuitError("circuit/argument", `memory is ${bytes}, expected a number of bytes above 0`);
}

/** The largest batch, at least 1, whose activations fit in `bytes`. @throws {CircuitError} when that is no number of bytes */
export function largestBatch(plan: Plan, bytes: number, passes: PassKind): number {
  checkMemory(bytes);
  return Math.max(1, Math.floor(bytes / bytesPerSample(plan, passes)));
}
