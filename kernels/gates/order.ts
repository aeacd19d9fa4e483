import type { Trace } from "./trace.ts";

/** The order in which the items and edges of a trace are computed. */
export class Order {
  /** Items by level, and where each level begins. */
  items = new Int32Array(0);
  itemStarts: Int32Array = new Int32Array(0);
  /** Edges by level of their sum and tile, and where each level begins. */
  edges = new Int32Array(0);
  edgeStarts: Int32Array = new Int32Array(0);
  /** Edges by tile. */
  byTile = new Int32Array(0);

  /** Sorts a trace. */
  sort(trace: Trace): void {
    const { levels, layout: { tiles }, circuit: { root } } = trace.structure;
    const count = trace.kinds.length, edges = trace.tiles.length, depth = (levels[root] as number) + 1;
    if (this.items.length < count) this.items = new Int32Array(2 * count);
    if (this.edges.length < edges) {
      this.edges = new Int32Array(2 * edges);
      this.byTile = new Int32Array(2 * edges);
    }
    const nodes = trace.nodes.values, parents = trace.parents.values;
    const itemLevels = new Int32Array(count), edgeLevels = new Int32Array(edges);
    for (let i = 0; i < count; i++) itemLevels[i] = levels[nodes[i] as number] as number;
    for (let e = 0; e < edges; e++) edgeLevels[e] = itemLevels[parents[e] as number] as number;
    this.itemStarts = sortBy(this.items, undefined, count, depth, itemLevels);
    sortBy(this.byTile, undefined, edges, tiles.length, trace.tiles.values);
    this.edgeStarts = sortBy(this.edges, this.byTile, edges, depth, edgeLevels);
  }
}

/**
 * Writes `0 .. count - 1`, or the numbers of `from`, to `out` in the order of their keys, equals as they come; returns where
 * each key begins.
 */
function sortBy(
  out: Int32Array,
  from: Int32Array | undefined,
  count: number,
  keys: number,
  keyOf: Int32Array,
): Int32Array {
  const starts = new Int32Array(keys + 1);
  for (let i = 0; i < count; i++) starts[keyOf[i]! + 1]!++;
  for (let key = 0; key < keys; key++) starts[key + 1]! += starts[key]!;
  const places = starts.slice();
  for (let i = 0; i < count; i++) {
    const x = from === undefined ? i : from[i]!, key = keyOf[x]!;
    out[places[key]!++] = x;
  }
  return starts;
}
