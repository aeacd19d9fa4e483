import type { Circuit, Node, NodeId, SumNode } from "../circuits/mod.ts";

/** Units `unit .. unit + units - 1` of block `block` of a node. */
export interface BlockSlice {
  /** The node. */
  readonly node: NodeId;
  /** Index of the block. */
  readonly block: number;
  /** First unit within the block. */
  readonly unit: number;
  /** Number of units. */
  readonly units: number;
}

/**
 * Number of equal blocks into which each node is cut, by id. A sum has its `groups`. Products and leaves are cut finely
 * enough that every group of a sum above or below reads whole blocks: their parts are not combined before a dense sum,
 * and may differ greatly in magnitude.
 */
export function blocksOf(circuit: Circuit): Int32Array {
  const { nodes } = circuit;
  const blocks = Int32Array.from(nodes, (node) => node.kind === "sum" ? node.groups : 1);
  const refine = (id: NodeId, times: number): boolean => {
    const before = blocks[id] as number;
    if ((nodes[id] as Node).kind === "sum" || before % times === 0) return false;
    blocks[id] = lcm(before, times);
    return true;
  };
  // A shared node can propagate a cut from one parent to another, so this repeats; cuts only get finer.
  for (let changed = true; changed;) {
    changed = false;
    for (let id = nodes.length - 1; id >= 0; id--) {
      const node = nodes[id] as Node;
      if (node.kind === "product") {
        for (const child of node.children) changed = refine(child, blocks[id] as number) || changed;
      } else if (node.kind === "sum" && node.groups > 1) {
        forEachChild(circuit, node, (child, from, width) => {
          const units = (nodes[child] as Node).units;
          changed = refine(child, units / gcd(gcd(width, from), units)) || changed;
        });
      }
    }
    for (const node of nodes) {
      if (node.kind !== "product") continue;
      for (const child of node.children) changed = refine(node.id, blocks[child] as number) || changed;
    }
  }
  return blocks;
}

/**
 * The slices that every block of a product or sum reads, `[blocks][arity]`, in the order of the weights' columns. The
 * `j`-th slices of all blocks have equal width.
 */
export function slicesOf(circuit: Circuit, blocks: Int32Array, node: Node): BlockSlice[][] {
  const count = blocks[node.id] as number;
  const parts: BlockSlice[][] = Array.from({ length: count }, () => []);
  if (node.kind === "input") return parts;
  if (node.kind === "product") {
    const units = node.units / count;
    parts.forEach((slices, block) => {
      for (const child of node.children) addSlices(circuit, blocks, child, block * units, units, slices);
    });
    return parts;
  }
  forEachChild(circuit, node, (child, from, width) => {
    const to = from + (circuit.nodes[child] as Node).units;
    for (let block = Math.floor(from / width); block * width < to; block++) {
      const first = Math.max(from, block * width), last = Math.min(to, (block + 1) * width);
      addSlices(circuit, blocks, child, first - from, last - first, parts[block] as BlockSlice[]);
    }
  });
  return count > 1 ? alignCuts(parts) : parts;
}

/** Cuts the slices of all blocks wherever those of any block are cut. */
function alignCuts(parts: readonly BlockSlice[][]): BlockSlice[][] {
  const cuts = new Set<number>();
  for (const slices of parts) {
    let at = 0;
    for (const slice of slices) cuts.add(at += slice.units);
  }
  const ends = [...cuts].sort((a, b) => a - b);
  return parts.map((slices) => {
    const fine: BlockSlice[] = [];
    let at = 0, end = 0;
    for (const slice of slices) {
      for (let done = 0; done < slice.units;) {
        const units = (ends[end++] as number) - at;
        fine.push({ ...slice, unit: slice.unit + done, units });
        done += units;
        at += units;
      }
    }
    return fine;
  });
}

function addSlices(
  circuit: Circuit,
  blocks: Int32Array,
  node: NodeId,
  from: number,
  units: number,
  slices: BlockSlice[],
): void {
  const width = (circuit.nodes[node] as Node).units / (blocks[node] as number);
  for (let at = from; at < from + units;) {
    const block = Math.floor(at / width), unit = at - block * width;
    const taken = Math.min(width - unit, from + units - at);
    slices.push({ node, block, unit, units: taken });
    at += taken;
  }
}

/** Calls `visit(child, from, width)`, where `from` is the child's offset in the concatenation. */
function forEachChild(
  circuit: Circuit,
  node: SumNode,
  visit: (child: NodeId, from: number, width: number) => void,
): void {
  const total = node.children.reduce((sum, child) => sum + (circuit.nodes[child] as Node).units, 0);
  let from = 0;
  for (const child of node.children) {
    visit(child, from, total / node.groups);
    from += (circuit.nodes[child] as Node).units;
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function lcm(a: number, b: number): number {
  return a / gcd(a, b) * b;
}
