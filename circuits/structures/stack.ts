import { CircuitBuilder } from "../builder.ts";
import { checkCircuit } from "../checks.ts";
import {
  childrenOf,
  type Circuit,
  describeNode,
  type InputNode,
  type Node,
  type Parameter,
  parameterOf,
  rootUnits,
} from "../circuit.ts";
import { copyInto } from "../copy.ts";
import { CircuitError } from "../errors.ts";
import { requireCircuit, requireList, requireWhole } from "../guards.ts";
import { certainStates, isExternal } from "../leaves/mod.ts";
import { sameVariable } from "./mixture.ts";

/**
 * One circuit whose root concatenates the root units of all given circuits, in order: `p(x | k)` for every `k`, suitable
 * for `substitute` in place of a latent variable with that many states.
 *
 * Circuits of the same structure whose sums have one child each (hidden Markov models, hidden Chow-Liu trees, naive
 * mixtures) become a block-diagonal circuit with as many nodes as one of them: at every node their units are adjacent,
 * and each circuit is a group of the sums. Parameters keep their ids. Other circuits are copied side by side, the
 * parameters of circuit `i` with the prefix `c<i>/`.
 * @throws {CircuitError} when the circuits are not over the same variables
 */
export function stack(circuits: readonly Circuit[]): Circuit {
  requireList("the circuits", circuits);
  const [first] = circuits;
  if (first === undefined) throw new CircuitError("circuit/argument", "a stack needs at least one circuit");
  circuits.forEach((circuit, i) => {
    const same = circuit.variables.length === first.variables.length &&
      first.variables.every((variable, v) => sameVariable(variable, circuit.variables[v]));
    if (!same) {
      throw new CircuitError(
        "structure/other-variables",
        `circuit ${i} of the stack is not over the variables of circuit 0`,
      );
    }
  });
  const nodes = first.nodes.map((_, id) => merge(first, circuits.map((circuit) => circuit.nodes[id])));
  const sameRoot = circuits.every(({ root, nodes }) =>
    root === first.root && nodes.length === first.nodes.length
  );
  if (!sameRoot || nodes.includes(undefined)) return sideBySide(circuits, first);
  const parameters = [...first.parameters.values()].map(({ id, shape }): [string, Parameter] => {
    const parts = circuits.map((circuit) => parameterOf(circuit, id).values);
    const size = parts.reduce((total, part) => total + part.length, 0);
    const values = parts[0] instanceof Float64Array ? new Float64Array(size) : new Float32Array(size);
    parts.reduce((at, part) => (values.set(part, at), at + part.length), 0);
    return [id, { id, shape: [(shape[0] as number) * circuits.length, ...shape.slice(1)], values }];
  });
  const circuit: Circuit = {
    variables: first.variables,
    nodes: nodes as Node[],
    root: first.root,
    parameters: new Map(parameters),
  };
  checkCircuit(circuit);
  return circuit;
}

/**
 * The inverse of {@link stack} for block-diagonal circuits: the circuits of the groups, all with the same structure
 * object; only the values of their parameters differ, which are views on the circuit's own.
 * @throws {CircuitError} naming the node where the groups meet or do not line up
 */
export function unstack(circuit: Circuit, groups: number): Circuit[] {
  requireCircuit(circuit);
  requireWhole("groups", groups, 1);
  const fault = (node: Node, problem: string): never => {
    throw new CircuitError(
      "structure/not-a-stack",
      `the circuit is not a stack of ${groups}: ${describeNode(node)} ${problem}`,
    );
  };
  const nodes = circuit.nodes.map((node): Node => {
    if (node.units % groups !== 0) return fault(node, `has ${node.units} units`);
    const units = node.units / groups;
    if (node.kind === "product") return { ...node, units };
    if (node.kind === "sum") {
      if (node.groups % groups !== 0) return fault(node, `has ${node.groups} groups`);
      if (node.children.length !== 1 && groups > 1) return fault(node, "mixes units of several children");
      return { ...node, units, groups: node.groups / groups };
    }
    if (isExternal(node) || certainStates(circuit, node) !== undefined) {
      return fault(node, `is a ${node.family} leaf`);
    }
    return { ...node, units };
  });
  const cut = ({ id, shape, values }: Parameter, g: number): [string, Parameter] => {
    const size = values.length / groups;
    return [id, {
      id,
      shape: [(shape[0] as number) / groups, ...shape.slice(1)],
      values: values.subarray(g * size, (g + 1) * size),
    }];
  };
  const { variables, root } = circuit;
  return Array.from({ length: groups }, (_, g) => ({
    variables,
    nodes,
    root,
    parameters: new Map([...circuit.parameters.values()].map((parameter) => cut(parameter, g))),
  }));
}

/** Merges the same node of all circuits into one; undefined if they differ or the slices would not line up. */
function merge(circuit: Circuit, nodes: readonly (Node | undefined)[]): Node | undefined {
  const first = nodes[0] as Node;
  const same = nodes.every((node) =>
    node !== undefined && node.kind === first.kind && node.units === first.units &&
    childrenOf(node).join() === childrenOf(first).join() &&
    (node.kind === "product" || (first.kind !== "product" && node.parameter === first.parameter))
  );
  if (!same) return undefined;
  const units = first.units * nodes.length;
  if (first.kind === "product") return { ...first, units };
  if (first.kind === "sum") {
    const groups = first.groups * nodes.length;
    const uniform = nodes.every((node) => node?.kind === "sum" && node.groups === first.groups);
    return first.children.length === 1 && uniform ? { ...first, units, groups } : undefined;
  }
  const inputs = nodes as readonly InputNode[];
  const certain = inputs.map((node) => certainStates(circuit, node) ?? []);
  const states = certain.flat();
  const alike = inputs.every(({ variable, family, settings }) =>
    variable === first.variable && family === first.family &&
    (states.length > 0 || JSON.stringify(settings) === JSON.stringify(first.settings))
  );
  if (!alike || isExternal(first)) return undefined;
  return { ...first, units, settings: states.length > 0 ? { values: states } : first.settings };
}

function sideBySide(circuits: readonly Circuit[], first: Circuit): Circuit {
  const units = rootUnits(first);
  const odd = circuits.findIndex((circuit) => rootUnits(circuit) !== units);
  if (odd >= 0) {
    throw new CircuitError(
      "circuit/units",
      `circuit ${odd} of the stack does not have the ${units} root units of circuit 0`,
    );
  }
  const b = new CircuitBuilder();
  const variables = first.variables.map((variable) => b.variable(variable));
  const roots = circuits.map((circuit, i) => copyInto(b, circuit, { variables, prefix: `c${i}` }));
  const total = units * circuits.length;
  const weights = new Float32Array(total).fill(1);
  return b.build(b.sum(roots, { units: total, groups: total, id: "stack", name: "stack", weights }));
}
