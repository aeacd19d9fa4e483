import { RetortError } from "../../foundation/errors.ts";
import { notFinite, type Vectors } from "./vectors.ts";

/**
 * `euclidean`: k-means. `cosine`: spherical k-means (Dhillon and Modha 2001), in which only the direction of a vector
 * matters and centroids are unit vectors.
 */
export type Metric = "euclidean" | "cosine";

/** Vectors with precomputed values that every pass needs. */
export interface Prepared {
  readonly vectors: Vectors;
  readonly metric: Metric;
  /** A point among the vectors that distances are computed relative to, to lose fewer digits. Zero for cosine. */
  readonly origin: Float64Array;
  /** `[rows]`: squared distances from the origin; for cosine 1, since all vectors are scaled to unit length. */
  readonly norms: Float32Array;
  /** `[rows]`: weights of the vectors; undefined if all 1. */
  readonly weights: Float64Array | undefined;
  /** `[rows]`: factor that scales each vector to unit length; only for cosine. */
  readonly scales: Float64Array | undefined;
  /** `[rows]`: factor of each vector in a sum, weight times scale; undefined if all 1. */
  readonly factors: Float64Array | undefined;
  /** Sum of the weights. */
  readonly mass: number;
  /** Weighted sum of the norms. */
  readonly spread: number;
}

/**
 * One pass over the vectors: computes norms and validates that the vectors can be clustered.
 * @throws {RetortError} that names the place: a number that is not finite, a vector of length zero under cosine, a
 *   weight that is negative or not finite
 * @param nameOf what a row is called in errors, where the vectors are a part of others
 */
export async function prepareVectors(
  vectors: Vectors,
  metric: Metric,
  origin: Float64Array,
  sampleWeights?: ArrayLike<number>,
  nameOf: (row: number) => number = (row) => row,
): Promise<Prepared> {
  const { rows, width } = vectors;
  const weights = checkedWeights(sampleWeights, rows);
  const norms = new Float32Array(rows);
  const scales = metric === "cosine" ? new Float64Array(rows) : undefined;
  let mass = 0, spread = 0;
  for await (const { first, rows: count, values } of vectors.blocks()) {
    for (let r = 0; r < count; r++) {
      let square = 0;
      const at = r * width;
      for (let i = 0; i < width; i++) {
        const x = values[at + i]! - origin[i]!;
        square += x * x;
      }
      // Written so that NaN and Infinity fail the comparison.
      if (!(square < Infinity)) {
        throw notFinite(values, at, width, (n) => nameOf(first + n));
      }
      const row = first + r;
      const weight = weights === undefined ? 1 : weights[row]!;
      if (metric === "cosine") {
        if (square === 0 && weight > 0) {
          throw new RetortError(
            "kmeans/vectors",
            `vector ${nameOf(row)} is zero: it has no direction, which cosine compares`,
            { hint: "Cluster by Euclidean distance, or give such vectors the weight 0." },
          );
        }
        scales![row] = square > 0 ? 1 / Math.sqrt(square) : 0;
        square = 1;
      }
      norms[row] = square;
      mass += weight;
      spread += weight * square;
    }
  }
  const factors = scales === undefined || weights === undefined
    ? scales ?? weights
    : scales.map((scale, row) => scale * weights[row]!);
  return { vectors, metric, origin, norms, weights, scales, factors, mass, spread };
}

function checkedWeights(given: ArrayLike<number> | undefined, rows: number): Float64Array | undefined {
  if (given === undefined) return undefined;
  if (given.length !== rows) {
    throw new RetortError("kmeans/weights", `got ${given.length} weights for ${rows} vectors`);
  }
  const weights = Float64Array.from(given);
  const bad = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (bad >= 0) {
    throw new RetortError(
      "kmeans/weights",
      `the weight of vector ${bad} is ${weights[bad]}, expected a number from 0`,
    );
  }
  if (!weights.some((weight) => weight > 0)) throw new RetortError("kmeans/weights", "all weights are 0");
  return weights;
}

/** Slices a per-row array to the given rows. */
export function cut<T extends Float64Array | Float32Array>(
  array: T | undefined,
  from: number,
  to: number,
): T | undefined {
  return array?.subarray(from, to) as T | undefined;
}
