import { withVisibleMarks } from "./bidi.ts";
import type { Viz } from "@viz-js/viz";

/** A box of a drawn graph. */
export interface DrawnNode {
  /** Text, possibly of several lines. */
  readonly label: string;
  /** CSS classes of letters and dashes, by which a page colours it. */
  readonly classes: string;
  /** Fill colour without a style sheet. */
  readonly fill: string;
  readonly tooltip: string;
  /** Link target, for pages. */
  readonly href?: string;
}

/** An arrow between boxes, given by their indices. */
export interface DrawnEdge {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

/** Options of a drawing. */
export interface GraphOptions {
  /** White by default. */
  readonly background?: string;
  /** Top down by default. */
  readonly direction?: "down" | "right";
}

/** Draws a directed graph with Graphviz. Labels are plain text: nothing in them is interpreted as markup. */
export async function drawGraph(
  title: string,
  nodes: readonly DrawnNode[],
  edges: readonly DrawnEdge[],
  options: GraphOptions = {},
): Promise<string> {
  // Loaded once, at the first drawing: loading takes as long as drawing.
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
    // One arrow between two nodes, however many outputs it stands for.
    edges: [...Map.groupBy(edges, ({ from, to }) => `n${from} n${to}`)].map(([ends, group]) => {
      const [tail, head] = ends.split(" ") as [string, string];
      return { tail, head, attributes: { label: namesOf(group) } };
    }),
  }, { format: "svg" });
}

/** Labels of the arrows between the same two boxes, one per line. */
function namesOf(edges: readonly DrawnEdge[]): string {
  return edges.filter(({ label }) => label !== "").map(({ label }) => ` ${escape(label)} `).join("\n");
}

let graphviz: Promise<Viz> | undefined;

/**
 * Escapes backslashes, which begin Graphviz's own escapes, and HTML entities, which it decodes, so that both appear
 * literally.
 */
function escape(text: string): string {
  return withVisibleMarks(text).replaceAll("\\", "\\\\").replaceAll("&", "&amp;");
}
