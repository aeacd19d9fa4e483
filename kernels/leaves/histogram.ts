import { histogram, type LeafShape } from "../../circuits/mod.ts";
import { ELEMENT_TYPES, type Value } from "../onnx/graph.ts";
import { LOG_ZERO } from "../webgpu/words.ts";
import type { DeviceLeaf, Encoding, LeafFolds, LeafGraph } from "./device_leaf.ts";
import { probabilities } from "./states.ts";

/** Encodes a value as its bin and the base-2 logarithm of the bin's scale factor. */
function encoding(leaf: LeafShape): Encoding {
  const bins = histogram.states(leaf);
  const scales = Float32Array.from(
    { length: bins },
    (_, bin) => Math.LOG2E * (histogram.stateScale?.(leaf, bin) as number),
  );
  return {
    kind: "own",
    key: `histogram ${JSON.stringify(leaf.settings["edges"])}`,
    words(value) {
      const bin = histogram.stateOf?.(leaf, value) as number;
      // Values outside all bins are mapped to the first one and made impossible there.
      return bin < 0 ? [0, LOG_ZERO] : [bin, scales[bin] as number];
    },
  };
}

/** One probability per bin; the host looks up the bins of values. */
export const histogramDevice: DeviceLeaf = {
  gpu: {
    ...probabilities,
    encoding,
    value: {
      ...probabilities.value,
      kind: "histogram",
      code: `${probabilities.value.code}
  if (value != MISSING) { log += bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]); }`,
    },
  },
  onnx: emit,
};

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
