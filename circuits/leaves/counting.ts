/**
 * Log-probabilities of counts without cancellation: Loader, "Fast and Accurate Computation of Binomial Probabilities"
 * (2000).
 */

/** Maximum count: integers up to here are exact in float32. */
export const MOST_COUNT: number = 2 ** 24;

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** Error of Stirling's formula: `log k! - ((k + 1/2) log k - k + log(2 pi) / 2)` for integer `k` from 1. */
export function stirlingError(k: number): number {
  if (k < SMALL.length) return SMALL[k] as number;
  const square = k * k;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / k;
}

/** By `k`; factorials are exact up to 17!. */
const SMALL: readonly number[] = Array.from({ length: 18 }, (_, k) => {
  let factorial = 1;
  for (let i = 2; i <= k; i++) factorial *= i;
  return k === 0 ? 0 : Math.log(factorial) - ((k + 0.5) * Math.log(k) - k + HALF_LOG_TWO_PI);
});

/** Half the deviance of a count `k` from its mean `m`: `k log(k / m) + m - k`, at least 0. */
export function deviance(k: number, m: number): number {
  if (k === 0) return m;
  if (Math.abs(k - m) >= 0.1 * (k + m)) return k * Math.log(k / m) + m - k;
  const v = (k - m) / (k + m);
  let sum = (k - m) * v, term = 2 * k * v;
  for (let i = 3;; i += 2) {
    term *= v * v;
    const next = sum + term / i;
    if (next === sum) return sum;
    sum = next;
  }
}

/** Log-probability of count `k` at rate `rate`: `log(rate^k exp(-rate) / k!)`. */
export function logPoisson(k: number, rate: number): number {
  if (k === 0) return -rate;
  return poissonOffset(k) - deviance(k, rate);
}

/** The part of {@link logPoisson} that depends only on `k`, besides the deviance. */
export function poissonOffset(k: number): number {
  return k === 0 ? 0 : -stirlingError(k) - HALF_LOG_TWO_PI - 0.5 * Math.log(k);
}

/** Log-probability of `k` successes in `n` trials with success probability `p`. */
export function logBinomial(k: number, n: number, p: number): number {
  if (k < 0 || k > n) return -Infinity;
  if (p === 0) return k === 0 ? 0 : -Infinity;
  if (p === 1) return k === n ? 0 : -Infinity;
  if (k === 0) return n * Math.log1p(-p);
  if (k === n) return n * Math.log(p);
  const rest = n - k;
  return stirlingError(n) - stirlingError(k) - stirlingError(rest) - deviance(k, n * p) -
    deviance(rest, n * (1 - p)) - HALF_LOG_TWO_PI + 0.5 * Math.log(n / k / rest);
}

/**
 * Draws a count from the distribution with log-probabilities `log`, given a uniform number: searches outwards from the
 * mode, in a number of steps proportional to the standard deviation.
 */
export function countFrom(uniform: number, mode: number, most: number, log: (k: number) => number): number {
  let left = uniform - Math.exp(log(mode));
  for (let step = 1; left >= 0; step++) {
    const below = mode - step, above = mode + step;
    if (below < 0 && above > most) break;
    // Such small probabilities are lost to rounding in the sum.
    const [p, q] = [below < 0 ? 0 : Math.exp(log(below)), above > most ? 0 : Math.exp(log(above))];
    if (p + q < 1e-18) break;
    left -= p;
    if (left < 0) return below;
    left -= q;
    if (left < 0) return above;
  }
  return mode;
}
