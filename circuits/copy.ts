import type { CircuitBuilder } from "./builder.ts";
import { childrenOf, type Circuit, type Node, type NodeId, nodeOf, parameterOf } from "./circuit.ts";
import { requireCircuit, requireObject } from "./guards.ts";

/** How {@link copyInto} rewrites a circuit. */
export interface CopyOptions {
  /** For every variable of the circuit, its index in the builder. May be -1 for variables of replaced leaves. */
  readonly variables: readonly number[];
  /** Prefix of every parameter id, followed by a slash, to keep the ids of several circuits apart. */
  readonly prefix?: string;
  /**
   * Ids of parameters that an earlier copy under the same prefix added: the copy is tied to them, and adds its own
   * parameters to the set. Empty if omitted.
   */
  readonly copied?: Set<string>;
  /**
   * Called for every node with the builder's ids of its children. Returns the id of its replacement, or undefined to copy
   * it. `copyParameter` copies a parameter (once) and returns its id in the builder.
   */
  readonly replace?: (
    node: Node,
    children: readonly NodeId[],
    copyParameter: (id: string) => string,
  ) => NodeId | undefined;
}

/**
 * Copies the nodes reachable from the circuit's root into a builder, with their parameters (ties are kept). Returns the
 * builder's id of the copy of the root.
 */
export function copyInto(b: CircuitBuilder, circuit: Circuit, options: CopyOptions): NodeId {
  requireCircuit(circuit);
  requireObject("the options of `copyInto`", options);
  const { variables, prefix, replace, copied = new Set<string>() } = options;
  const needed = new Uint8Array(circuit.nodes.length);
  needed[circuit.root] = 1;
  for (let id = circuit.nodes.length - 1; id >= 0; id--) {
    if (needed[id] === 1) { for (const child of childrenOf(nodeOf(circuit, id))) needed[child] = 1; }
  }
  const ids: NodeId[] = [];
  const copyOf = (id: string) => copyParameter(b, circuit, id, prefix, copied);
  for (const node of circuit.nodes) {
    ids.push(-1);
    if (needed[node.id] === 0) continue;
    const children = childrenOf(node).map((child) => ids[child] as NodeId);
    ids[node.id] = replace?.(node, children, copyOf) ?? copyNode(b, node, children, variables, copyOf);
  }
  return ids[circuit.root] as NodeId;
}

/** Copies one parameter under its prefixed id, once; returns the id. */
function copyParameter(
  b: CircuitBuilder,
  circuit: Circuit,
  id: string,
  prefix: string | undefined,
  copied: Set<string>,
): string {
  const prefixed = prefix === undefined ? id : `${prefix}/${id}`;
  if (copied.has(id)) return prefixed;
  copied.add(id);
  const { shape, values } = parameterOf(circuit, id);
  // An id from another circuit must not become a tie by accident: the builder rejects ids that are taken.
  return b.parameter(prefixed, shape, values);
}

function copyNode(
  b: CircuitBuilder,
  node: Node,
  children: readonly NodeId[],
  variables: readonly number[],
  copyOf: (parameter: string) => string,
): NodeId {
  const name = node.name === undefined ? {} : { name: node.name };
  if (node.kind === "product") return b.product(children, name);
  const parameter = node.parameter === undefined ? undefined : copyOf(node.parameter);
  if (node.kind === "sum") {
    return b.sum(children, {
      units: node.units,
      groups: node.groups,
      ...(parameter !== undefined && { weights: parameter }),
      ...name,
    });
  }
  const { family, settings, units } = node;
  return b.input({
    variable: variables[node.variable] as number,
    family,
    settings,
    units,
    ...(parameter !== undefined && { parameter }),
    ...name,
  });
}
