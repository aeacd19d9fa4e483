import type { Vectors } from "../../kernels/kmeans/vectors.ts";

/**
 * Weights that exclude zero rows, which are padding: 0 for those, 1 for the others. Undefined if there are no zero rows.
 */
export async function weightsOfRows(vectors: Vectors): Promise<Float64Array | undefined> {
  const { rows, width } = vectors;
  const weights = new Float64Array(rows).fill(1);
  let zeros = 0;
  for await (const { first, rows: count, values } of vectors.blocks()) {
    for (let row = 0; row < count; row++) {
      let i = 0;
      while (i < width && values[row * width + i] === 0) i++;
      if (i < width) continue;
      weights[first + row] = 0;
      zeros++;
    }
  }
  return zeros === 0 ? undefined : weights;
}
