import { getOrMake } from "../../foundation/newer.ts";
import { type Circuit, type InputNode, shapeOf } from "../../circuits/mod.ts";
import type { Encoding, OwnEncoding } from "../leaves/device_leaf.ts";
import { deviceLeaf } from "../leaves/mod.ts";

/** A column that a leaf family derives from the values of a variable. */
export interface OwnColumn {
  /** Index of the variable. */
  readonly variable: number;
  /** Computes the words. */
  readonly encoding: OwnEncoding;
}

/**
 * Words per sample on the device: one for each variable, one for each column derived by families and, if any value
 * takes two words, a companion word for each of those.
 */
export interface Columns {
  /** Words per sample. */
  readonly width: number;
  /** Distance from a word to its companion; 0 if there are none. */
  readonly half: number;
  /** By variable: whether its own column has real values. */
  readonly real: readonly boolean[];
  /** Columns after those of the variables. */
  readonly own: readonly OwnColumn[];
  /** The column that a leaf reads. */
  of(node: InputNode): number;
}

const made = new WeakMap<Circuit["nodes"], Columns>();

/** The value columns of a circuit. */
export function columnsOf(circuit: Circuit): Columns {
  return getOrMake(made, circuit.nodes, () => columnsFor(circuit));
}

function columnsFor(circuit: Circuit): Columns {
  const { variables } = circuit, count = variables.length;
  const real = variables.map(({ kind }) => kind === "real");
  const own: OwnColumn[] = [], byKey = new Map<string, number>();
  const of = new Map<number, number>();
  for (const node of circuit.nodes) {
    if (node.kind !== "input") continue;
    const encoding = encodingOf(circuit, node);
    const column = encoding?.kind !== "own"
      ? node.variable
      : getOrMake(byKey, `${node.variable} ${encoding.key}`, () =>
        count + own.push({ variable: node.variable, encoding }) - 1);
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
