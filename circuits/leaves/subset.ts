import {
  blendLinearly,
  checkRows,
  type Leaf,
  type LeafFamily,
  type LeafShape,
  noisyRows,
  normaliseRows,
  randomRows,
  statesOf,
} from "./family.ts";
import { clusterFrequencies } from "./start.ts";

/**
 * Any distribution over some states of a categorical variable: the setting `values` lists them in ascending order, and
 * no other state is possible. Parameter `[units, values]`: their probabilities. An observed value outside makes the whole
 * vector zero, so engines need not compute what it multiplies: the leaf is a gate that evidence opens or shuts.
 */
export const subset: LeafFamily = {
  name: "subset",
  since: 4,
  kinds: ["categorical"],
  rows: true,
  states: (leaf) => valuesOf(leaf).length,
  stateOf: positionOf,
  support: valuesOf,
  parameterShape: (leaf) => [leaf.units, valuesOf(leaf).length],
  checkSettings(leaf) {
    const { values } = leaf.settings, states = statesOf(leaf.variable);
    if (!Array.isArray(values) || values.length === 0) return "setting `values` must list at least one state";
    const bad = values.findIndex((k, i) =>
      !(Number.isInteger(k) && k >= 0 && k < states) || (i > 0 && k <= values[i - 1])
    );
    return bad < 0
      ? undefined
      : `entry ${bad} of \`values\` is ${values[bad]}, expected ascending whole numbers from 0 to ${
        states - 1
      }`;
  },
  checkValues: (leaf) => checkRows(leaf.values, valuesOf(leaf).length, "unit"),
  initialise: (leaf, random) => randomRows(leaf.units, valuesOf(leaf).length, random),
  logProbability(leaf, unit, value) {
    const position = positionOf(leaf, value);
    return position < 0 ? -Infinity : Math.log(probability(leaf, unit, position));
  },
  statisticsWidth: (leaf) => valuesOf(leaf).length,
  accumulate(leaf, unit, value, flow, statistics) {
    const position = positionOf(leaf, value), at = unit * valuesOf(leaf).length + position;
    if (position >= 0) statistics[at] = (statistics[at] as number) + flow;
  },
  maximise: (leaf, statistics, pseudocount) =>
    normaliseRows(statistics, leaf.values, valuesOf(leaf).length, pseudocount),
  accumulateExpected(leaf, unit, weight, statistics) {
    const width = valuesOf(leaf).length;
    for (let at = unit * width; at < (unit + 1) * width; at++) {
      statistics[at] = (statistics[at] as number) + weight * (leaf.values[at] as number);
    }
  },
  blend: (leaf, fresh, inertia) => blendLinearly(leaf.values, fresh, inertia),
  start: (leaf, column, random) =>
    clusterFrequencies(leaf, valuesOf(leaf).length, column, random, (value) => positionOf(leaf, value)),
  perturb: (leaf, amount, random) => noisyRows(leaf.values, valuesOf(leaf).length, amount, random),
  sample(leaf, unit, random) {
    const values = valuesOf(leaf), width = values.length;
    return values[random.choose(leaf.values, unit * width, (unit + 1) * width)] as number;
  },
  mode(leaf, unit) {
    const values = valuesOf(leaf);
    let best = 0;
    for (let i = 1; i < values.length; i++) {
      if (probability(leaf, unit, i) > probability(leaf, unit, best)) best = i;
    }
    return values[best] as number;
  },
  mean: (leaf, unit) =>
    valuesOf(leaf).reduce((total, value, i) => total + value * probability(leaf, unit, i), 0),
};

function valuesOf(leaf: LeafShape): readonly number[] {
  return leaf.settings["values"] as readonly number[];
}

function probability(leaf: Leaf, unit: number, position: number): number {
  return leaf.values[unit * valuesOf(leaf).length + position] as number;
}

/** The position of a value among those of the leaf, -1 if it is none of them; by binary search. */
function positionOf(leaf: LeafShape, value: number): number {
  const values = valuesOf(leaf);
  let from = 0, to = values.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((values[middle] as number) < value) from = middle + 1;
    else to = middle;
  }
  return values[from] === value ? from : -1;
}
