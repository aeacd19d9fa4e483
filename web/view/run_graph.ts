import { drawGraph, type DrawnEdge, type DrawnNode, type GraphOptions } from "../graph.ts";
import { countsText, shownState, STATES, took } from "../parts/status.tsx";
import type { NodeView } from "./run.ts";

/** Fill colours of states in drawings that no style sheet reaches. */
const FILLS: Readonly<Record<string, string>> = {
  ran: "#c8e6c9",
  cached: "#cfd8dc",
  data: "#e0e0e0",
  running: "#ffe0b2",
  failed: "#ffcdd2",
  killed: "#ffcdd2",
  pending: "#ffffff",
};

/** Graphs of more nodes show a box a stage. */
const DRAWN_NODES = 24;
/** Arrows of graphs that have more are not named: the names would be all that is seen. */
const NAMED_EDGES = 40;

/** A run's graph as SVG: a box for each node with its state and time, in large runs a box for each stage. */
export async function drawRunGraph(
  nodes: readonly NodeView[],
  href: (node: NodeView) => string | undefined,
  options: GraphOptions = {},
): Promise<string> {
  const grouped = nodes.length > DRAWN_NODES;
  const boxes = grouped
    ? [...Map.groupBy(nodes, (node) => node.stage).values()]
    : nodes.map((node) => [node]);
  const position = new Map(boxes.flatMap((box, i) => box.map((node) => [node.name, i] as const)));
  const edges = new Map<string, DrawnEdge>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      const from = position.get(input.node);
      const to = position.get(node.name)!;
      if (from === undefined || from === to) continue;
      const label = input.name === input.output ? input.name : `${input.output} → ${input.name}`;
      edges.set(JSON.stringify([from, to, label]), { from, to, label });
    }
  }
  const arrows = [...edges.values()];
  const shown = arrows.length > NAMED_EDGES ? arrows.map((arrow) => ({ ...arrow, label: "" })) : arrows;
  return await drawGraph("", boxes.map((box) => drawn(box, grouped, href)), shown, options);
}

function drawn(
  box: readonly NodeView[],
  grouped: boolean,
  href: (node: NodeView) => string | undefined,
): DrawnNode {
  const [first] = box as [NodeView];
  const state = grouped ? worstOf(box) : shownState(first);
  const link = href(first);
  const text = grouped && box.length > 1
    ? `${first.stage} ×${box.length}\n${countsText(countsOf(box))}`
    : `${first.name}\n${STATES[state].sign} ${STATES[state].word}${timeOf(first)}`;
  return {
    label: text,
    classes: `state-${state}`,
    fill: FILLS[state] ?? "#fff9c4",
    tooltip: grouped ? first.stage : first.reasons.join("; ") || STATES[state].word,
    ...(link === undefined ? {} : { href: link }),
  };
}

function timeOf(node: NodeView): string {
  const text = took(node);
  return text === "–" ? "" : `, ${text}`;
}

function countsOf(box: readonly NodeView[]) {
  const counts: Partial<Record<NodeView["state"], number>> = {};
  for (const node of box) counts[node.state] = (counts[node.state] ?? 0) + 1;
  return counts;
}

/** The state of a box of several nodes: what a person would want to know first. */
function worstOf(box: readonly NodeView[]) {
  const order = [
    "failed",
    "killed",
    "interrupted",
    "running",
    "pending",
    "skipped",
    "unused",
    "ran",
    "cached",
    "data",
  ] as const;
  const found = new Set(box.map(shownState));
  return order.find((state) => found.has(state))!;
}
