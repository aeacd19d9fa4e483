import { type Circuit, type InputNode, shapeOf } from "../../circuits/mod.ts";
import type { Encoding, OwnEncoding } from "../leaves/device_leaf.ts";
import { deviceLeaf } from "../leaves/mod.ts";

/** A column of words that is made of the values of a variable as a family wants them. */
export interface OwnColumn {
  /** Index of the variable. */
  readonly variable: number;
  /** Makes the words. */
  readonly encoding: OwnEncoding;
}

/**
 * The words of a sample on the device: one for each variable, one for each column that families make of one, and, where
 * any value takes two words, as many companions of those.
 */
export interface Columns {
  /** Words of a sample. */
  readonly width: number;
  /** From a word to its companion; 0 where there are none. */
  readonly half: number;
  /** By variable: whether its own column has real values. */
  readonly real: readonly boolean[];
  /** What stands after the columns of the variables. */
  readonly own: readonly OwnColumn[];
  /** The column that a leaf reads. */
  of(node: InputNode): number;
}

const made = new WeakMap<Circuit["nodes"], Columns>();

/** The columns of a circuit. */
export function columnsOf(circuit: Circuit): Columns {
  return made.getOrInsertComputed(circuit.nodes, () => columnsFor(circuit));
}

function columnsFor(circuit: Circuit): Columns {
  const { variables } = circuit, count = variables.length;
  const real = variables.map(({ kind }) => kind === "real");
  const own: OwnColumn[] = [], byKey = new Map<string, number>();
  const of = new Map<number, number>();
  for (const node of circuit.nodes) {
    if (node.kind !== "input") continue;
    const encoding = encodingOf(circuit, node);
    const column = encoding?.kind !== "own" ? node.variable : byKey.getOrInsertComputed(
      `${node.variable} ${encoding.key}`,
      () => count + own.push({ variable: node.variable, encoding }) - 1,
    );
    of.set(node.id, column);
  }
  const words = count + own.length;
  const half = own.length > 0 || real.includes(true) ? words : 0;
  return { width: words + half, half, real, own, of: (node) => of.get(node.id) as number };
}

function encodingOf(circuit: Circuit, node: InputNode): Encoding | undefined {
  const { gpu } = deviceLeaf(node.family);
  return gpu.kind === "given" ? undefined : gpu.encoding(shapeOf(circuit, node));
}
