import {
  blendLinearly,
  checkRows,
  type Leaf,
  type LeafFamily,
  noisyRows,
  normaliseRows,
  randomRows,
  statesOf,
} from "./family.ts";
import { clusterFrequencies } from "./start.ts";

/** Any distribution over the states of a categorical variable. Parameter `[units, states]`: probabilities. */
export const categorical: LeafFamily = {
  name: "categorical",
  kinds: ["categorical"],
  rows: true,
  states: (leaf) => statesOf(leaf.variable),
  parameterShape: (leaf) => [leaf.units, statesOf(leaf.variable)],
  checkSettings: () => undefined,
  checkValues: (leaf) => checkRows(leaf.values, statesOf(leaf.variable), "unit"),
  initialise: (leaf, random) => randomRows(leaf.units, statesOf(leaf.variable), random),
  logProbability: (leaf, unit, value) => Math.log(probability(leaf, unit, value)),
  statisticsWidth: (leaf) => statesOf(leaf.variable),
  accumulate(leaf, unit, value, flow, statistics) {
    const at = unit * statesOf(leaf.variable) + value;
    statistics[at] = (statistics[at] as number) + flow;
  },
  maximise: (leaf, statistics, pseudocount) =>
    normaliseRows(statistics, leaf.values, statesOf(leaf.variable), pseudocount),
  accumulateExpected(leaf, unit, weight, statistics) {
    const states = statesOf(leaf.variable);
    for (let at = unit * states; at < (unit + 1) * states; at++) {
      statistics[at] = (statistics[at] as number) + weight * (leaf.values[at] as number);
    }
  },
  blend: (leaf, fresh, inertia) => blendLinearly(leaf.values, fresh, inertia),
  start: (leaf, column, random) => clusterFrequencies(leaf, statesOf(leaf.variable), column, random),
  perturb: (leaf, amount, random) => noisyRows(leaf.values, statesOf(leaf.variable), amount, random),
  sample(leaf, unit, random) {
    const states = statesOf(leaf.variable);
    return random.choose(leaf.values, unit * states, (unit + 1) * states);
  },
  mode(leaf, unit) {
    let best = 0;
    for (let k = 1; k < statesOf(leaf.variable); k++) {
      if (probability(leaf, unit, k) > probability(leaf, unit, best)) best = k;
    }
    return best;
  },
  mean(leaf, unit) {
    let total = 0;
    for (let k = 1; k < statesOf(leaf.variable); k++) total += k * probability(leaf, unit, k);
    return total;
  },
};

function probability(leaf: Leaf, unit: number, value: number): number {
  return leaf.values[unit * statesOf(leaf.variable) + value] as number;
}
