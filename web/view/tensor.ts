/** Summary statistics of a tensor. */
export interface TensorSummary {
  /** Number of values examined. */
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Standard deviation of the examined values. */
  readonly deviation: number | null;
  readonly zeros: number;
  /** Number of NaNs and infinities. */
  readonly notFinite: number;
  readonly histogram: Histogram;
  /** The first values. */
  readonly first: readonly (number | null)[];
}

/** Counts of equal-width bins from `from` to `to`; integers of a small range have one bin each. */
export interface Histogram {
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
}

const BINS = 40;

/** Summarises numbers. */
export function summarise(numbers: ArrayLike<number>): TensorSummary {
  let min = Infinity, max = -Infinity, mean = 0, squares = 0, finite = 0, zeros = 0, whole = true;
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i]!;
    if (!Number.isFinite(x)) continue;
    finite++;
    if (x === 0) zeros++;
    if (x < min) min = x;
    if (x > max) max = x;
    whole &&= Number.isInteger(x);
    const delta = x - mean; // Welford: a plain sum of squares would lose small spreads around a large mean.
    mean += delta / finite;
    squares += delta * (x - mean);
  }
  const some = finite > 0;
  return {
    count: numbers.length,
    min: some ? min : null,
    max: some ? max : null,
    mean: some ? mean : null,
    deviation: some ? Math.sqrt(squares / finite) : null,
    zeros,
    notFinite: numbers.length - finite,
    histogram: some ? histogram(numbers, min, max, whole) : { from: 0, to: 0, counts: [] },
    first: Array.from({ length: Math.min(8, numbers.length) }, (_, i) => {
      const x = numbers[i]!;
      return Number.isFinite(x) ? x : null;
    }),
  };
}

function histogram(numbers: ArrayLike<number>, min: number, max: number, whole: boolean): Histogram {
  const each = whole && max - min < BINS;
  const [from, to] = each ? [min - 0.5, max + 0.5] : min === max ? [min - 0.5, max + 0.5] : [min, max];
  const counts = new Array<number>(each ? max - min + 1 : BINS).fill(0);
  const scale = counts.length / (to - from);
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i]!;
    if (Number.isFinite(x)) counts[Math.min(counts.length - 1, Math.floor((x - from) * scale))]!++;
  }
  return { from, to, counts };
}
