import type { Circuit } from "../../circuits/circuit.ts";
import { decodeCircuit } from "../../circuits/encoded.ts";
import { drawGraph } from "../../foundation/drawn_graph.ts";

/** Summary of a circuit. */
export interface CircuitPreview {
  readonly variables: number;
  readonly nodes: Readonly<Record<"input" | "product" | "sum", number>>;
  readonly edges: number;
  /** Number of parameters, counting tied ones once. */
  readonly parameters: number;
  /** Largest number of units of a node. */
  readonly width: number;
  /** Length of the longest path from the root to a leaf. */
  readonly depth: number;
  /** A drawing: one box per node, or per layer for larger circuits. */
  readonly svg: string;
  /** Whether the drawing shows layers. */
  readonly layered: boolean;
}

/** Circuits with up to this many nodes are drawn node by node. */
const DRAWN_NODES = 80;
const FILLS = { input: "#cfe8ff", product: "#fde7c8", sum: "#d8efd8" } as const;
const SIGNS = { input: "", product: "×", sum: "+" } as const;

/** Reads and checks a circuit and tells what it is like. @throws CircuitError when it is not sound. */
export async function circuitPreview(structure: string, parameters: Uint8Array): Promise<CircuitPreview> {
  const circuit = decodeCircuit(structure, parameters);
  const nodes = { input: 0, product: 0, sum: 0 };
  let edges = 0, width = 0;
  for (const node of circuit.nodes) {
    nodes[node.kind]++;
    width = Math.max(width, node.units);
    if (node.kind !== "input") edges += node.children.length;
  }
  const heights = heightsOf(circuit);
  const layered = circuit.nodes.length > DRAWN_NODES;
  return {
    variables: circuit.variables.length,
    nodes,
    edges,
    parameters: [...circuit.parameters.values()].reduce((sum, one) => sum + one.values.length, 0),
    width,
    depth: Math.max(...heights),
    svg: layered ? await drawLayers(circuit, heights) : await drawNodes(circuit),
    layered,
  };
}

/** Length of the longest path from each node to a leaf; children come before their parents. */
function heightsOf(circuit: Circuit): number[] {
  const heights: number[] = [];
  for (const node of circuit.nodes) {
    heights.push(node.kind === "input" ? 0 : 1 + Math.max(...node.children.map((child) => heights[child]!)));
  }
  return heights;
}

function drawNodes(circuit: Circuit): Promise<string> {
  return drawGraph(
    "",
    circuit.nodes.map((node) => ({
      label: node.kind === "input"
        ? `${circuit.variables[node.variable]!.name}\n${node.family} ×${node.units}`
        : `${SIGNS[node.kind]} ${node.units}`,
      classes: node.kind,
      fill: FILLS[node.kind],
      tooltip: node.kind === "input" ? node.family : `${node.kind}, ${node.units} units`,
    })),
    circuit.nodes.flatMap((node) =>
      node.kind === "input" ? [] : node.children.map((child) => ({ from: node.id, to: child, label: "" }))
    ),
    { background: "transparent" },
  );
}

/** Draws one box for all nodes of the same kind and height. */
function drawLayers(circuit: Circuit, heights: readonly number[]): Promise<string> {
  const keyOf = (id: number) => `${String(heights[id]).padStart(6, "0")} ${circuit.nodes[id]!.kind}`;
  const layers = Map.groupBy(circuit.nodes, (node) => keyOf(node.id));
  const keys = [...layers.keys()].sort().reverse();
  const position = new Map(keys.map((key, i) => [key, i]));
  const links = new Map<string, number>();
  for (const node of circuit.nodes) {
    if (node.kind === "input") continue;
    for (const child of node.children) {
      const link = `${position.get(keyOf(node.id))} ${position.get(keyOf(child))}`;
      links.set(link, (links.get(link) ?? 0) + 1);
    }
  }
  const shown = keys.slice(0, 60);
  return drawGraph(
    "",
    shown.map((key) => {
      const members = layers.get(key)!;
      const kind = members[0]!.kind;
      const units = [...new Set(members.map((node) => node.units))].sort((a, b) => a - b);
      const range = units.length === 1 ? `${units[0]}` : `${units[0]} to ${units.at(-1)}`;
      return {
        label: `${members.length} ${kind}${members.length > 1 ? "s" : ""}\n${range} units each`,
        classes: kind,
        fill: FILLS[kind],
        tooltip: `${kind}s`,
      };
    }),
    [...links].flatMap(([link, count]) => {
      const [from, to] = link.split(" ").map(Number) as [number, number];
      return from < shown.length && to < shown.length ? [{ from, to, label: String(count) }] : [];
    }),
    { background: "transparent" },
  );
}
