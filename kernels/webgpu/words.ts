/** Numbers as kernels have them. */

/** Log zero on the device: WGSL promises no infinities. */
export const LOG_ZERO = -1e30;

/** Scale of a row that is zero. */
export const ZERO_SCALE = -536870912;

/** What stands for a missing state, as a u32, and for a missing real value, as bits of the largest f32. */
export const MISSING = 0xffffffff, MISSING_REAL = 0x7f7fffff;

/** Real numbers on the device are at most that far from the centre of their column: squares must not overflow. */
const FARTHEST = 1e30;

/** A number as the sum of two of float32: 48 bits of it. */
export function pairOf(x: number): [high: number, low: number] {
  const near = Math.max(-FARTHEST, Math.min(FARTHEST, x)), high = Math.fround(near);
  return [high, Math.fround(near - high)];
}
