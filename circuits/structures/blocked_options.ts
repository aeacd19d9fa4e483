import { type Circuit, type InputNode, type Node, statesOf, type SumNode } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireCircuit } from "../guards.ts";
import { leafFamily, shapeOf } from "../leaves/mod.ts";
import { blockedHmm, type BlockedHmmOptions } from "./blocked_hmm.ts";

/**
 * The options with which {@link blockedHmm} makes the structure of a circuit; values of parameters are not among them.
 * @throws {CircuitError} on a circuit that it does not make
 */
export function blockedHmmOptions(circuit: Circuit): BlockedHmmOptions {
  requireCircuit(circuit);
  const { nodes, variables, parameters } = circuit, root = nodes[circuit.root] as Node;
  const begins = root.kind === "sum" ? root.children.map((id) => partsOf(circuit, id)) : [];
  const leaves = begins.flatMap(({ leaf }) => leaf ?? []),
    afters = begins.flatMap(({ after }) => after ?? []);
  const blockOf = new Map(leaves.map((leaf, b) => [leaf.parameter, b]));
  const follows = afters.map(({ children }) =>
    children.flatMap((id) => blockOf.get(partsOf(circuit, id).leaf?.parameter) ?? [])
  );
  const options: BlockedHmmOptions = {
    length: variables.length,
    symbols: variables[0] === undefined ? 0 : statesOf(variables[0]),
    blocks: leaves.map((leaf) => ({
      states: leaf.units,
      symbols: [...leafFamily(leaf.family).support?.(shapeOf(circuit, leaf)) ?? []],
    })),
    // A circuit of one position does not say what may follow.
    ...(afters.length > 0 && { follows }),
    backoff: afters[0]?.children.map((id) => nodes[id] as Node).find(({ kind }) => kind === "sum")?.units ??
      0,
  };
  if (leaves.length > 0 && leaves.length === begins.length) {
    const values = new Map([...parameters].map(([id, parameter]) => [id, parameter.values]));
    try {
      if (sameNodes(blockedHmm({ ...options, values }), circuit)) return options;
    } catch (error) {
      if (!(error instanceof CircuitError)) throw error;
    }
  }
  throw new CircuitError("circuit/argument", "the circuit is no blocked hidden Markov model", {
    hint: "`blockedHmm` makes such circuits.",
  });
}

/** The leaf of a block, and the sum over what comes after it; neither for other nodes. */
function partsOf(circuit: Circuit, id: number): { leaf?: InputNode; after?: SumNode } {
  const node = circuit.nodes[id] as Node;
  if (node.kind === "input") return { leaf: node };
  const [leaf, after] = node.children.map((child) => circuit.nodes[child] as Node);
  return node.kind === "product" && leaf?.kind === "input" && after?.kind === "sum" ? { leaf, after } : {};
}

/** Whether circuits have the same nodes, apart from their names. */
function sameNodes(a: Circuit, b: Circuit): boolean {
  return textOf(a) === textOf(b);
}

function textOf({ nodes, root }: Circuit): string {
  // Files have properties in another order.
  const parts = nodes.map((node) => [
    node.kind,
    node.units,
    node.kind === "input" ? [node.variable, node.family, node.settings, node.parameter] : node.children,
    node.kind === "sum" ? [node.groups, node.parameter] : [],
  ]);
  return JSON.stringify([root, parts]);
}
