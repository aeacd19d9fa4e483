import { type Leaf, type LeafFamily, type LeafShape } from "./family.ts";
import { clusterSpreads, movedMeans } from "./start.ts";

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** Default lower bound for a unit's standard deviation, relative to that of its column. */
const MIN_SPREAD = 1e-6;

/** Standard deviation, relative to the mean, that cannot be told from the rounding of equal numbers. */
const EQUAL = 2 ** -51;

/** Share of a squared distance from the mean that rounding may leave in a variance: 1e4 times that of float64. */
const ROUNDING = 1e-12;

/**
 * A normal distribution. Parameter `[units, 2]`, float64: mean and standard deviation.
 *
 * A lower bound keeps a unit from collapsing onto one sample, where the likelihood of a Gaussian mixture is unbounded:
 * the setting `minSpread` (1e-6 if omitted, since clusters of a column may be that narrow) times the standard deviation
 * of all values of the column counted in an update. The setting `minStddev` is a bound in the units of the data; given
 * alone, it is the only one. If all values are equal, units keep their standard deviation, or the bound if there is one.
 *
 * Statistics are moments about the current mean: weight, sum of `x - mean`, sum of its squares. Moments about zero would
 * lose the variance of numbers far from zero to rounding.
 */
export const gaussian: LeafFamily = {
  name: "gaussian",
  kinds: ["real"],
  double: true,
  ordered: true,
  states: () => 0,
  parameterShape: (leaf) => [leaf.units, 2],
  checkSettings(leaf) {
    const { minStddev } = leaf.settings, minSpread = leaf.settings["minSpread"] ?? MIN_SPREAD;
    if (minStddev !== undefined && !isPositive(minStddev)) {
      return `minStddev is ${minStddev}, expected a positive number`;
    }
    return isPositive(minSpread) ? undefined : `minSpread is ${minSpread}, expected a positive number`;
  },
  checkValues(leaf) {
    for (let unit = 0; unit < leaf.units; unit++) {
      const m = mean(leaf, unit), s = stddev(leaf, unit);
      if (!Number.isFinite(m)) return `the mean of unit ${unit} is ${m}, expected a finite number`;
      if (!(s > 0 && s < Infinity)) {
        return `the standard deviation of unit ${unit} is ${s}, expected more than 0`;
      }
    }
    return undefined;
  },
  initialise(leaf, random) {
    const values = new Float64Array(leaf.units * 2);
    for (let unit = 0; unit < leaf.units; unit++) {
      values[unit * 2] = random.normal();
      values[unit * 2 + 1] = Math.max(1, leastStddev(leaf, 0));
    }
    return values;
  },
  logProbability(leaf, unit, value) {
    const s = stddev(leaf, unit);
    const z = (value - mean(leaf, unit)) / s;
    return -0.5 * z * z - Math.log(s) - HALF_LOG_TWO_PI;
  },
  statisticsWidth: () => 3,
  accumulate(leaf, unit, value, flow, statistics) {
    const at = unit * 3, x = value - mean(leaf, unit);
    statistics[at] = (statistics[at] as number) + flow;
    statistics[at + 1] = (statistics[at + 1] as number) + flow * x;
    statistics[at + 2] = (statistics[at + 2] as number) + flow * x * x;
  },
  maximise(leaf, statistics, pseudocount, spread = spreadOf([{ leaf, statistics }])) {
    const values = leaf.values.slice();
    for (let unit = 0; unit < leaf.units; unit++) {
      const sums = statistics.slice(unit * 3, unit * 3 + 3);
      // Virtual samples come from the current unit: they slow learning without biasing it.
      addExpected(leaf, unit, pseudocount, sums, 0);
      const [weight, first, second] = sums as unknown as [number, number, number];
      if (!(weight > 0)) continue;
      const move = first / weight;
      // After a move of very many standard deviations, the variance is only known to lie below the rounding error; the
      // next step, about the new mean, finds it.
      const variance = Math.max(second / weight - move * move, ROUNDING * move * move);
      const least = leastStddev(leaf, spread);
      values[unit * 2] = mean(leaf, unit) + move;
      values[unit * 2 + 1] = Math.max(least > 0 ? least : stddev(leaf, unit), Math.sqrt(variance));
    }
    return values;
  },
  accumulateExpected(leaf, unit, weight, statistics) {
    addExpected(leaf, unit, weight, statistics, unit * 3);
  },
  blend(leaf, fresh, inertia) {
    const values = leaf.values.slice(), other = { ...leaf, values: fresh };
    for (let unit = 0; unit < leaf.units; unit++) {
      // Mix moments instead: the average of two standard deviations says nothing about two distant means.
      const move = mean(other, unit) - mean(leaf, unit);
      const variance = inertia * stddev(leaf, unit) ** 2 + (1 - inertia) * stddev(other, unit) ** 2 +
        inertia * (1 - inertia) * move * move;
      values[unit * 2] = mean(leaf, unit) + (1 - inertia) * move;
      values[unit * 2 + 1] = Math.sqrt(variance);
    }
    return values;
  },
  recentre(leaf, fresh, statistics) {
    for (let unit = 0; unit < leaf.units; unit++) {
      const at = unit * 3, move = mean(leaf, unit) - (fresh[unit * 2] as number);
      const [weight, first, second] = statistics.subarray(at, at + 3) as unknown as [number, number, number];
      statistics[at + 1] = first + move * weight;
      statistics[at + 2] = second + move * (2 * first + move * weight);
    }
  },
  start(leaf, column, random) {
    const found = clusterSpreads(leaf, column, random);
    if (found === undefined) return Float64Array.from(leaf.values);
    const { minStddev, minSpread } = leaf.settings;
    const floor = Math.max(Number(minStddev ?? 0), Number(minSpread ?? 0) * found.spread);
    return found.values.map((x, i) => i % 2 === 1 ? Math.max(x, floor) : x);
  },
  perturb: movedMeans,
  spreadOf,
  jpc: (leaf, unit) => ({ kind: "G", words: [mean(leaf, unit), stddev(leaf, unit)], states: 0 }),
  sample: (leaf, unit, random) => mean(leaf, unit) + stddev(leaf, unit) * random.normal(),
  mode: mean,
  mean,
};

/** Adds the expected statistics of `weight` samples of the unit at offset `at`. */
function addExpected(leaf: Leaf, unit: number, weight: number, statistics: Float64Array, at: number): void {
  statistics[at] = (statistics[at] as number) + weight;
  statistics[at + 2] = (statistics[at + 2] as number) + weight * stddev(leaf, unit) ** 2;
}

function mean(leaf: Leaf, unit: number): number {
  return leaf.values[unit * 2] as number;
}

function stddev(leaf: Leaf, unit: number): number {
  return leaf.values[unit * 2 + 1] as number;
}

/**
 * Standard deviation of all values counted in the statistics of leaves, about their common mean; 0 if there are none, or
 * if the statistics cannot tell them apart: differences far smaller than the distances from the units' means are lost in
 * the squares.
 * @param rounding relative error of such a square in the statistics; that of float64 if omitted
 */
function spreadOf(
  parts: readonly { readonly leaf: Leaf; readonly statistics: ArrayLike<number> }[],
  rounding = ROUNDING,
): number {
  const sum = (of: (unit: { weight: number; first: number; second: number; mean: number }) => number) =>
    parts.reduce((total, { leaf, statistics }) => {
      for (let unit = 0; unit < leaf.units; unit++) {
        const weight = statistics[unit * 3] as number;
        if (!(weight > 0)) continue;
        const first = statistics[unit * 3 + 1] as number, second = statistics[unit * 3 + 2] as number;
        total += of({ weight, first, second, mean: mean(leaf, unit) });
      }
      return total;
    }, 0);
  const weight = sum((unit) => unit.weight);
  if (!(weight > 0)) return 0;
  // Relative to a mean of the column, so that large squares do not cancel.
  const origin = mean((parts[0] as { leaf: Leaf }).leaf, 0);
  const centre = origin + sum((unit) => unit.first + unit.weight * (unit.mean - origin)) / weight;
  const variance = sum((unit) => {
    const move = unit.mean - centre;
    return unit.second + move * (2 * unit.first + move * unit.weight);
  }) / weight;
  const square = sum((unit) => unit.second + (unit.mean - centre) ** 2 * unit.weight) / weight;
  const spread = Math.sqrt(Math.max(0, variance));
  return variance > rounding * square && spread > EQUAL * Math.abs(centre) ? spread : 0;
}

/**
 * The minimum standard deviation of a unit in a column whose values have the standard deviation `spread`; 0 if there is
 * no bound.
 */
function leastStddev(leaf: LeafShape, spread: number): number {
  const { minStddev, minSpread } = leaf.settings;
  const share = minSpread ?? (minStddev === undefined ? MIN_SPREAD : 0);
  return Math.max(Number(minStddev ?? 0), Number(share) * spread);
}

function isPositive(x: unknown): boolean {
  return typeof x === "number" && x > 0 && x < Infinity;
}
