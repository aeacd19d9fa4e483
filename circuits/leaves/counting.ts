/**
 * Logarithms of the probabilities of counts without cancellation: Loader, "Fast and Accurate Computation of Binomial
 * Probabilities" (2000).
 */

/** Most that a count may be: whole numbers up to here are exact in float32. */
export const MOST_COUNT = 2 ** 24;

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** What Stirling's formula lacks: `log k! - ((k + 1/2) log k - k + log(2 pi) / 2)` for whole `k` from 1. */
export function stirlingError(k: number): number {
  if (k < SMALL.length) return SMALL[k] as number;
  const square = k * k;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / k;
}

/** By `k`; up to 17! factorials are exact. */
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

/** Logarithm of the probability of `k` where `rate` are expected: `rate^k exp(-rate) / k!`. */
export function logPoisson(k: number, rate: number): number {
  if (k === 0) return -rate;
  return poissonOffset(k) - deviance(k, rate);
}

/** The part of {@link logPoisson} that is of `k` alone, beside the deviance. */
export function poissonOffset(k: number): number {
  return k === 0 ? 0 : -stirlingError(k) - HALF_LOG_TWO_PI - 0.5 * Math.log(k);
}

/** Logarithm of the probability of `k` successes in `n` trials, each of probability `p`. */
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
 * A count of the distribution that `log` tells, from a uniform number: found by going from its mode outwards, in as many
 * steps as its standard deviation is large.
 */
export function countFrom(uniform: number, mode: number, most: number, log: (k: number) => number): number {
  let left = uniform - Math.exp(log(mode));
  for (let step = 1; left >= 0; step++) {
    const below = mode - step, above = mode + step;
    if (below < 0 && above > most) break;
    // What is so improbable is lost in the sum of what is not.
    const [p, q] = [below < 0 ? 0 : Math.exp(log(below)), above > most ? 0 : Math.exp(log(above))];
    if (p + q < 1e-18) break;
    left -= p;
    if (left < 0) return below;
    left -= q;
    if (left < 0) return above;
  }
  return mode;
}
