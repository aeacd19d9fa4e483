import {
  type Circuit,
  describeNode,
  type Node,
  type NodeId,
  nodeOf,
  type Parameter,
  parameterOf,
  type SumNode,
} from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireCircuit, requireNumber, requireWhole } from "../guards.ts";

/**
 * Replaces the states of latent variables by copies of existing ones: state `j` of the variable that sum node `id` sums
 * out becomes a copy of its state `maps.get(id)[j]`. Copies share the weight of their original, so a map in which every
 * state occurs changes no likelihood; if states are dropped, the rest is normalised. Combines pruning and growing (Dang,
 * Liu and Van den Broeck, "Sparse Probabilistic Circuits via Pruning and Growing", NeurIPS 2022, for whole states);
 * copies must be perturbed before they can diverge.
 *
 * Applies to hidden variables as in hidden Chow-Liu trees and Markov models: the sum has one child that is used nowhere
 * else, and none of the parameters involved is tied.
 * @throws {CircuitError} naming the node where that is not so
 */
export function copyStates(circuit: Circuit, maps: ReadonlyMap<NodeId, ArrayLike<number>>): Circuit {
  requireCircuit(circuit);
  const uses = new Map<NodeId, number>(), owners = new Map<string, number>();
  const count = <K>(counts: Map<K, number>, key: K) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const node of circuit.nodes) {
    if (node.kind !== "input") { for (const child of node.children) count(uses, child); }
    if (node.kind !== "product" && node.parameter !== undefined) count(owners, node.parameter);
  }
  const nodes = [...circuit.nodes];
  const parameters = new Map(circuit.parameters);
  const own = (id: string, node: Node): Parameter => {
    if (owners.get(id) !== 1) {
      throw new CircuitError("learning/state-copies", `${describeNode(node)}: parameter \`${id}\` is tied`);
    }
    return parameters.get(id) as Parameter;
  };
  for (const [id, map] of maps) {
    const sum = nodeOf(circuit, id);
    const { states, parts } = statesOf(circuit, sum, uses);
    for (let j = 0; j < map.length; j++) {
      const from = map[j] as number;
      if (!(Number.isInteger(from) && from >= 0 && from < states)) {
        throw new CircuitError(
          "learning/state-copies",
          `${describeNode(sum)}: state ${j} cannot be a copy of ${from} of ${states}`,
        );
      }
    }
    if (map.length === 0) {
      throw new CircuitError(
        "learning/state-copies",
        `${describeNode(sum)}: a latent variable needs a state`,
      );
    }
    const weights = own((sum as SumNode).parameter, sum);
    parameters.set(weights.id, withColumns(weights, map));
    for (const part of parts) {
      const node = nodes[part] as Node;
      if (node.kind !== "product") {
        const parameter = own((node as { parameter: string }).parameter, node);
        parameters.set(parameter.id, withRows(parameter, map, node.kind === "sum"));
      }
      nodes[part] = { ...node, units: map.length };
    }
  }
  return { ...circuit, nodes, parameters };
}

/** The state vectors of a latent variable: the sum's child and, if that is a product, its children. */
function statesOf(
  circuit: Circuit,
  sum: Node,
  uses: ReadonlyMap<NodeId, number>,
): { states: number; parts: NodeId[] } {
  const fault = (node: Node, problem: string): never => {
    throw new CircuitError(
      "circuit/no-latent",
      `${describeNode(sum)} sums out no latent variable of its own: ${describeNode(node)} ${problem}`,
    );
  };
  if (sum.kind !== "sum" || sum.groups !== 1 || sum.children.length !== 1) {
    return fault(sum, "is no dense sum of one child");
  }
  const child = nodeOf(circuit, sum.children[0] as NodeId);
  const parts = child.kind === "product" ? [child.id, ...child.children] : [child.id];
  for (const id of parts) {
    const node = nodeOf(circuit, id);
    if (uses.get(id) !== 1) return fault(node, "has other parents too");
    if (node.kind === "product") {
      if (node !== child) return fault(node, "is a product of a product");
    } else if (node.parameter === undefined) return fault(node, "has no parameter");
    else if (node.kind === "sum" && node.groups !== 1) return fault(node, "has groups");
  }
  return { states: child.units, parts };
}

/** Selects columns of weights `[1, rows, columns]`, with copies sharing the weight; rows are normalised. */
function withColumns({ id, shape, values }: Parameter, map: ArrayLike<number>): Parameter {
  const [, rows, columns] = shape as [number, number, number];
  const copies = new Float64Array(columns);
  for (let j = 0; j < map.length; j++) copies[map[j] as number] = (copies[map[j] as number] as number) + 1;
  const out = new Float32Array(rows * map.length);
  for (let r = 0; r < rows; r++) {
    let kept = 0;
    for (let c = 0; c < columns; c++) if (copies[c] !== 0) kept += values[r * columns + c] as number;
    for (let j = 0; j < map.length; j++) {
      const c = map[j] as number;
      // A row that lost all its states becomes uniform over the others.
      out[r * map.length + j] = kept > 0
        ? (values[r * columns + c] as number) / (copies[c] as number) / kept
        : 1 / map.length;
    }
  }
  return { id, shape: [1, rows, map.length], values: out };
}

/** Selects rows of a leaf's parameter `[units, ...]` or of weights `[1, units, inputs]`. */
function withRows({ id, shape, values }: Parameter, map: ArrayLike<number>, isSum: boolean): Parameter {
  const units = (isSum ? shape[1] : shape[0]) as number, width = values.length / units;
  const size = map.length * width;
  const out = values instanceof Float64Array ? new Float64Array(size) : new Float32Array(size);
  for (let j = 0; j < map.length; j++) {
    const from = (map[j] as number) * width;
    out.set(values.subarray(from, from + width), j * width);
  }
  return {
    id,
    shape: isSum ? [1, map.length, shape[2] as number] : [map.length, ...shape.slice(1)],
    values: out,
  };
}

/**
 * Chooses the states to copy: those with less than `threshold` of the total flow are dropped, then the one with the
 * largest flow per copy is copied until there are `states`.
 * @param flow `[states before]`: the expected number of uses of each state
 */
export function statesByFlow(flow: ArrayLike<number>, states: number, threshold: number): Int32Array {
  requireWhole("the number of states", states, 1);
  requireNumber("threshold", threshold, 0, 1);
  let total = 0;
  for (let s = 0; s < flow.length; s++) total += flow[s] as number;
  const order = Array.from({ length: flow.length }, (_, s) => s)
    .sort((a, b) => (flow[b] as number) - (flow[a] as number) || a - b);
  const kept = order.filter((s, rank) => rank === 0 || (flow[s] as number) >= threshold * total).slice(
    0,
    states,
  );
  const copies = new Map(kept.map((s) => [s, 1]));
  while (kept.length < states) {
    let best = kept[0] as number;
    for (const [s, n] of copies) {
      if ((flow[s] as number) / n > (flow[best] as number) / (copies.get(best) as number)) best = s;
    }
    copies.set(best, (copies.get(best) as number) + 1);
    kept.push(best);
  }
  return Int32Array.from(kept).sort();
}

/** Expected uses of each state of the variable that a sum node sums out, from the expected uses of its weights. */
export function stateFlow(
  circuit: Circuit,
  sum: NodeId,
  weights: ReadonlyMap<string, ArrayLike<number>>,
): Float64Array {
  requireCircuit(circuit);
  const node = nodeOf(circuit, sum) as SumNode;
  const columns = parameterOf(circuit, node.parameter).shape[2] as number;
  const flow = new Float64Array(columns), counts = weights.get(node.parameter) as ArrayLike<number>;
  for (let i = 0; i < counts.length; i++) {
    flow[i % columns] = (flow[i % columns] as number) + (counts[i] as number);
  }
  return flow;
}
