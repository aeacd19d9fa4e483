/** Brute force, and random small circuits to compare with it. */
import * as fc from "fast-check";
import {
  type Circuit,
  CircuitBuilder,
  leafFamily,
  leafOf,
  type NodeId,
  RandomStream,
  type Samples,
  samplesFromRows,
} from "../../circuits/mod.ts";

/** Variables below a node, by recursion. */
export function variablesBelow(circuit: Circuit, id: NodeId): Set<number> {
  const node = circuit.nodes[id]!;
  if (node.kind === "input") return new Set([node.variable]);
  return new Set(node.children.flatMap((child) => [...variablesBelow(circuit, child)]));
}

/** Whether a row says anything about a node. */
export function saysOf(circuit: Circuit, id: NodeId, row: readonly (number | null)[]): boolean {
  return variablesBelow(circuit, id).values().some((v) => row[v] !== null);
}

/**
 * Likelihood of a row, complete or not, straight from the definition: linear domain, by recursion. In the place of parts of
 * which nothing was observed stands 1.
 */
export function likelihood(
  circuit: Circuit,
  row: readonly (number | null)[],
  weightsOf = weights,
): number {
  const says = circuit.nodes.map(({ id }) => saysOf(circuit, id, row));
  const value = (id: NodeId): number[] => {
    const node = circuit.nodes[id]!;
    if (!says[id]) return Array.from({ length: node.units }, () => 1);
    if (node.kind === "input") {
      const leaf = leafOf(circuit, node), { logProbability } = leafFamily(node.family);
      return Array.from(
        { length: node.units },
        (_, u) => Math.exp(logProbability(leaf, u, row[node.variable]!)),
      );
    }
    const children = node.children.map(value);
    if (node.kind === "product") return children.reduce((a, b) => a.map((y, u) => y * b[u]!));
    const inputs = children.flat(), w = weightsOf(circuit, node.parameter);
    const width = inputs.length / node.groups, height = node.units / node.groups;
    return Array.from({ length: node.units }, (_, o) => {
      const from = Math.floor(o / height) * width;
      return inputs.slice(from, from + width).reduce((total, y, i) => total + y * w[o * width + i]!, 0);
    });
  };
  return value(circuit.root)[0]!;
}

function weights(circuit: Circuit, id: string): ArrayLike<number> {
  return circuit.parameters.get(id)!.values;
}

/** All assignments of the circuit's categorical variables. */
export function assignments(circuit: Circuit): number[][] {
  return circuit.variables.reduce<number[][]>((rows, variable) => {
    const states = variable.kind === "categorical" ? variable.states : 1;
    return rows.flatMap((row) => Array.from({ length: states }, (_, k) => [...row, k]));
  }, [[]]);
}

/** All assignments with their likelihoods. */
export function jointTable(circuit: Circuit): { x: number[]; p: number }[] {
  return assignments(circuit).map((x) => ({ x, p: likelihood(circuit, x) }));
}

/** Whether `x` agrees with the observed values of a row. */
export function agrees(x: readonly number[], row: readonly (number | null)[]): boolean {
  return row.every((value, v) => value === null || value === x[v]);
}

/** All rows as samples. */
export function allSamples(circuit: Circuit): Samples {
  return samplesFromRows(assignments(circuit));
}

/** A random circuit of up to `variables` categorical variables: shared nodes, tied weights, groups, zeros. */
export function randomCircuit(seed: number, variables = 4): Circuit {
  const random = new RandomStream(seed, 7);
  const b = new CircuitBuilder({ seed });
  const count = 1 + random.integer(variables);
  const states = Array.from({ length: count }, () => 2 + random.integer(2));
  states.forEach((k, v) => b.categorical(`x${v}`, k));
  const made = new Map<string, NodeId>();
  const weightsOfShape = new Map<string, string>();

  const sum = (children: NodeId[], units: number, groups: number): NodeId => {
    const into = children.reduce((total, child) => total + b.units(child), 0);
    const shape = [groups, units / groups, into / groups].join();
    const tied = random.uniform() < 0.3 ? weightsOfShape.get(shape) : undefined;
    if (tied !== undefined) return b.sum(children, { units, groups, weights: tied });
    const width = into / groups;
    const values = Array.from(
      { length: units * width },
      () => random.uniform() < 0.15 ? 0 : random.uniform(),
    );
    for (let at = 0; at < values.length; at += width) {
      values[at + random.integer(width)]! += 0.5;
      const total = values.slice(at, at + width).reduce((x, y) => x + y);
      for (let i = 0; i < width; i++) values[at + i]! /= total;
    }
    const id = `w${weightsOfShape.size}-${shape}-${made.size}-${random.integer(1 << 30)}`;
    weightsOfShape.set(shape, id);
    return b.sum(children, { units, groups, weights: values, id });
  };
  const leaf = (v: number, units: number): NodeId => {
    const families = states[v] === 2
      ? ["categorical", "bernoulli", "indicator", "logistic"]
      : ["categorical", "categorical", "indicator", "logistic"];
    const family = families[random.integer(4)]!;
    const settings = family === "indicator"
      ? { values: Array.from({ length: units }, () => random.integer(states[v]!)) }
      : {};
    return b.input({ variable: v, family, units, settings });
  };
  const region = (scope: number[], units: number): NodeId => {
    const key = `${scope.join()}:${units}`;
    const before = made.get(key);
    if (before !== undefined && random.uniform() < 0.4) return before;
    const partitions = 1 + random.integer(2);
    const blocks = random.uniform() < 0.3 ? units : 1;
    const children = Array.from({ length: partitions }, () => {
      const inner = blocks > 1 ? units : 1 + random.integer(3);
      if (scope.length === 1) return leaf(scope[0]!, inner);
      const order = random.permutation(scope.length).map((i) => scope[i]!);
      const cut = 1 + random.integer(scope.length - 1);
      const parts = [order.slice(0, cut), order.slice(cut)].map((part) => part.sort());
      return b.product(parts.map((part) => region(part, inner)));
    });
    const id =
      scope.length === 1 && partitions === 1 && random.uniform() < 0.4 && b.units(children[0]!) === units
        ? children[0]!
        : sum(children, units, blocks);
    made.set(key, id);
    return id;
  };
  const root = sum([region(states.map((_, v) => v), 1 + random.integer(3))], 1, 1);
  return b.build(root);
}

/** An arbitrary random circuit. */
export function anyCircuit(variables = 4): fc.Arbitrary<Circuit> {
  return fc.noShrink(fc.nat(1e6).map((seed) => randomCircuit(seed, variables)));
}

/** An arbitrary circuit with a row that may have missing values. */
export function circuitsWithRow(
  variables = 4,
): fc.Arbitrary<{ circuit: Circuit; row: (number | null)[]; seed: number }> {
  return fc.noShrink(
    fc.nat(1e6).map((seed) => {
      const circuit = randomCircuit(seed, variables), random = new RandomStream(seed, 8);
      const row = circuit.variables.map((variable) =>
        random.uniform() < 0.4 ? null : random.integer(variable.kind === "categorical" ? variable.states : 1)
      );
      return { circuit, row, seed };
    }),
  );
}

/** Whether two numbers agree within a relative and absolute tolerance; equal infinities agree. */
export function close(a: number, b: number, tolerance = 1e-6): boolean {
  return a === b || Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}
