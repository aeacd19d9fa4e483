/** Soft evidence as what it stands for, and rows that mix it with values. */
import {
  type Circuit,
  CircuitBuilder,
  copyInto,
  leafFamily,
  leafOf,
  RandomStream,
  type Samples,
  type SoftEvidence,
  softOf,
} from "../../circuits/mod.ts";

/**
 * Samples of which every value is by turns observed, missing, or soft: dense, or of some states alone, which then stand in
 * any order, with a zero among them.
 */
export function mixedSamples(circuit: Circuit, count: number, seed: number): Samples {
  const random = new RandomStream(seed, 12), variables = circuit.variables.length;
  const values = new Float64Array(count * variables), observed = new Uint8Array(count * variables);
  const soft = new Map<number, SoftEvidence>();
  const weight = () => random.uniform() < 0.2 ? 0 : 0.05 + random.uniform();
  circuit.variables.forEach((variable, v) => {
    if (variable.kind === "external") throw new Error("no externals here");
    const rows = new Uint8Array(count), states = variable.kind === "categorical" ? variable.states : 5;
    for (let s = 0; s < count; s++) {
      const kind = random.uniform(), at = s * variables + v;
      values[at] = variable.kind === "real" ? random.normal() : random.integer(states);
      observed[at] = kind < 0.25 ? 0 : 1;
      rows[s] = kind < 0.65 ? 1 : 0;
    }
    if (variable.kind !== "categorical" || random.uniform() < 0.1) return;
    if (random.uniform() < 0.5) {
      soft.set(v, { weights: Float32Array.from({ length: count * states }, weight), rows });
      return;
    }
    const k = 1 + random.integer(states), indices = new Int32Array(count * k);
    for (let s = 0; s < count; s++) indices.set(random.permutation(states).slice(0, k), s * k);
    soft.set(v, { indices, weights: Float32Array.from({ length: count * k }, weight), rows });
  });
  return { count, variables, values, observed, soft };
}

/** How likely what is known of sample `s` is if its values are `x`. */
export function evidenceWeight(samples: Samples, s: number, x: readonly number[]): number {
  return x.reduce((total, value, v) => {
    const at = s * samples.variables + v, soft = softOf(samples, s, v);
    if (samples.observed?.[at] === 0) return total;
    if (soft === undefined) return samples.values[at] === value ? total : 0;
    return total * (soft.weights[soft.states.indexOf(value)] ?? 0);
  }, 1);
}

/** A circuit in which soft evidence of one sample is a child of each variable that has some, and the sample of it. */
export interface ObservedChildren {
  /** The circuit; leaves over soft variables are sums, the leaf's parameter `id` is their `soft/id`. */
  readonly circuit: Circuit;
  /** The sample with its children observed. */
  readonly samples: Samples;
  /** Logarithm of the likelihood of the soft evidence over that of the children. */
  readonly logScale: number;
}

/** Soft evidence of sample `s` made into observed children `c` with `p(c = 1 | x)` in proportion to the weight of `x`. */
export function withObservedChildren(circuit: Circuit, samples: Samples, s: number): ObservedChildren {
  const b = new CircuitBuilder(), variables = circuit.variables.map((variable) => b.variable(variable));
  const made = new Set<string>();
  let logScale = 0;
  const tables = new Map(circuit.variables.flatMap((variable, v) => {
    const soft = softOf(samples, s, v);
    if (soft === undefined || variable.kind !== "categorical") return [];
    const most = Math.max(...soft.weights, 1e-30);
    logScale += Math.log(most);
    const share = Array.from(
      { length: variable.states },
      (_, x) => (soft.weights[soft.states.indexOf(x)] ?? 0) / most,
    );
    return [[v, {
      child: b.categorical(`what was seen of ${variable.name}`, 2),
      rows: share.flatMap((p) => [1 - p, p]),
      states: variable.states,
    }]];
  }));
  const root = copyInto(b, circuit, {
    variables,
    replace(node) {
      const table = node.kind === "input" ? tables.get(node.variable) : undefined;
      if (node.kind !== "input" || table === undefined) return undefined;
      const leaf = leafOf(circuit, node), family = leafFamily(node.family), { states } = table;
      const state = b.input({
        variable: node.variable,
        family: "indicator",
        units: states,
        settings: { values: Array.from({ length: states }, (_, x) => x) },
      });
      const child = b.input({
        variable: table.child,
        family: "categorical",
        units: states,
        parameter: table.rows,
        id: `seen/${node.id}`,
      });
      const id = `soft/${node.parameter ?? node.id}`;
      const weights = Array.from(
        { length: node.units * states },
        (_, i) => Math.exp(family.logProbability(leaf, Math.floor(i / states), i % states)),
      );
      const known = made.has(id);
      made.add(id);
      return b.sum([b.product([state, child])], {
        units: node.units,
        ...(known ? { weights: id } : { weights, id }),
      });
    },
  });
  const from = s * samples.variables;
  const values = Array.from(samples.values.subarray(from, from + samples.variables));
  const observed = values.map((_, v) =>
    softOf(samples, s, v) === undefined ? samples.observed?.[from + v] ?? 1 : 0
  );
  const more = Array.from(tables, () => 1);
  return {
    circuit: b.build(root),
    samples: {
      count: 1,
      variables: values.length + more.length,
      values: Float64Array.from([...values, ...more]),
      observed: Uint8Array.from([...observed, ...more]),
    },
    logScale,
  };
}
