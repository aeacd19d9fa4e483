import { withVisibleMarks } from "../foundation/bidi.ts";
import type { Viz } from "@viz-js/viz";

/** A box of a drawn graph. */
export interface DrawnNode {
  /** Lines of text. */
  readonly label: string;
  /** Words of CSS classes, letters and dashes: how a page colours it. */
  readonly classes: string;
  /** Fill colour where no style sheet says otherwise. */
  readonly fill: string;
  readonly tooltip: string;
  /** Where it leads, for pages. */
  readonly href?: string;
}

/** An arrow between boxes, by position. */
export interface DrawnEdge {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

/** How a graph is drawn. */
export interface GraphOptions {
  /** White where it is left out. */
  readonly background?: string;
  /** Top down where it is left out. */
  readonly direction?: "down" | "right";
}

/** Draws a directed graph by Graphviz. Labels are text: nothing in them is read as markup. */
export async function drawGraph(
  title: string,
  nodes: readonly DrawnNode[],
  edges: readonly DrawnEdge[],
  options: GraphOptions = {},
): Promise<string> {
  // Loaded when a graph is drawn, and once: that takes as long as drawing.
  graphviz ??= import("@viz-js/viz").then(({ instance }) => instance());
  return (await graphviz).renderString({
    graphAttributes: {
      rankdir: options.direction === "right" ? "LR" : "TB",
      ...(title === "" ? {} : { label: escape(title), labelloc: "t" }),
      fontname: "Helvetica",
      bgcolor: options.background ?? "white",
      nodesep: 0.3,
      ranksep: 0.5,
    },
    nodeAttributes: {
      ...{ shape: "box", style: "rounded,filled", fontname: "Helvetica", fontsize: 11, margin: "0.16,0.08" },
    },
    edgeAttributes: { fontname: "Helvetica", fontsize: 9, color: "#555555" },
    nodes: nodes.map((node, i) => ({
      name: `n${i}`,
      attributes: {
        id: `graph-node-${i}`,
        label: escape(node.label),
        class: node.classes,
        fillcolor: node.fill,
        tooltip: escape(node.tooltip),
        ...(node.href === undefined ? {} : { URL: node.href }),
      },
    })),
    // One arrow between two nodes, whatever number of outputs it stands for.
    edges: [...Map.groupBy(edges, ({ from, to }) => `n${from} n${to}`)].map(([ends, group]) => {
      const [tail, head] = ends.split(" ") as [string, string];
      return { tail, head, attributes: { label: namesOf(group) } };
    }),
  }, { format: "svg" });
}

/** Names of arrows between the same two boxes, a line each. */
function namesOf(edges: readonly DrawnEdge[]): string {
  return edges.filter(({ label }) => label !== "").map(({ label }) => ` ${escape(label)} `).join("\n");
}

let graphviz: Promise<Viz> | undefined;

/** Backslashes begin Graphviz's own escapes, and it reads HTML entities: both must come out as they went in. */
function escape(text: string): string {
  return withVisibleMarks(text).replaceAll("\\", "\\\\").replaceAll("&", "&amp;");
}
