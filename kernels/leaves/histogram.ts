import { ELEMENT_TYPES, type Value } from "../onnx/graph.ts";
import type { DeviceLeaf, LeafFolds, LeafGraph } from "./device_leaf.ts";
import { ownStates } from "./own_states.ts";

/** One probability per bin; the host looks up the bins of values. */
export const histogramDevice: DeviceLeaf = { gpu: ownStates("histogram", "edges"), onnx: emit };

/**
 * Emits the bin index: the number of edges that a value reaches, minus one; the last edge counts only for values beyond
 * it.
 */
function emit(to: LeafGraph, leaves: LeafFolds): Value {
  const { graph } = to, { folds, group } = leaves, bins = group.states;
  const x = to.values(leaves), observed = to.observed(leaves, x, false);
  const lower = new Float64Array(folds * bins), last = new Float64Array(folds);
  for (let fold = 0; fold < folds; fold++) {
    const edges = to.leaf(leaves, fold).leaf.settings["edges"] as readonly number[];
    lower.set(edges.slice(0, bins), fold * bins);
    last[fold] = edges[bins] as number;
  }
  const values = graph.op("Unsqueeze", [to.doubles(x), graph.integers(2)]);
  const reached = (edges: Float64Array, operator: string) => {
    const count = edges.length / folds;
    const marks = graph.op(operator, [values, graph.constant(edges, [folds, 1, count])]);
    return graph.op(
      "ReduceSum",
      [graph.op("Cast", [marks], { to: ELEMENT_TYPES.int64 }), graph.integers(2)],
      { keepdims: 0 },
    );
  };
  const edges = graph.op("Add", [reached(lower, "GreaterOrEqual"), reached(last, "Greater")]);
  const one = graph.constant(BigInt64Array.of(1n), []);
  const bin = graph.op("Sub", [edges, one]);
  const inside = graph.op("And", [
    graph.op("GreaterOrEqual", [bin, graph.constant(BigInt64Array.of(0n), [])]),
    graph.op("Less", [bin, graph.constant(BigInt64Array.of(BigInt(bins)), [])]),
  ]);
  // Values outside all bins are impossible, not invalid: they are looked up in the first bin, then zeroed.
  const first = graph.constant(BigInt64Array.of(0n), []);
  const held = graph.op("Where", [inside, bin, first]);
  const all = () => graph.op("Equal", [held, held]);
  const logs = to.states(leaves, observed, () => held, all);
  const impossible = graph.op("And", [observed, graph.op("Not", [inside])]);
  return graph.op("Where", [
    graph.op("Unsqueeze", [impossible, graph.integers(2)]),
    graph.constant(Float64Array.of(-Infinity), []),
    logs,
  ]);
}
