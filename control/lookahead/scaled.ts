import type { Reals } from "../hmm/token_hmm.ts";

/** Numbers with a common power of two: each is `values[i] * 2 ** exponent`. All zero if the exponent is -Infinity. */
export interface Scaled {
  /** The largest lies in [1, 2). */
  readonly values: Reals;
  /** The exponent. */
  readonly exponent: number;
}

/** Divides numbers, in place, by the power of two below their largest. @returns the exponent; -Infinity if all are zero */
export function normalise(values: Reals): number {
  let largest = 0;
  for (const x of values) if (x > largest) largest = x;
  if (largest === 0) return -Infinity;
  const exponent = Math.floor(Math.log2(largest));
  if (exponent !== 0) {
    // In two steps: the power itself may be no double.
    const half = Math.trunc(exponent / 2);
    const a = 2 ** -half, b = 2 ** (half - exponent);
    for (let i = 0; i < values.length; i++) values[i] = values[i]! * a * b;
  }
  return exponent;
}

/** A power of two of a difference of exponents; 0 where it is too small for a double. */
export function power(exponent: number): number {
  return exponent < -1000 ? 0 : 2 ** exponent;
}
