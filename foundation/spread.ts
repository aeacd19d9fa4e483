/** A number over repetitions. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation; null for a single value. */
  readonly deviation: number | null;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

/** Mean, sample standard deviation and range; null when there are no numbers. */
export function spreadOfValues(values: readonly (number | null | undefined)[]): Spread | null {
  const numbers = values.filter((value): value is number =>
    typeof value === "number" && Number.isFinite(value)
  );
  const n = numbers.length;
  if (n === 0) return null;
  const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
  // Equal numbers have no spread: their rounded sum must not give them one.
  const mean = min === max ? min : numbers.reduce((a, b) => a + b, 0) / n;
  const squares = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return {
    mean,
    deviation: n > 1 ? Math.sqrt(squares / (n - 1)) : null,
    min,
    max,
    n,
  };
}
