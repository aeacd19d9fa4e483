import { getOrMake } from "../foundation/newer.ts";
import { childrenOf, type Circuit, leafStates, type Node, type NodeId } from "../circuits/mod.ts";
import { slicesOf } from "./blocks.ts";

/** The nodes of a group, in the order of its folds. */
export interface Draft {
  /** The nodes. */
  readonly nodes: readonly NodeId[];
  /** Consecutive nodes that share their parameter; 1 except for tied sums. */
  readonly uses: number;
}

/**
 * Nodes by level and group, level 0 first; folds are in the order in which the groups above read them. Inputs are on
 * level 0. Every other node is on the highest level that its parents allow: a hidden Chow-Liu tree is cut by depth,
 * which puts all sums of a depth in one group, whatever the number of children.
 */
export function draftsOf(circuit: Circuit, blocks: Int32Array): Draft[][] {
  const byLevel = levelsOf(circuit);
  /** Order in which nodes are first read, from the root down. */
  const rank = new Int32Array(circuit.nodes.length).fill(-1);
  let next = 0;
  const levels: Draft[][] = [];
  for (const nodes of byLevel.toReversed()) {
    nodes.sort((a, b) => (rank[a] as number) - (rank[b] as number));
    const drafts = groupsOf(circuit, blocks, nodes);
    for (const draft of drafts) {
      const most = Math.max(...draft.nodes.map((id) => childrenOf(circuit.nodes[id] as Node).length));
      for (let position = 0; position < most; position++) {
        for (const id of draft.nodes) {
          const child = childrenOf(circuit.nodes[id] as Node)[position];
          if (child !== undefined && rank[child] === -1) rank[child] = next++;
        }
      }
    }
    levels.unshift(drafts);
  }
  return levels;
}

function levelsOf(circuit: Circuit): NodeId[][] {
  const depth = new Int32Array(circuit.nodes.length);
  for (let id = circuit.nodes.length - 1; id >= 0; id--) {
    for (const child of childrenOf(circuit.nodes[id] as Node)) {
      depth[child] = Math.max(depth[child] as number, (depth[id] as number) + 1);
    }
  }
  const deepest = depth.reduce((a, b) => Math.max(a, b), 0);
  const levels: NodeId[][] = Array.from({ length: deepest + 1 }, () => []);
  for (const node of circuit.nodes) {
    const level = node.kind === "input" ? 0 : deepest - (depth[node.id] as number);
    (levels[level] as NodeId[]).push(node.id);
  }
  return levels;
}

/** Groups of one level, in the order of their first nodes. */
function groupsOf(circuit: Circuit, blocks: Int32Array, nodes: readonly NodeId[]): Draft[] {
  const byShape = new Map<string, NodeId[]>();
  for (const id of nodes) {
    const key = shapeKey(circuit, blocks, circuit.nodes[id] as Node);
    getOrMake(byShape, key, () => []).push(id);
  }
  return [...byShape.values()].flatMap((alike): Draft[] => {
    if (circuit.nodes[alike[0] as NodeId]?.kind !== "sum") return [{ nodes: alike, uses: 1 }];
    // Nodes that share weights are consecutive; in a group, each matrix has the same number of uses.
    const tied = new Map<string, NodeId[]>();
    for (const id of alike) {
      const node = circuit.nodes[id] as Node & { kind: "sum" };
      getOrMake(tied, node.parameter, () => []).push(id);
    }
    const byUses = new Map<number, NodeId[]>();
    for (const uses of tied.values()) getOrMake(byUses, uses.length, () => []).push(...uses);
    return [...byUses].map(([uses, ids]) => ({ nodes: ids, uses }));
  });
}

/** Key of a node's group: nodes of a level with equal keys form one. */
function shapeKey(circuit: Circuit, blocks: Int32Array, node: Node): string {
  const parts = blocks[node.id] as number;
  if (node.kind === "product") return `product ${node.units / parts} ${node.children.length}`;
  if (node.kind === "input") {
    const states = leafStates(circuit, node);
    return `input ${node.family} ${node.units} ${parts} ${states}`;
  }
  const [first] = slicesOf(circuit, blocks, node);
  return `sum ${node.units / parts} ${first?.map((slice) => slice.units).join()}`;
}
