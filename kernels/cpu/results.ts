import type { NodeId } from "../../circuits/mod.ts";
import type { Group, Plan } from "../plan.ts";
import { NAMES } from "./programs.ts";
import { ZERO_BELOW } from "./rows.ts";
import type { GraphResults } from "./graph_runner.ts";
import type { Segment, Segmentation } from "./segments.ts";

/** Locates a fold: its segment and its position there. */
export type FoldIndex = (group: number, fold: number) => { segment: Segment; at: number };

/** Creates a lookup of folds. */
export function foldIndex({ segments, byGroup }: Segmentation): FoldIndex {
  return (group, fold) => {
    const own = byGroup[group] as readonly number[];
    let low = 0, high = own.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((segments[own[middle] as number] as Segment).from <= fold) low = middle;
      else high = middle - 1;
    }
    const segment = segments[own[low] as number] as Segment;
    return { segment, at: fold - segment.from };
  };
}

/** Calls `visit` for every block of a node, with its fold's location and its first unit. */
export function forEachBlock(
  plan: Plan,
  find: FoldIndex,
  node: NodeId,
  visit: (segment: Segment, at: number, first: number) => void,
): void {
  const place = plan.places[node];
  if (place === undefined) return;
  const { units } = plan.groups[place.group] as Group;
  for (let block = 0; block < place.blocks; block++) {
    const { segment, at } = find(place.group, place.fold + block * place.stride);
    visit(segment, at, block * units);
  }
}

/**
 * Writes the log-values of all products and sums for a batch of `count` samples to `values`, by node
 * `[samples, units]`, starting at sample `first`.
 */
export function readActivations(
  plan: Plan,
  segmentation: Segmentation,
  results: GraphResults,
  count: number,
  first: number,
  values: readonly Float64Array[],
): void {
  const find = foldIndex(segmentation);
  for (const node of plan.circuit.nodes) {
    if (node.kind === "input") continue;
    const out = values[node.id] as Float64Array;
    forEachBlock(plan, find, node.id, ({ index, group }, at, unit) => {
      const rows = results.singles(NAMES.values(index)), scales = results.doubles(NAMES.scale(index));
      for (let s = 0; s < count; s++) {
        const row = at * count + s, to = (first + s) * node.units + unit;
        const scale = scales[row] as number;
        for (let u = 0; u < group.units; u++) {
          const value = rows[row * group.units + u] as number;
          out[to + u] = scale > ZERO_BELOW ? Math.log(value) + scale : -Infinity;
        }
      }
    });
  }
}

/** Writes the flows of a leaf for a batch of `count` samples to `out`, `[samples, units]`, starting at sample `first`. */
export function readFlows(
  plan: Plan,
  segmentation: Segmentation,
  results: GraphResults,
  node: NodeId,
  count: number,
  first: number,
  out: Float64Array,
): void {
  const units = plan.circuit.nodes[node]?.units as number;
  forEachBlock(plan, foldIndex(segmentation), node, ({ index, group }, at, unit) => {
    const rows = results.singles(results.program.flows.get(index) as string);
    for (let s = 0; s < count; s++) {
      const from = (at * count + s) * group.units;
      out.set(rows.subarray(from, from + group.units), (first + s) * units + unit);
    }
  });
}
