import {
  drawGraph,
  type DrawnEdge,
  type DrawnNode,
  type GraphOptions,
} from "../../foundation/drawn_graph.ts";
import { countsText, shownState, STATE_WORDS, took, worstState } from "../parts/status.tsx";
import { boxesOf, type BoxKind, usualBoxes } from "./graph_boxes.ts";
import type { NodeView } from "./run.ts";

/** Fill colours of states for drawings without a style sheet. */
const FILLS: Readonly<Record<string, string>> = {
  ran: "#c8e6c9",
  cached: "#cfd8dc",
  data: "#e0e0e0",
  running: "#ffe0b2",
  failed: "#ffcdd2",
  killed: "#ffcdd2",
  pending: "#ffffff",
};

/** Graphs with more arrows have no arrow labels, which would cover everything else. */
const NAMED_EDGES = 40;

/** Draws a run's graph as SVG: one box per node with its state and time, or one per stage in large runs. */
export async function drawRunGraph(
  nodes: readonly NodeView[],
  href: (node: NodeView) => string | undefined,
  options: GraphOptions & { readonly boxes?: BoxKind } = {},
): Promise<string> {
  const kind = options.boxes ?? usualBoxes(nodes);
  const boxes = boxesOf(nodes, kind);
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
  return await drawGraph("", boxes.map((box) => drawn(box, kind, href)), shown, options);
}

function drawn(
  box: readonly NodeView[],
  kind: BoxKind,
  href: (node: NodeView) => string | undefined,
): DrawnNode {
  const [first] = box as [NodeView];
  const state = worstState(box.map(shownState));
  const link = href(first);
  const text = box.length === 1
    ? `${first.name}\n${STATE_WORDS[state].sign} ${STATE_WORDS[state].word}${timeOf(first)}`
    : kind === "chains"
    ? `${first.name}\n${box.length > 2 ? `… ${box.length - 2} more …\n` : ""}${box.at(-1)!.name}\n${
      countsText(countsOf(box))
    }`
    : `${first.stage} ×${box.length}\n${countsText(countsOf(box))}`;
  return {
    label: text,
    classes: `state-${state}`,
    fill: FILLS[state] ?? "#fff9c4",
    tooltip: box.length > 1 || kind === "stages"
      ? box.map((node) => node.name).slice(0, 12).join(", ")
      : first.reasons.join("; ") || STATE_WORDS[state].word,
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
