import { type Leaf, type LeafFamily, type LeafShape, statesOf } from "./family.ts";
import { clusterSpreads, movedMeans } from "./start.ts";

/** Maximum steps of the M-step, and halvings of a step before giving up. */
const STEPS = 8, HALVINGS = 6;

/**
 * The discretised logistic distribution over the states `0 .. states - 1` of an ordered variable (Salimans, Karpathy,
 * Chen and Kingma, "PixelCNN++", ICLR 2017): state `k` has the mass of the interval `k - 1/2 .. k + 1/2`, and the first
 * and last states also that of the tails. Parameter `[units, 2]`, float64: mean and scale, in states. Setting `minScale`
 * (default 0.05, where all mass is on one state).
 *
 * Its M-step has no closed form: Fisher scoring on (mean, log scale) from the histogram of the flows, with each step
 * halved until the likelihood rises, so that EM stays monotone.
 */
export const logistic: LeafFamily = {
  name: "logistic",
  kinds: ["categorical"],
  double: true,
  ordered: true,
  states: (leaf) => statesOf(leaf.variable),
  parameterShape: (leaf) => [leaf.units, 2],
  checkSettings(leaf) {
    if (statesOf(leaf.variable) < 2) return "a logistic leaf needs a variable of at least 2 states";
    const floor = minScale(leaf);
    return floor > 0 && floor < Infinity ? undefined : `minScale is ${floor}, expected a positive number`;
  },
  checkValues(leaf) {
    for (let unit = 0; unit < leaf.units; unit++) {
      const m = leaf.values[unit * 2] as number, s = leaf.values[unit * 2 + 1] as number;
      if (!Number.isFinite(m)) return `the mean of unit ${unit} is ${m}, expected a finite number`;
      if (!(s > 0 && s < Infinity)) return `the scale of unit ${unit} is ${s}, expected more than 0`;
    }
    return undefined;
  },
  initialise(leaf, random) {
    const states = statesOf(leaf.variable);
    const values = new Float64Array(leaf.units * 2);
    for (let unit = 0; unit < leaf.units; unit++) {
      values[unit * 2] = random.uniform() * (states - 1);
      values[unit * 2 + 1] = Math.max(minScale(leaf), states / 16);
    }
    return values;
  },
  logProbability: (leaf, unit, value) =>
    logMass(
      value,
      statesOf(leaf.variable),
      leaf.values[unit * 2] as number,
      leaf.values[unit * 2 + 1] as number,
    ),
  statisticsWidth: (leaf) => statesOf(leaf.variable),
  accumulate(leaf, unit, value, flow, statistics) {
    const at = unit * statesOf(leaf.variable) + value;
    statistics[at] = (statistics[at] as number) + flow;
  },
  maximise(leaf, statistics, pseudocount) {
    const states = statesOf(leaf.variable);
    const values = leaf.values.slice();
    for (let unit = 0; unit < leaf.units; unit++) {
      const counts = statistics.slice(unit * states, (unit + 1) * states);
      // Virtual samples come from the current unit: they slow learning without biasing it.
      if (pseudocount > 0) addExpected(leaf, unit, pseudocount, counts, 0);
      const old: Point = { mean: values[unit * 2] as number, scale: values[unit * 2 + 1] as number };
      const best = ascend(counts, old, minScale(leaf));
      values[unit * 2] = best.mean;
      values[unit * 2 + 1] = best.scale;
    }
    return values;
  },
  accumulateExpected(leaf, unit, weight, statistics) {
    addExpected(leaf, unit, weight, statistics, unit * statesOf(leaf.variable));
  },
  blend(leaf, fresh, inertia) {
    // Means are interpolated linearly, scales logarithmically, as they are learned.
    return leaf.values.map((old, i) => {
      const next = fresh[i] as number;
      return i % 2 === 0
        ? inertia * old + (1 - inertia) * next
        : Math.exp(inertia * Math.log(old) + (1 - inertia) * Math.log(next));
    });
  },
  start(leaf, column, random) {
    const found = clusterSpreads(leaf, column, random);
    if (found === undefined) return Float64Array.from(leaf.values);
    const scale = Math.sqrt(3) / Math.PI, floor = minScale(leaf);
    return found.values.map((x, i) => i % 2 === 1 ? Math.max(scale * x, floor) : x);
  },
  perturb: movedMeans,
  sample(leaf, unit, random) {
    const u = random.uniform();
    if (u === 0) return 0;
    const x = (leaf.values[unit * 2] as number) +
      (leaf.values[unit * 2 + 1] as number) * Math.log(u / (1 - u));
    return clampState(leaf, Math.floor(x + 0.5));
  },
  mode(leaf, unit) {
    // The density peaks at the mean, but the tails may give an end state even more mass.
    const candidates = [0, clampState(leaf, Math.round(leaf.values[unit * 2] as number))];
    candidates.push(statesOf(leaf.variable) - 1);
    return candidates.reduce((best, k) =>
      logistic.logProbability(leaf, unit, k) > logistic.logProbability(leaf, unit, best) ? k : best
    );
  },
  mean(leaf, unit) {
    let total = 0;
    for (let k = 1; k < statesOf(leaf.variable); k++) {
      total += k * Math.exp(logistic.logProbability(leaf, unit, k));
    }
    return total;
  },
};

/** Adds the expected statistics of `weight` samples of the unit at offset `at`. */
function addExpected(leaf: Leaf, unit: number, weight: number, statistics: Float64Array, at: number): void {
  for (let k = 0; k < statesOf(leaf.variable); k++) {
    statistics[at + k] = (statistics[at + k] as number) +
      weight * Math.exp(logistic.logProbability(leaf, unit, k));
  }
}

interface Point {
  readonly mean: number;
  readonly scale: number;
}

/**
 * log(S(a) - S(b)) for the ends a > b of the state's interval, S the logistic function. Computed as log S(a) + log S(-b)
 * + log(1 - exp(b - a)), which is accurate in the tails.
 */
function logMass(k: number, states: number, mean: number, scale: number): number {
  const a = (k + 0.5 - mean) / scale, b = (k - 0.5 - mean) / scale;
  if (k === 0) return logSigmoid(a);
  if (k === states - 1) return logSigmoid(-b);
  return logSigmoid(a) + logSigmoid(-b) + Math.log(-Math.expm1(-1 / scale));
}

function ascend(counts: Float64Array, start: Point, floor: number): Point {
  const weight = counts.reduce((total, c) => total + c, 0);
  if (!(weight > 0)) return start;
  let point = start, value = expected(counts, point);
  for (let step = 0; step < STEPS; step++) {
    const [gMean, gLogScale] = gradient(counts, point);
    // Fisher information of a logistic distribution: 1 / (3 scale^2) and (3 + pi^2) / 9 per sample.
    const dMean = gMean * 3 * point.scale ** 2 / weight;
    const dLogScale = Math.max(-1, Math.min(1, gLogScale * 9 / (3 + Math.PI ** 2) / weight));
    let size = 1, better: Point | undefined;
    for (let halving = 0; halving < HALVINGS; halving++, size /= 2) {
      const next = {
        mean: point.mean + size * dMean,
        scale: Math.max(floor, point.scale * Math.exp(size * dLogScale)),
      };
      const nextValue = expected(counts, next);
      if (nextValue > value) {
        better = next;
        value = nextValue;
        break;
      }
    }
    if (better === undefined) break;
    point = better;
  }
  return point;
}

function expected(counts: Float64Array, { mean, scale }: Point): number {
  let total = 0;
  for (let k = 0; k < counts.length; k++) {
    const c = counts[k] as number;
    if (c > 0) total += c * logMass(k, counts.length, mean, scale);
  }
  return total;
}

/** Derivatives of {@link expected} with respect to the mean and the logarithm of the scale. */
function gradient(counts: Float64Array, { mean, scale }: Point): [number, number] {
  let gMean = 0, gLogScale = 0;
  const width = 1 / scale / Math.expm1(1 / scale);
  for (let k = 0; k < counts.length; k++) {
    const c = counts[k] as number;
    if (c === 0) continue;
    const a = (k + 0.5 - mean) / scale, b = (k - 0.5 - mean) / scale;
    const first = k === 0, last = k === counts.length - 1;
    const upper = last ? 0 : sigmoid(-a), lower = first ? 0 : sigmoid(b);
    gMean += c * (lower - upper) / scale;
    gLogScale += c * ((first ? 0 : b * lower) - (last ? 0 : a * upper) - (first || last ? 0 : width));
  }
  return [gMean, gLogScale];
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function logSigmoid(x: number): number {
  return x >= 0 ? -Math.log1p(Math.exp(-x)) : x - Math.log1p(Math.exp(x));
}

function clampState(leaf: LeafShape, k: number): number {
  return Math.max(0, Math.min(statesOf(leaf.variable) - 1, k));
}

function minScale(leaf: LeafShape): number {
  const floor = leaf.settings["minScale"] ?? 0.05;
  return typeof floor === "number" ? floor : NaN;
}
