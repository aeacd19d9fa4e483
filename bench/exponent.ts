/** How a cost grows with a size: the exponent of the power that fits best. */

/**
 * The exponent `e` for which `cost = c * size^e` fits best: the slope of the straight line through the logarithms, by least squares.
 * A cost per item that does not depend on the number of items gives 1.
 *
 * @throws RangeError for fewer than two points, or sizes and costs that are not above 0
 */
export function exponent(sizes: readonly number[], costs: readonly number[]): number {
  if (sizes.length < 2 || sizes.length !== costs.length || [...sizes, ...costs].some((one) => !(one > 0))) {
    throw new RangeError(`sizes ${sizes.join(", ")} and costs ${costs.join(", ")} give no exponent`);
  }
  const [xs, ys] = [sizes.map(Math.log), costs.map(Math.log)] as const;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(xs), mean(ys)];
  return mean(xs.map((x, i) => (x - x0) * (ys[i]! - y0))) / mean(xs.map((x) => (x - x0) ** 2));
}
