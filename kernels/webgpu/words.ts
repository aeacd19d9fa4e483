/** Number formats of the kernels. */

/** Log zero on the device: WGSL does not guarantee infinities. */
export const LOG_ZERO = -1e30;

/** Marks a missing state, as u32, and a missing real value, as the bits of the largest f32. */
export const MISSING = 0xffffffff, MISSING_REAL = 0x7f7fffff;

/** Maximum distance of real values on the device from the centre of their column: squares must not overflow. */
const FARTHEST = 1e30;

/** Splits a number into a sum of two float32, 48 bits in all. */
export function pairOf(x: number): [high: number, low: number] {
  const near = Math.max(-FARTHEST, Math.min(FARTHEST, x)), high = Math.fround(near);
  return [high, Math.fround(near - high)];
}
