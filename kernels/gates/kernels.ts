/** What the module exports, and the numbers that it and its callers share. */

/** The functions of the module; see wat.ts, and wat_single.ts for those with room for packed rows. */
export interface GateKernels {
  forward(runs: number, count: number): void;
  backward(runs: number, count: number): void;
  count(runs: number, count: number): void;
  forwardSingle(runs: number, count: number, scratch: number): void;
  backwardSingle(runs: number, count: number, scratch: number): void;
  countSingle(runs: number, count: number, scratch: number): void;
  product(list: number, count: number): void;
  share(list: number, count: number): void;
  addRow(list: number, count: number): void;
  clear(list: number, count: number): void;
  finish(list: number, count: number): void;
}

/** The exponent of a row of zeros. */
export const NO_EXPONENT = -2147483648;

/**
 * Counts of weights are stored over the weights, which may be as small as 2^-149, times this: so they are in the range of
 * float32 wherever the weight is not 0, and flows from 2^-66 on are not lost.
 */
export const RATIO_SCALE = 2 ** -60;

/** Bytes of a run. */
export const RUN_SIZE = 28;

/** Room for runs, and for entries, in the memory of a thread. */
export const RUN_BYTES = 1 << 16, LIST_BYTES = 1 << 22;

/** By exponent from -1023 to 1023. */
const POWERS = Float64Array.from({ length: 2047 }, (_, i) => 2 ** (i - 1023));

/** `2 ** exponent`; 0 far below 1. */
export function powerOfTwo(exponent: number): number {
  return exponent < -1023 ? 0 : POWERS[exponent + 1023] as number;
}

/** The exponent of a product of rows. */
export function together(a: number, b: number): number {
  return a === NO_EXPONENT || b === NO_EXPONENT ? NO_EXPONENT : a + b;
}

/** Entries that are counted at once: each block of a matrix goes through all of their rows, which stay in the cache. */
export const ENTRIES = 128;

/** Bytes of a packed number of all entries: a little more than they need, so that rows are not written to the same places of the cache. */
export const PANEL = 4 * ENTRIES + 16;

/** Bytes of the records of four entries, and of their sums or those of four rows of counts; both stand before packed rows. */
export const RECORD_BYTES = 64, SUM_BYTES = 256;

/** Bytes of packed rows, where the widest has so many numbers, of what stands before and of what is read behind them. */
export function packedBytes(widest: number): number {
  return RECORD_BYTES + SUM_BYTES + PANEL * (2 * widest + 8);
}
