import { type Leaf, type LeafFamily, type LeafShape } from "./family.ts";

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/**
 * A normal distribution. Parameter `[units, 2]`: mean and standard deviation.
 * Setting `minStddev` (default 1e-3) keeps a unit from collapsing on one sample, where the likelihood of
 * a Gaussian mixture has no maximum.
 */
export const gaussian: LeafFamily = {
  name: "gaussian",
  kinds: ["real"],
  parameterShape: (leaf) => [leaf.units, 2],
  checkSettings(leaf) {
    const floor = minStddev(leaf);
    return floor > 0 && floor < Infinity ? undefined : `minStddev is ${floor}, expected a positive number`;
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
    const values = new Float32Array(leaf.units * 2);
    for (let unit = 0; unit < leaf.units; unit++) {
      values[unit * 2] = random.normal();
      values[unit * 2 + 1] = Math.max(1, minStddev(leaf));
    }
    return values;
  },
  logProbability(leaf, unit, value) {
    const s = stddev(leaf, unit);
    const z = (value - mean(leaf, unit)) / s;
    return -0.5 * z * z - Math.log(s) - HALF_LOG_TWO_PI;
  },
  statisticsWidth: () => 3,
  accumulate(_leaf, unit, value, flow, statistics) {
    const at = unit * 3;
    statistics[at] = (statistics[at] as number) + flow;
    statistics[at + 1] = (statistics[at + 1] as number) + flow * value;
    statistics[at + 2] = (statistics[at + 2] as number) + flow * value * value;
  },
  maximise(leaf, statistics, pseudocount) {
    const values = leaf.values.slice();
    for (let unit = 0; unit < leaf.units; unit++) {
      const sums = statistics.slice(unit * 3, unit * 3 + 3);
      // Virtual samples come from the unit as it is: they slow it down without pulling it anywhere else.
      addExpected(leaf, unit, pseudocount, sums, 0);
      const [weight, first, second] = sums as unknown as [number, number, number];
      if (weight > 0) values.set(fromMoments(leaf, first / weight, second / weight), unit * 2);
    }
    return values;
  },
  accumulateExpected(leaf, unit, weight, statistics) {
    addExpected(leaf, unit, weight, statistics, unit * 3);
  },
  blend(leaf, fresh, inertia) {
    const values = leaf.values.slice(), other = { ...leaf, values: fresh };
    const mixed = (a: number, b: number) => inertia * a + (1 - inertia) * b;
    for (let unit = 0; unit < leaf.units; unit++) {
      // The moments are mixed: the mean of two standard deviations says nothing about two far means.
      const m = mean(leaf, unit), n = mean(other, unit);
      const second = mixed(m * m + stddev(leaf, unit) ** 2, n * n + stddev(other, unit) ** 2);
      values.set(fromMoments(leaf, mixed(m, n), second), unit * 2);
    }
    return values;
  },
  sample: (leaf, unit, random) => mean(leaf, unit) + stddev(leaf, unit) * random.normal(),
  mode: mean,
  mean,
};

/** Adds the statistics of `weight` samples of the unit at `at`. */
function addExpected(leaf: Leaf, unit: number, weight: number, statistics: Float64Array, at: number): void {
  const m = mean(leaf, unit), s = stddev(leaf, unit);
  statistics[at] = (statistics[at] as number) + weight;
  statistics[at + 1] = (statistics[at + 1] as number) + weight * m;
  statistics[at + 2] = (statistics[at + 2] as number) + weight * (m * m + s * s);
}

/** Mean and standard deviation of a first and second moment. */
function fromMoments(leaf: LeafShape, first: number, second: number): [number, number] {
  return [first, Math.max(minStddev(leaf), Math.sqrt(Math.max(0, second - first * first)))];
}

function mean(leaf: Leaf, unit: number): number {
  return leaf.values[unit * 2] as number;
}

function stddev(leaf: Leaf, unit: number): number {
  return leaf.values[unit * 2 + 1] as number;
}

function minStddev(leaf: LeafShape): number {
  const floor = leaf.settings["minStddev"] ?? 1e-3;
  return typeof floor === "number" ? floor : NaN;
}
