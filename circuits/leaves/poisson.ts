import { countFrom, logPoisson, MOST_COUNT } from "./counting.ts";
import { blendLinearly, type Leaf, type LeafFamily, type LeafShape } from "./family.ts";
import { clusterMeans } from "./start.ts";

/** Least rate that float32 on a device can tell from zero, with headroom for divisors. */
const LEAST_RATE = 1e-30;

/**
 * The Poisson distribution over counts. Parameter `[units]`, float64: rates (means).
 *
 * A unit that saw only zeros would get rate 0, under which everything else is impossible: the setting `minRate` (1e-6 if
 * omitted) is the lower bound for learned rates.
 *
 * Statistics: weight, and sum of the counts.
 */
export const poisson: LeafFamily = {
  name: "poisson",
  since: 3,
  kinds: ["count"],
  double: true,
  ordered: true,
  states: () => 0,
  parameterShape: (leaf) => [leaf.units],
  checkSettings(leaf) {
    const least = minRate(leaf);
    return least >= LEAST_RATE && least <= MOST_COUNT
      ? undefined
      : `minRate is ${least}, expected a number from ${LEAST_RATE} to ${MOST_COUNT}`;
  },
  checkValues(leaf) {
    const bad = leaf.values.findIndex((rate) => !(rate >= LEAST_RATE && rate <= MOST_COUNT));
    return bad < 0
      ? undefined
      : `the rate of unit ${bad} is ${
        leaf.values[bad]
      }, expected a number from ${LEAST_RATE} to ${MOST_COUNT}`;
  },
  initialise: (leaf, random) =>
    Float64Array.from({ length: leaf.units }, () => Math.max(minRate(leaf), Math.exp(3 * random.uniform()))),
  logProbability: (leaf, unit, value) =>
    Number.isInteger(value) && value >= 0 ? logPoisson(value, rateOf(leaf, unit)) : -Infinity,
  statisticsWidth: () => 2,
  accumulate(_leaf, unit, value, flow, statistics) {
    statistics[2 * unit] = (statistics[2 * unit] as number) + flow;
    statistics[2 * unit + 1] = (statistics[2 * unit + 1] as number) + flow * value;
  },
  maximise: (leaf, statistics, pseudocount) =>
    leaf.values.map((rate, unit) => {
      // Virtual samples come from the current unit: they slow learning without biasing it.
      const weight = (statistics[2 * unit] as number) + pseudocount;
      const total = (statistics[2 * unit + 1] as number) + pseudocount * rate;
      return weight > 0 ? Math.max(minRate(leaf), total / weight) : rate;
    }),
  accumulateExpected(leaf, unit, weight, statistics) {
    poisson.accumulate(leaf, unit, rateOf(leaf, unit), weight, statistics);
  },
  blend: (leaf, fresh, inertia) => blendLinearly(leaf.values, fresh, inertia),
  start(leaf, column, random) {
    const means = clusterMeans(leaf, column, random);
    return means === undefined
      ? leaf.values.slice()
      : means.map((mean) => Math.min(MOST_COUNT, Math.max(minRate(leaf), mean)));
  },
  perturb: (leaf, amount, random) => leaf.values.map((rate) => rate * Math.exp(-amount * random.uniform())),
  sample(leaf, unit, random) {
    const rate = rateOf(leaf, unit);
    return countFrom(random.uniform(), Math.floor(rate), MOST_COUNT, (k) => logPoisson(k, rate));
  },
  // For an integer rate, the rate and the count below are equally likely.
  mode: (leaf, unit) => Math.max(0, Math.ceil(rateOf(leaf, unit)) - 1),
  mean: rateOf,
};

function rateOf(leaf: Leaf, unit: number): number {
  return leaf.values[unit] as number;
}

function minRate(leaf: LeafShape): number {
  return Number(leaf.settings["minRate"] ?? 1e-6);
}
