/** An example of each leaf family, for tests that every one of them has to pass. */
import {
  type Circuit,
  CircuitBuilder,
  type FamilyName,
  leafFamilies,
  type LeafSettings,
  type NodeId,
  type RandomStream,
  type Variable,
} from "../../circuits/mod.ts";

/** Leaves of a family, and what the textbook says of them. */
export interface LeafExample {
  readonly variable: Variable;
  readonly settings: LeafSettings;
  /** The parameter of its two units. */
  readonly values: readonly number[];
  /** Other settings that go with the same parameter. */
  readonly otherSettings?: LeafSettings;
  /** Likelihood of a value under a unit. */
  readonly truth: (unit: number, value: number) => number;
  /** All values with a likelihood, or so many that what is left out does not matter; of a density a fine grid and its step. */
  readonly support: readonly number[];
  readonly step?: number;
  /** A value that data may have. */
  readonly draw: (random: RandomStream) => number;
}

const states = (name: string, count: number): Variable => ({ kind: "categorical", name, states: count });
const range = (count: number) => Array.from({ length: count }, (_, k) => k);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function factorial(k: number): number {
  return k < 2 ? 1 : k * factorial(k - 1);
}

function choose(n: number, k: number): number {
  return factorial(n) / factorial(k) / factorial(n - k);
}

const TABLE = [0.5, 0.25, 0.25, 0, 0.125, 0.125, 0.125, 0.625], COIN = [0.75, 0.25, 0.25, 0.75];
const MEANS = [1, 2, -0.5, 0.75], CURVES = [1.25, 0.5, 4, 2], RATES = [0.75, 6.5], SHARES = [0.25, 0.875];
const BINS = [0.5, 0.25, 0.25, 0.125, 0.75, 0.125], EDGES = [-1, 0, 0.5, 2.5];

/** By family; one that is missing does not compile. */
export const leafExamples: Readonly<Record<FamilyName, LeafExample>> = {
  categorical: {
    variable: states("categorical", 4),
    settings: {},
    values: TABLE,
    truth: (unit, k) => TABLE[4 * unit + k]!,
    support: range(4),
    draw: (random) => random.integer(4),
  },
  bernoulli: {
    variable: states("bernoulli", 2),
    settings: {},
    values: COIN,
    truth: (unit, k) => COIN[2 * unit + k]!,
    support: range(2),
    draw: (random) => random.integer(2),
  },
  gaussian: {
    variable: { kind: "real", name: "gaussian" },
    // Units of one sample would be as narrow as the rounding of an engine.
    settings: { minStddev: 0.25 },
    values: MEANS,
    truth: (unit, x) => {
      const [mean, stddev] = [MEANS[2 * unit]!, MEANS[2 * unit + 1]!];
      return Math.exp(-0.5 * ((x - mean) / stddev) ** 2) / (stddev * Math.sqrt(2 * Math.PI));
    },
    support: Array.from({ length: 4000 }, (_, i) => -20 + i / 100),
    step: 0.01,
    draw: (random) => 2 * random.normal(),
  },
  logistic: {
    variable: states("logistic", 6),
    settings: {},
    values: CURVES,
    truth: (unit, k) => {
      const below = (x: number) => sigmoid((x - CURVES[2 * unit]!) / CURVES[2 * unit + 1]!);
      return (k === 5 ? 1 : below(k + 0.5)) - (k === 0 ? 0 : below(k - 0.5));
    },
    support: range(6),
    draw: (random) => random.integer(6),
  },
  poisson: {
    variable: { kind: "count", name: "poisson" },
    settings: {},
    values: RATES,
    truth: (unit, k) => RATES[unit]! ** k * Math.exp(-RATES[unit]!) / factorial(k),
    support: range(60),
    draw: (random) => random.integer(9),
  },
  binomial: {
    variable: states("binomial", 8),
    settings: { trials: [7, 5] },
    values: SHARES,
    otherSettings: { trials: 6 },
    truth: (unit, k) => {
      const n = [7, 5][unit]!, p = SHARES[unit]!;
      return k > n ? 0 : choose(n, k) * p ** k * (1 - p) ** (n - k);
    },
    support: range(8),
    draw: (random) => random.integer(8),
  },
  histogram: {
    variable: { kind: "real", name: "histogram" },
    settings: { edges: EDGES },
    values: BINS,
    otherSettings: { edges: [-2, -0.5, 1.5, 3] },
    truth: (unit, x) => {
      const bin = EDGES.findLastIndex((edge, i) => i < 3 && edge <= x);
      return bin < 0 || x > 2.5 ? 0 : BINS[3 * unit + bin]! / (EDGES[bin + 1]! - EDGES[bin]!);
    },
    support: Array.from({ length: 6000 }, (_, i) => -2 + (i + 0.5) / 1000),
    step: 0.001,
    draw: (random) => 4.5 * random.uniform() - 1.5,
  },
  indicator: {
    variable: states("indicator", 3),
    settings: { values: [2, 1] },
    values: [],
    otherSettings: { values: [0, 1] },
    truth: (unit, k) => k === [2, 1][unit] ? 1 : 0,
    support: range(3),
    draw: (random) => random.integer(3),
  },
  subset: {
    variable: states("subset", 6),
    settings: { values: [1, 2, 5] },
    values: [0.5, 0.25, 0.25, 0, 0.125, 0.875],
    otherSettings: { values: [0, 2, 3] },
    truth: (unit, k) => [[0, 0.5, 0.25, 0, 0, 0.25], [0, 0, 0.125, 0, 0, 0.875]][unit]![k]!,
    support: range(6),
    draw: (random) => [1, 2, 5, 0, 3][random.integer(5)]!,
  },
  external: {
    variable: { kind: "external", name: "external" },
    settings: {},
    values: [],
    truth: () => 1,
    support: [0],
    draw: () => 0,
  },
};

/** Families with values of their own. */
export const valued = (Object.keys(leafExamples) as FamilyName[]).filter((name) =>
  !leafFamilies[name].external
);

/** Families that learn. */
export const learning = valued.filter((name) => leafExamples[name].values.length > 0);

/** A mixture over a variable for every family that has values: leaves of both settings, those of the examples and random ones. */
export function everyFamily(seed = 1): Circuit {
  const b = new CircuitBuilder({ seed });
  const variables = valued.map((name) => b.variable(leafExamples[name].variable));
  const part = (others: boolean): NodeId => {
    const leaves = valued.map((family, v) => {
      const { settings, otherSettings = settings, values } = leafExamples[family];
      return b.input({
        variable: variables[v]!,
        family,
        units: 2,
        settings: others ? otherSettings : settings,
        ...(!others && values.length > 0 && { parameter: values }),
        id: `${family}${others ? "/others" : ""}`,
      });
    });
    const half = leaves.length >> 1;
    return b.product(
      [leaves.slice(0, half), leaves.slice(half)].map((some) => b.sum([b.product(some)], { units: 2 })),
    );
  };
  return b.build(b.sum([part(false), part(true)], { units: 1, id: "root" }));
}

/** Rows for {@link everyFamily}, every fifth value missing. */
export function drawRows(random: RandomStream, count: number): (number | null)[][] {
  return Array.from(
    { length: count },
    () => valued.map((name) => random.uniform() < 0.2 ? null : leafExamples[name].draw(random)),
  );
}
