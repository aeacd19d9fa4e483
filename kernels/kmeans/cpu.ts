import { ELEMENT_TYPES, OnnxGraph } from "../onnx/graph.ts";
import { openSession } from "../onnx/session.ts";
import type { KMeansKernel } from "./kernel.ts";
import type { DotProducts } from "./starts.ts";
import { addRows, emptySums } from "./sums.ts";

/**
 * k-means on the CPU: distances and nearest centroids in one ONNX graph, sums in a loop over contiguous rows. A block's
 * distance matrix never leaves ONNX Runtime.
 */
export async function cpuKMeans(width: number, clusters: number): Promise<KMeansKernel> {
  const graph = new OnnxGraph();
  const x = graph.input("x", "float32", ["rows", width]);
  const directions = graph.input("directions", "float32", [clusters, width]);
  const bias = graph.input("bias", "float32", [clusters]);
  const scores = graph.op("Gemm", [x, directions, bias], { transB: 1, alpha: { float: -2 } });
  const nearest = graph.op("ArgMin", [scores], { axis: 1, keepdims: 0 });
  // Cast to int32 inside the graph: int64 would arrive as bigint.
  graph.output("labels", graph.op("Cast", [nearest], { to: ELEMENT_TYPES.int32 }), "int32", ["rows"]);
  graph.output("scores", graph.op("ReduceMin", [scores, graph.integers(1)], { keepdims: 0 }), "float32", [
    "rows",
  ]);
  const session = await openSession(graph.model());
  let centroids: { directions: Float32Array; bias: Float32Array } | undefined;
  let total = emptySums(width, clusters);
  return {
    engine: "cpu",
    begin(directions, bias) {
      centroids = { directions, bias };
      total = emptySums(width, clusters);
      return Promise.resolve();
    },
    async add(values, rows, weights) {
      const { labels: found, scores } = await session.run({
        x: { data: values, shape: [rows, width] },
        directions: { data: centroids!.directions, shape: [clusters, width] },
        bias: { data: centroids!.bias, shape: [clusters] },
      });
      const labels = found!.data as Int32Array;
      addRows(total, values, width, labels, weights);
      return { labels, scores: scores!.data as Float32Array };
    },
    sums: () => Promise.resolve(total),
    release: () => session.release(),
  };
}

/** Dot products with fixed vectors, by ONNX Runtime. */
export async function cpuProducts(vectors: Float32Array, width: number): Promise<DotProducts> {
  const rows = vectors.length / width;
  const graph = new OnnxGraph();
  const candidates = graph.input("candidates", "float32", ["candidates", width]);
  const x = graph.input("x", "float32", [rows, width]);
  graph.output("products", graph.op("Gemm", [candidates, x], { transB: 1 }), "float32", ["candidates", rows]);
  const session = await openSession(graph.model());
  const fixed = { data: vectors, shape: [rows, width] };
  return {
    async products(chosen) {
      const shape = [chosen.length / width, width];
      return (await session.run({ candidates: { data: chosen, shape }, x: fixed })).products!
        .data as Float32Array;
    },
    release: () => session.release(),
  };
}
