import {
  blendLinearly,
  checkRows,
  type Leaf,
  type LeafFamily,
  type LeafShape,
  noisyRows,
  normaliseRows,
  randomRows,
} from "./family.ts";
import { clusterFrequencies } from "./start.ts";

/**
 * A piecewise-constant density: the setting `edges` lists the bin edges in ascending order, one more than there are bins.
 * A value on an edge belongs to the bin above, on the last edge to the last bin; values outside are impossible. Parameter
 * `[units, bins]`: the probabilities of the bins.
 */
export const histogram: LeafFamily = {
  name: "histogram",
  since: 3,
  kinds: ["real"],
  rows: true,
  ordered: true,
  states: binsOf,
  stateOf: binOf,
  stateScale: (leaf, bin) => -Math.log(widthOf(leaf, bin)),
  parameterShape: (leaf) => [leaf.units, binsOf(leaf)],
  checkSettings(leaf) {
    const { edges } = leaf.settings;
    if (!Array.isArray(edges) || edges.length < 2) return "setting `edges` must list at least 2 numbers";
    const bad = edges.findIndex((x, i) => !Number.isFinite(x) || (i > 0 && !(x > edges[i - 1])));
    if (bad >= 0) return `edge ${bad} is ${edges[bad]}, expected finite numbers, each above the one before`;
    const narrow = edges.findIndex((x, i) => i > 0 && !Number.isFinite(Math.log(x - edges[i - 1])));
    return narrow < 0 ? undefined : `bin ${narrow - 1} is wider than a double holds`;
  },
  checkValues: (leaf) => checkRows(leaf.values, binsOf(leaf), "unit"),
  initialise: (leaf, random) => randomRows(leaf.units, binsOf(leaf), random),
  logProbability(leaf, unit, value) {
    const bin = binOf(leaf, value);
    return bin < 0 ? -Infinity : Math.log(shareOf(leaf, unit, bin)) - Math.log(widthOf(leaf, bin));
  },
  statisticsWidth: binsOf,
  accumulate(leaf, unit, value, flow, statistics) {
    const bin = binOf(leaf, value), at = unit * binsOf(leaf) + bin;
    if (bin >= 0) statistics[at] = (statistics[at] as number) + flow;
  },
  maximise: (leaf, statistics, pseudocount) =>
    normaliseRows(statistics, leaf.values, binsOf(leaf), pseudocount),
  accumulateExpected(leaf, unit, weight, statistics) {
    const bins = binsOf(leaf);
    for (let at = unit * bins; at < (unit + 1) * bins; at++) {
      statistics[at] = (statistics[at] as number) + weight * (leaf.values[at] as number);
    }
  },
  blend: (leaf, fresh, inertia) => blendLinearly(leaf.values, fresh, inertia),
  start: (leaf, column, random) =>
    clusterFrequencies(leaf, binsOf(leaf), column, random, (value) => binOf(leaf, value)),
  perturb: (leaf, amount, random) => noisyRows(leaf.values, binsOf(leaf), amount, random),
  sample(leaf, unit, random) {
    const bins = binsOf(leaf), bin = random.choose(leaf.values, unit * bins, (unit + 1) * bins);
    const from = edgeOf(leaf, bin);
    return Math.min(edgeOf(leaf, bin + 1), from + random.uniform() * widthOf(leaf, bin));
  },
  mode(leaf, unit) {
    let best = 0;
    const density = (bin: number) => shareOf(leaf, unit, bin) / widthOf(leaf, bin);
    for (let bin = 1; bin < binsOf(leaf); bin++) if (density(bin) > density(best)) best = bin;
    return edgeOf(leaf, best);
  },
  mean(leaf, unit) {
    let total = 0;
    for (let bin = 0; bin < binsOf(leaf); bin++) {
      total += shareOf(leaf, unit, bin) * (0.5 * edgeOf(leaf, bin) + 0.5 * edgeOf(leaf, bin + 1));
    }
    return total;
  },
};

function edgesOf(leaf: LeafShape): readonly number[] {
  return leaf.settings["edges"] as readonly number[];
}

function binsOf(leaf: LeafShape): number {
  return edgesOf(leaf).length - 1;
}

function edgeOf(leaf: LeafShape, edge: number): number {
  return edgesOf(leaf)[edge] as number;
}

function widthOf(leaf: LeafShape, bin: number): number {
  return edgeOf(leaf, bin + 1) - edgeOf(leaf, bin);
}

function shareOf(leaf: Leaf, unit: number, bin: number): number {
  return leaf.values[unit * binsOf(leaf) + bin] as number;
}

/** The bin of a value; -1 if it is outside all bins. */
function binOf(leaf: LeafShape, value: number): number {
  const edges = edgesOf(leaf), last = edges.length - 1;
  if (!(value >= (edges[0] as number) && value <= (edges[last] as number))) return -1;
  let low = 0, high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((edges[middle] as number) <= value) low = middle;
    else high = middle;
  }
  return low;
}
