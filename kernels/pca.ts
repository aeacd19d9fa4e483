import type { Matrix } from "ml-matrix";
import { RetortError } from "../foundation/errors.ts";
import { notFinite, rowsOfBlock, type Vectors } from "./kmeans/vectors.ts";
import { OnnxGraph } from "./onnx/graph.ts";
import { openSession } from "./onnx/session.ts";

/** Principal components of vectors. */
export interface Pca {
  /** `[width]`: the mean. */
  readonly mean: Float32Array;
  /** `[components, width]`: unit vectors by decreasing variance; the largest entry of each is positive. */
  readonly components: Float32Array;
  /** `[components]`: variances along the components, with divisor `rows - 1`. */
  readonly variances: Float64Array;
  /** Total variance over all directions. */
  readonly total: number;
}

/**
 * Principal component analysis of vectors that are streamed twice, for the mean and for the covariance, which is
 * accumulated in float64 over float32 products of blocks. Source: Jolliffe, "Principal Component Analysis".
 * @throws {RetortError} on more components than numbers in a vector, fewer than two vectors, or a number that is not
 *   finite, with its place
 */
export async function principalComponents(vectors: Vectors, components: number): Promise<Pca> {
  const { rows, width } = vectors;
  if (!(Number.isInteger(components) && components >= 1 && components <= width)) {
    throw new RetortError(
      "pca/components",
      `${components} components of vectors of width ${width}: expected 1 to ${width}`,
    );
  }
  if (rows < 2) {
    throw new RetortError(
      "pca/components",
      `${rows} vectors have no principal components: at least 2 are needed`,
    );
  }
  const mean = (await meanOf(vectors)).map(Math.fround);
  const { EigenvalueDecomposition } = await import("ml-matrix");
  const covariance = await covarianceOf(vectors, mean);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, {
    assumeSymmetric: true,
  });
  const order = [...realEigenvalues.keys()].sort((a, b) =>
    realEigenvalues[b]! - realEigenvalues[a]! || a - b
  );
  const out = new Float32Array(components * width);
  order.slice(0, components).forEach((column, c) => {
    const vector = eigenvectorMatrix.getColumn(column);
    const largest = vector.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a);
    out.set(vector.map((x) => largest < 0 ? -x : x), c * width);
  });
  return {
    mean: Float32Array.from(mean),
    components: out,
    variances: Float64Array.from(
      order.slice(0, components),
      (column) => Math.max(0, realEigenvalues[column]!),
    ),
    total: covariance.trace(),
  };
}

async function meanOf(vectors: Vectors): Promise<Float64Array> {
  const { rows, width } = vectors;
  const sums = new Float64Array(width);
  for await (const { first, values } of vectors.blocks()) {
    let total = 0;
    for (let at = 0; at < values.length; at += width) {
      for (let i = 0; i < width; i++) {
        const x = values[at + i]!;
        sums[i] = sums[i]! + x;
        total += x * x;
      }
    }
    if (!(total < Infinity)) throw notFinite(values, 0, width, (row) => first + row);
  }
  return sums.map((sum) => sum / rows);
}

async function covarianceOf(vectors: Vectors, mean: Float64Array): Promise<Matrix> {
  const { rows, width } = vectors;
  const graph = new OnnxGraph();
  const centred = graph.op("Sub", [
    graph.input("x", "float32", ["rows", width]),
    graph.constant(Float32Array.from(mean)),
  ]);
  graph.output("products", graph.op("Gemm", [centred, centred], { transA: 1 }), "float32", [width, width]);
  const session = await openSession(graph.model());
  const { Matrix } = await import("ml-matrix");
  const covariance = Matrix.zeros(width, width);
  try {
    for await (
      const { rows: count, values } of vectors.blocks({ rows: Math.min(8192, rowsOfBlock(width)) })
    ) {
      const { products } = await session.run({ x: { data: values, shape: [count, width] } });
      for (let i = 0; i < width; i++) {
        for (let j = 0; j < width; j++) {
          const product = products!.data[i * width + j] as number;
          covariance.set(i, j, covariance.get(i, j) + product / (rows - 1));
        }
      }
    }
  } finally {
    await session.release();
  }
  // Makes the matrix exactly symmetric; rounding in blocks may not.
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) covariance.set(i, j, covariance.get(j, i));
  return covariance;
}

/** Projects blocks of vectors onto principal components. */
export interface Projection {
  /** Projects `[rows, width]` to `[rows, components]`. */
  project(values: Float32Array, rows: number): Promise<Float32Array>;
  /** Frees the session. */
  release(): Promise<void>;
}

/** Creates a projection; `whiten` scales each component to unit variance (components without variance become 0). */
export async function projection(
  pca: Pick<Pca, "mean" | "components" | "variances">,
  options: { readonly whiten?: boolean } = {},
): Promise<Projection> {
  const width = pca.mean.length, components = pca.components.length / width;
  const scaled = pca.components.map((x, i) => {
    const variance = pca.variances[Math.floor(i / width)]!;
    return options.whiten === true ? variance > 0 ? x / Math.sqrt(variance) : 0 : x;
  });
  const graph = new OnnxGraph();
  const centred = graph.op("Sub", [graph.input("x", "float32", ["rows", width]), graph.constant(pca.mean)]);
  const directions = graph.constant(scaled, [components, width]);
  graph.output("y", graph.op("Gemm", [centred, directions], { transB: 1 }), "float32", ["rows", components]);
  const session = await openSession(graph.model());
  return {
    async project(values, rows) {
      return (await session.run({ x: { data: values, shape: [rows, width] } })).y!.data as Float32Array;
    },
    release: () => session.release(),
  };
}
