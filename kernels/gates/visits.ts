import type { NodeId } from "../../circuits/mod.ts";
import { LEAF, PRODUCT, type Trace } from "./trace.ts";

/**
 * Calls `visit` for the factors of a product: for a sum its item, for a leaf -1 less the address of its values in units of 8
 * bytes, and its row of counts (-1 if it has none).
 */
export function forEachFactor(
  trace: Trace,
  item: number,
  visit: (factor: number, row: number) => void,
): void {
  const from = trace.places.values[item] as number, { length } = factorsOf(trace, item);
  for (let i = 0; i < length; i++) {
    visit(trace.factors.values[from + 2 * i] as number, trace.factors.values[from + 2 * i + 1] as number);
  }
}

/** Calls `visit` for every leaf of a sample: node, sample, address of its flows in units of 8 bytes. */
export function forEachLeaf(
  trace: Trace,
  visit: (node: NodeId, sample: number, flows: number) => void,
): void {
  const { circuit: { nodes } } = trace.structure;
  for (let item = 0; item < trace.kinds.length; item++) {
    const kind = trace.kinds.values[item];
    const own = trace.owners.values[item] as number, flows = trace.flows.values[item] as number;
    if (kind === LEAF) visit(trace.nodes.values[item] as number, own, flows);
    if (kind !== PRODUCT) continue;
    for (const child of factorsOf(trace, item)) if (nodes[child]?.kind === "input") visit(child, own, flows);
  }
}

/** Calls `visit` for every leaf that is the factor of a product: node, sample, address of its values in units of 8 bytes. */
export function forEachFactorLeaf(
  trace: Trace,
  visit: (node: NodeId, sample: number, values: number) => void,
): void {
  for (let item = 0; item < trace.kinds.length; item++) {
    if (trace.kinds.values[item] !== PRODUCT) continue;
    const children = factorsOf(trace, item);
    let i = 0;
    forEachFactor(trace, item, (factor) => {
      const child = children[i++] as NodeId;
      if (factor < 0) visit(child, trace.owners.values[item] as number, -1 - factor);
    });
  }
}

/** The nodes of the factors of a product. */
export function factorsOf(trace: Trace, item: number): readonly NodeId[] {
  const node = trace.structure.circuit.nodes[trace.nodes.values[item] as number];
  return (node as { children: readonly NodeId[] }).children;
}
