import type { Circuit, Node } from "../../circuits/circuit.ts";
import { takeSamples } from "../../circuits/samples.ts";
import { mutualInformation } from "../../circuits/structures/chow_liu.ts";
import { drawGraph } from "../../foundation/drawn_graph.ts";
import { defineStage, type NoParams, type Stage } from "../../runner/stage.ts";
import { charts } from "../charts/codec.ts";
import { chooseSome } from "../choose_some.ts";
import { circuit } from "../codecs/circuit.ts";
import { samples } from "../codecs/samples.ts";
import { type RowColumn, rowColumns, rowVariables } from "./codecs.ts";
import { TREE_ROWS } from "./row_tree.ts";
import { valuesText } from "./words.ts";

/** Fills by type of column. */
const FILLS: Readonly<Record<RowColumn["type"], string>> = {
  categorical: "#cfe8ff",
  count: "#fde7c8",
  real: "#d8efd8",
  date: "#eadcf5",
};

/** Letters of a name or of values that are drawn. */
const LETTERS = 36;

/** The tree of a model of rows: a box for each column, and on each edge the bits that its two columns share. */
export const drawTree: Stage<
  NoParams,
  { circuit: typeof circuit; columns: typeof rowColumns; train: typeof samples },
  { charts: typeof charts }
> = defineStage({
  name: "rows.draw-tree",
  inputs: { circuit, columns: rowColumns, train: samples },
  outputs: { charts },
  seeded: true,
  async run({ inputs, context }) {
    const { columns } = inputs.columns, width = columns.length;
    const all = await inputs.train.all();
    const some = takeSamples(all, chooseSome(all.count, TREE_ROWS, context.seed));
    const information = mutualInformation(rowVariables(columns), some);
    const bits = (a: number, b: number) => (information[a * width + b]! / Math.LN2).toFixed(2);
    const svg = await drawGraph(
      "",
      columns.map((column) => ({
        label: `${cut(column.name)}\n${cut(valuesText(column))}`,
        classes: column.type,
        fill: FILLS[column.type],
        tooltip: `${column.name}: ${column.type}`,
      })),
      treeEdges(inputs.circuit).map(([from, to]) => ({ from, to, label: bits(from, to) })),
    );
    const caption =
      "The tree that the columns stand in; on its edges, the bits that two columns say of each other. " +
      "Blue: states, green: numbers, orange: counts, violet: dates.";
    return { charts: [{ name: "tree", caption, svg }] };
  },
});

/** Pairs of variables, parent and child, of a tree of hidden variables as `hclt` builds it. */
export function treeEdges({ nodes, root }: Circuit): [number, number][] {
  const edges: [number, number][] = [];
  /** The variable whose leaf is in the product below a sum. */
  const visit = (sum: Node): number => {
    const product = nodes[(sum as Node & { kind: "sum" }).children[0]!]!;
    const below = product.kind === "product" ? product.children.map((id) => nodes[id]!) : [product];
    const leaf = below.find((node) => node.kind === "input")!;
    for (const node of below) if (node.kind === "sum") edges.push([leaf.variable, visit(node)]);
    return leaf.variable;
  };
  visit(nodes[root]!);
  return edges;
}

function cut(text: string): string {
  return text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text;
}
