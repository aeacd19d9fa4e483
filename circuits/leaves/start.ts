/** Initial values of leaf families from a column of data. */
import type { RandomStream } from "../random.ts";
import type { Leaf, StartColumn } from "./family.ts";

/** Weight, mean and variance of the values present in the rows selected by `of`. */
export function moments(
  column: Float64Array,
  weights: ArrayLike<number>,
  of: (row: number) => boolean = () => true,
): { weight: number; mean: number; variance: number } {
  let weight = 0, mean = 0, squares = 0;
  for (let row = 0; row < column.length; row++) {
    const x = column[row] as number, w = weights[row] as number;
    if (Number.isNaN(x) || !(w > 0) || !of(row)) continue;
    // West 1979: as accurate as two passes.
    weight += w;
    const move = x - mean;
    mean += move * w / weight;
    squares += w * move * (x - mean);
  }
  return { weight, mean, variance: weight > 0 ? Math.max(0, squares / weight) : 0 };
}

/** Mean and standard deviation of every unit's cluster, `[units, 2]`, and the standard deviation of the whole column. */
export interface ClusterSpreads {
  readonly values: Float64Array;
  readonly spread: number;
}

/**
 * Means and standard deviations of the clusters of a column; undefined if the column has no values. Units without a
 * cluster are placed near some value. A standard deviation is at least half of the typical one.
 */
export function clusterSpreads(
  leaf: Leaf,
  { values: column, weights, clusters }: StartColumn,
  random: RandomStream,
): ClusterSpreads | undefined {
  const whole = moments(column, weights);
  if (whole.weight === 0) return undefined;
  const own = Array.from(
    { length: leaf.units },
    (_, unit) => moments(column, weights, (row) => clusters[row] === unit),
  );
  const inside = own.reduce((sum, { weight, variance }) => sum + weight * variance, 0) / whole.weight;
  const usual = Math.sqrt(inside) || Math.sqrt(whole.variance) / (2 * leaf.units) ||
    1e-3 * (Math.abs(whole.mean) || 1);
  const present = Array.from(column.keys()).filter((row) => !Number.isNaN(column[row]));
  const values = new Float64Array(2 * leaf.units);
  own.forEach(({ weight, mean, variance }, unit) => {
    // More units than distinct values: the others are placed near some value.
    const any = () => column[present[random.integer(present.length)] as number] as number;
    values[2 * unit] = weight > 0 ? mean : any() + usual * random.normal();
    values[2 * unit + 1] = Math.max(Math.sqrt(variance), usual * (weight > 0 ? 0.5 : 1));
  });
  return { values, spread: Math.sqrt(whole.variance) };
}

/**
 * Rows of probabilities, `[units, states]`: the state frequencies of each cluster, plus a virtual sample from the column
 * and noise. `stateOf` maps a value to its state, or -1 if it has none.
 */
export function clusterFrequencies(
  leaf: Leaf,
  states: number,
  { values: column, weights, clusters }: StartColumn,
  random: RandomStream,
  stateOf: (value: number) => number = (value) => value,
): Float64Array {
  const whole = new Float64Array(states).fill(1 / states), own = new Float64Array(leaf.units * states);
  let total = 1;
  for (let row = 0; row < column.length; row++) {
    const value = column[row] as number, w = weights[row] as number, unit = clusters[row] as number;
    const state = Number.isNaN(value) ? -1 : stateOf(value);
    if (state < 0) continue;
    whole[state] = (whole[state] as number) + w;
    total += w;
    if (unit >= 0) own[unit * states + state] = (own[unit * states + state] as number) + w;
  }
  for (let unit = 0; unit < leaf.units; unit++) {
    const row = own.subarray(unit * states, (unit + 1) * states);
    let sum = 0;
    for (let k = 0; k < states; k++) {
      sum += row[k] = ((row[k] as number) + (whole[k] as number) / total) * Math.exp(-random.uniform());
    }
    for (let k = 0; k < states; k++) row[k] = (row[k] as number) / sum;
  }
  return own;
}

/** Means and scales of units, `[units, 2]`, with the means moved by `amount` times the scale times a normal number. */
export function movedMeans(leaf: Leaf, amount: number, random: RandomStream): Float64Array | Float32Array {
  const { values } = leaf;
  return values.map((x, i) => i % 2 === 0 ? x + amount * (values[i + 1] as number) * random.normal() : x);
}

/** The mean of every unit's cluster, near some value for units without one; undefined if a column has no values. */
export function clusterMeans(
  leaf: Leaf,
  column: StartColumn,
  random: RandomStream,
): Float64Array | undefined {
  return clusterSpreads(leaf, column, random)?.values.filter((_, i) => i % 2 === 0);
}
