import {
  blendLinearly,
  checkRows,
  type Leaf,
  type LeafFamily,
  noisyRows,
  normaliseRows,
  statesOf,
} from "./family.ts";
import { clusterFrequencies } from "./start.ts";

/**
 * A variable of two states. Parameter `[units, 2]`: the probabilities of both, because `1 - p` in float32 loses
 * probabilities below 6e-8. The probability of state 1 alone, `[units]`, is also accepted.
 */
export const bernoulli: LeafFamily = {
  name: "bernoulli",
  kinds: ["categorical"],
  parameterShape: (leaf) => [leaf.units, 2],
  rows: true,
  states: () => 2,
  expand: (leaf, values) => values.length === leaf.units ? withComplements(values) : values,
  checkSettings: (leaf) =>
    statesOf(leaf.variable) === 2
      ? undefined
      : `a bernoulli leaf needs a variable of 2 states; \`${leaf.variable.name}\` has ${
        statesOf(leaf.variable)
      }`,
  checkValues: (leaf) => checkRows(leaf.values, 2, "unit"),
  initialise: (leaf, random) =>
    withComplements(Float64Array.from({ length: leaf.units }, () => 0.1 + 0.8 * random.uniform())),
  logProbability: (leaf, unit, value) => Math.log(probability(leaf, unit, value)),
  statisticsWidth: () => 2,
  accumulate(_leaf, unit, value, flow, statistics) {
    const at = unit * 2 + value;
    statistics[at] = (statistics[at] as number) + flow;
  },
  maximise: (leaf, statistics, pseudocount) => normaliseRows(statistics, leaf.values, 2, pseudocount),
  accumulateExpected(leaf, unit, weight, statistics) {
    for (let at = unit * 2; at < unit * 2 + 2; at++) {
      statistics[at] = (statistics[at] as number) + weight * (leaf.values[at] as number);
    }
  },
  blend: (leaf, fresh, inertia) => blendLinearly(leaf.values, fresh, inertia),
  start: (leaf, column, random) => clusterFrequencies(leaf, 2, column, random),
  perturb: (leaf, amount, random) => noisyRows(leaf.values, 2, amount, random),
  sample(leaf, unit, random) {
    const one = probability(leaf, unit, 1);
    // Relative to the sum: if state 1 is rounded to 1, state 0 keeps its probability.
    return random.uniform() * (probability(leaf, unit, 0) + one) < one ? 1 : 0;
  },
  mode: (leaf, unit) => probability(leaf, unit, 1) > probability(leaf, unit, 0) ? 1 : 0,
  mean: (leaf, unit) => probability(leaf, unit, 1),
};

function probability(leaf: Leaf, unit: number, value: number): number {
  return leaf.values[unit * 2 + value] as number;
}

/** Probabilities of both states, `[units, 2]`, from those of state 1. */
function withComplements(ones: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: 2 * ones.length }, (_, i) => {
    const one = ones[i >> 1] as number;
    return i % 2 === 0 ? 1 - one : one;
  });
}
