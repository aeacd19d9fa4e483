import { blendLinearly, type Leaf, type LeafFamily, statesOf } from "./family.ts";

/** A variable of two states. Parameter `[units]`: the probability of state 1. */
export const bernoulli: LeafFamily = {
  name: "bernoulli",
  kinds: ["categorical"],
  parameterShape: (leaf) => [leaf.units],
  checkSettings: (leaf) =>
    statesOf(leaf.variable) === 2
      ? undefined
      : `a bernoulli leaf needs a variable of 2 states; \`${leaf.variable.name}\` has ${
        statesOf(leaf.variable)
      }`,
  checkValues(leaf) {
    const bad = leaf.values.findIndex((p) => !(p >= 0 && p <= 1));
    return bad < 0 ? undefined : `unit ${bad} is ${leaf.values[bad]}, expected a probability`;
  },
  initialise: (leaf, random) => Float32Array.from({ length: leaf.units }, () => 0.1 + 0.8 * random.uniform()),
  logProbability(leaf, unit, value) {
    const p = one(leaf, unit);
    return value === 1 ? Math.log(p) : Math.log1p(-p);
  },
  statisticsWidth: () => 2,
  accumulate(_leaf, unit, value, flow, statistics) {
    const at = unit * 2 + value;
    statistics[at] = (statistics[at] as number) + flow;
  },
  maximise(leaf, statistics, pseudocount) {
    return leaf.values.map((old, unit) => {
      const zero = statistics[unit * 2] as number, one = statistics[unit * 2 + 1] as number;
      const total = zero + one + pseudocount;
      return total > 0 ? (one + pseudocount / 2) / total : old;
    });
  },
  accumulateExpected(leaf, unit, weight, statistics) {
    const p = one(leaf, unit), at = unit * 2;
    statistics[at] = (statistics[at] as number) + weight * (1 - p);
    statistics[at + 1] = (statistics[at + 1] as number) + weight * p;
  },
  blend: (leaf, fresh, inertia) => blendLinearly(leaf.values, fresh, inertia),
  toRows: (leaf) =>
    Float32Array.from({ length: 2 * leaf.units }, (_, i) => {
      const p = one(leaf, i >> 1);
      return i % 2 === 0 ? 1 - p : p;
    }),
  // Rounding may leave a row a little above 1, which `1 - p` could not bear.
  fromRows: (rows) =>
    Float32Array.from({ length: rows.length / 2 }, (_, u) => Math.min(1, rows[2 * u + 1] as number)),
  sample: (leaf, unit, random) => random.uniform() < one(leaf, unit) ? 1 : 0,
  mode: (leaf, unit) => one(leaf, unit) > 0.5 ? 1 : 0,
  mean: one,
};

function one(leaf: Leaf, unit: number): number {
  return leaf.values[unit] as number;
}
