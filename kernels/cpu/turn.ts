import type { OnnxGraph, Value } from "../onnx/graph.ts";

/** Reshapes `[folds * pieces, batch, units]` to `[folds, batch, pieces * units]`, concatenating the pieces of a fold. */
export function joinRows(
  graph: OnnxGraph,
  value: Value,
  folds: number,
  pieces: number,
  units: number,
): Value {
  if (pieces === 1) return value;
  const apart = graph.op("Reshape", [value, graph.integers(folds, pieces, -1, units)]);
  const turned = graph.op("Transpose", [apart], { perm: [0, 2, 1, 3] });
  return graph.op("Reshape", [turned, graph.integers(folds, -1, pieces * units)]);
}

/** The inverse of {@link joinRows}. */
export function cutRows(graph: OnnxGraph, value: Value, folds: number, pieces: number, units: number): Value {
  if (pieces === 1) return value;
  const apart = graph.op("Reshape", [value, graph.integers(folds, -1, pieces, units)]);
  const turned = graph.op("Transpose", [apart], { perm: [0, 2, 1, 3] });
  return graph.op("Reshape", [turned, graph.integers(folds * pieces, -1, units)]);
}
