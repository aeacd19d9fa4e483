import { OnnxGraph } from "../../kernels/onnx/graph.ts";
import { openSession, type TensorValue } from "../../kernels/onnx/session.ts";
import { milliseconds } from "../measure.ts";

/** Sizes of matrix products. */
export interface Products {
  /** Rows of the left matrix. */
  readonly rows: number;
  /** Rows and columns of the right one. */
  readonly size: number;
  /** Products one after the other, each of the result of the last. */
  readonly count: number;
}

/**
 * Bare ONNX Runtime: a graph of matrix products alone, in float32. `seconds` runs it once; the right matrix is an input, as
 * weights that a step of EM changes are.
 */
export async function openProducts(
  { rows, size, count }: Products,
): Promise<{ seconds(): Promise<number>; close(): Promise<void> }> {
  const graph = new OnnxGraph();
  const w = graph.input("w", "float32", [size, size]);
  let y = graph.input("x", "float32", [rows, size]);
  for (let i = 0; i < count; i++) y = graph.op("MatMul", [y, w]);
  graph.output("y", y, "float32", [rows, size]);
  const session = await openSession(graph.model());
  const inputs: Record<string, TensorValue> = {
    // Rows that sum to one: no product leaves the normal range.
    w: { data: new Float32Array(size * size).fill(1 / size), shape: [size, size] },
    x: { data: new Float32Array(rows * size).fill(1), shape: [rows, size] },
  };
  const outputs = { y: { data: new Float32Array(rows * size), shape: [rows, size] } };
  return {
    seconds: async () => await milliseconds(() => session.run(inputs, outputs)) / 1000,
    close: () => session.release(),
  };
}
