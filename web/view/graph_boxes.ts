import type { NodeView } from "./run.ts";

/** What a box of a drawn graph stands for: a node, an unbranched chain of nodes, or all nodes of a stage. */
export const BOXES = ["nodes", "chains", "stages"] as const;
/** One of {@link BOXES}. */
export type BoxKind = (typeof BOXES)[number];

/** By default, larger graphs show one box per stage. */
const DRAWN_NODES = 24;

/** The default kind of box for a graph. */
export function usualBoxes(nodes: readonly NodeView[]): BoxKind {
  return nodes.length > DRAWN_NODES ? "stages" : "nodes";
}

/** The boxes of a graph, each with its nodes in graph order. */
export function boxesOf(nodes: readonly NodeView[], kind: BoxKind): (readonly NodeView[])[] {
  if (kind === "nodes") return nodes.map((node) => [node]);
  return kind === "stages" ? [...Map.groupBy(nodes, (node) => node.stage).values()] : chainsOf(nodes);
}

/** Groups unbranched chains into boxes: each node is the only reader of the one before and reads nothing else. */
function chainsOf(nodes: readonly NodeView[]): NodeView[][] {
  const readers = new Map<string, Set<string>>();
  const sources = new Map<string, Set<string>>();
  const names = new Set(nodes.map((node) => node.name));
  const add = (map: Map<string, Set<string>>, key: string, value: string) =>
    map.set(key, (map.get(key) ?? new Set()).add(value));
  for (const node of nodes) {
    for (const input of node.inputs) {
      if (!names.has(input.node)) continue;
      add(readers, input.node, node.name);
      add(sources, node.name, input.node);
    }
  }
  const chains: NodeView[][] = [];
  const ofNode = new Map<string, NodeView[]>();
  for (const node of nodes) {
    const before = sources.get(node.name);
    const [only] = before?.size === 1 ? before : [];
    const chain = only !== undefined && readers.get(only)!.size === 1 ? ofNode.get(only) : undefined;
    const mine = chain ?? [];
    if (chain === undefined) chains.push(mine);
    mine.push(node);
    ofNode.set(node.name, mine);
  }
  return chains;
}
