import { countFrom, logBinomial } from "./counting.ts";
import { blendLinearly, type Leaf, type LeafFamily, type LeafShape, statesOf } from "./family.ts";
import { clusterMeans } from "./start.ts";

/**
 * The number of successes in a fixed number of trials, as the state of a categorical variable. The setting `trials` is
 * one number for all units, or a list with one per unit; if omitted, one less than the number of states. States above it
 * are impossible. Parameter `[units]`, float64: probabilities of success.
 *
 * Statistics are state counts.
 */
export const binomial: LeafFamily = {
  name: "binomial",
  since: 3,
  kinds: ["categorical"],
  double: true,
  ordered: true,
  states: (leaf) => statesOf(leaf.variable),
  parameterShape: (leaf) => [leaf.units],
  checkSettings(leaf) {
    const { trials } = leaf.settings, most = statesOf(leaf.variable) - 1;
    if (Array.isArray(trials) && trials.length !== leaf.units) {
      return `trials lists ${trials.length} numbers, expected one for each of the ${leaf.units} units`;
    }
    for (let unit = 0; unit < leaf.units; unit++) {
      const n = trialsOf(leaf, unit);
      if (Number.isInteger(n) && n >= 0 && n <= most) continue;
      return `trials of unit ${unit} is ${n}, expected a whole number from 0 to ${most}, which has a state`;
    }
    return undefined;
  },
  checkValues(leaf) {
    const bad = leaf.values.findIndex((p) => !(p >= 0 && p <= 1));
    return bad < 0
      ? undefined
      : `the probability of unit ${bad} is ${leaf.values[bad]}, expected a number from 0 to 1`;
  },
  initialise: (leaf, random) => Float64Array.from({ length: leaf.units }, () => 0.1 + 0.8 * random.uniform()),
  logProbability: (leaf, unit, value) => logBinomial(value, trialsOf(leaf, unit), successOf(leaf, unit)),
  statisticsWidth: (leaf) => statesOf(leaf.variable),
  accumulate(leaf, unit, value, flow, statistics) {
    const at = unit * statesOf(leaf.variable) + value;
    statistics[at] = (statistics[at] as number) + flow;
  },
  maximise(leaf, statistics, pseudocount) {
    const states = statesOf(leaf.variable);
    return leaf.values.map((p, unit) => {
      const trials = trialsOf(leaf, unit);
      // Virtual samples come from the current unit: they slow learning without biasing it.
      let weight = pseudocount, successes = pseudocount * p * trials;
      for (let k = 0; k < states; k++) {
        const count = statistics[unit * states + k] as number;
        weight += count;
        successes += count * k;
      }
      return weight > 0 && trials > 0 ? Math.min(1, successes / (weight * trials)) : p;
    });
  },
  accumulateExpected(leaf, unit, weight, statistics) {
    for (let k = 0; k <= trialsOf(leaf, unit); k++) {
      binomial.accumulate(
        leaf,
        unit,
        k,
        weight * Math.exp(binomial.logProbability(leaf, unit, k)),
        statistics,
      );
    }
  },
  blend: (leaf, fresh, inertia) => blendLinearly(leaf.values, fresh, inertia),
  start(leaf, column, random) {
    const means = clusterMeans(leaf, column, random);
    if (means === undefined) return leaf.values.slice();
    // Half a virtual success and failure: a probability that starts at 0 or 1 would stay there.
    return means.map((mean, unit) => {
      const trials = trialsOf(leaf, unit);
      return (Math.min(trials, Math.max(0, mean)) + 0.5) / (trials + 1);
    });
  },
  perturb: (leaf, amount, random) => leaf.values.map((p) => p * Math.exp(-amount * random.uniform())),
  jpc: (leaf, unit) => ({
    kind: "B",
    words: [trialsOf(leaf, unit), successOf(leaf, unit)],
    states: trialsOf(leaf, unit) + 1,
  }),
  sample(leaf, unit, random) {
    const trials = trialsOf(leaf, unit), p = successOf(leaf, unit);
    return countFrom(random.uniform(), binomial.mode(leaf, unit), trials, (k) => logBinomial(k, trials, p));
  },
  mode(leaf, unit) {
    const trials = trialsOf(leaf, unit);
    // If (n + 1) p is an integer, it and the count below are equally likely.
    return Math.max(0, Math.min(trials, Math.ceil((trials + 1) * successOf(leaf, unit)) - 1));
  },
  mean: (leaf, unit) => trialsOf(leaf, unit) * successOf(leaf, unit),
};

function successOf(leaf: Leaf, unit: number): number {
  return leaf.values[unit] as number;
}

function trialsOf(leaf: LeafShape, unit: number): number {
  const { trials } = leaf.settings;
  return Number((typeof trials === "number" ? trials : trials?.[unit]) ?? statesOf(leaf.variable) - 1);
}
