/** What is no whole number from 0, no number from 0, no share. */
export const WRONG = {
  whole: [NaN, Infinity, -Infinity, -1, 0.5, 2 ** 53],
  positive: [NaN, Infinity, -Infinity, -1, 0, 0.5, 2 ** 53],
  number: [NaN, Infinity, -Infinity, -1],
  share: [NaN, Infinity, -Infinity, -0.1, 1.1],
  seed: [NaN, Infinity, -1, 0.5, 2 ** 53],
  weight: [NaN, Infinity, -1],
  memory: [NaN, -Infinity, -1, 0],
  probability: [NaN, Infinity, -1, 2],
} as const;

/** A way to break a call: the kind of number that it takes, and the call with another. */
export type Check = readonly [keyof typeof WRONG, (x: number) => unknown];
