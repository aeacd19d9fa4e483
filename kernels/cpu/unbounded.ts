import type { Value } from "../onnx/graph.ts";
import type { InputGroup } from "../plan.ts";
import type { LeafLayout, LeafStore } from "./leaf_store.ts";
import { CHUNK, RowArithmetic, type ScaledRows } from "./rows.ts";
import { isInput, isProduct, isSum, type Segment, type Segmentation } from "./segments.ts";

/** Most steps in which a product is computed: of more of them too many samples fall below the floor. */
const MOST_STEPS = 4;

/**
 * Whether error bounds of a plan need not be carried along: every product is of sums and leaves and goes into sums as a whole, so
 * that these sums' bounds start afresh if only the largest units of all products are above a floor. See docs/engines.md.
 */
export function isUnbounded({ segments }: Segmentation, store: LeafStore): boolean {
  const isOf = (kind: (segment: Segment) => boolean) => ({ segment }: { segment: number }) =>
    kind(segments[segment] as Segment);
  const root = segments.at(-1) as Segment;
  // Only a sum makes the largest unit speak for the others.
  if (!isSum(root) && root.group.units > 1) return false;
  return segments.some(isProduct) && segments.every((segment) => {
    if (isInput(segment)) {
      const layout = store.layouts[(segment.group as InputGroup).index] as LeafLayout;
      return layout.table !== undefined && !layout.rounded;
    }
    if (isProduct(segment)) {
      return stepsOf(segment.operands.length) <= MOST_STEPS &&
        segment.operands.every(({ parts }) => !parts.some(isOf(isProduct)));
    }
    // Part of a row is scaled once more.
    return isSum(segment) &&
      segment.operands.every(({ parts, units }) =>
        parts.every(({ segment }) => segments[segment]?.group.units === units)
      );
  });
}

/**
 * Arithmetic on rows without error bounds. Instead the largest unit of every product is compared with a floor: a sample that
 * stays above all of them has the values, to the bit, and the certainty that {@link RowArithmetic} would give it.
 */
export class UnboundedArithmetic extends RowArithmetic {
  /** Largest units of all steps of products, multiplied, `[folds, rows, 1]`, by steps and rows. */
  readonly #largest = new Map<
    string,
    { readonly steps: number; readonly rows: number; readonly values: Value[] }
  >();
  /** The class of the rows that are computed: see `kernels/cpu/trim.ts`. */
  rows = 0;

  /** See {@link RowArithmetic.product}. */
  override product(factors: readonly ScaledRows[]): ScaledRows {
    let [product, ...rest] = factors as [ScaledRows, ...ScaledRows[]];
    if (rest.length === 0 && product.normal) return product;
    let least: Value | undefined;
    do {
      const { values, scale, largest } = this.scaled([product, ...rest.splice(0, CHUNK - 1)]);
      product = { values, scale, normal: true };
      least = least === undefined ? largest : this.graph.op("Mul", [least, largest]);
    } while (rest.length > 0);
    const steps = stepsOf(factors.length), { rows } = this;
    this.#largest.getOrInsertComputed(`${steps} ${rows}`, () => ({ steps, rows, values: [] })).values.push(
      least,
    );
    return product;
  }

  /**
   * How far above its floor the lowest product is, `[1, batch, 1]`: certain from 1 on.
   * @param fill adds to the rows of a class what makes them all, of a value
   */
  least(fill: (rows: number, value: Value, by: number) => Value = (_, value) => value): Value {
    const { graph } = this;
    const each = [...this.#largest.values()].map(({ steps, rows, values }) => {
      const all = values.length === 1 ? values[0] as Value : graph.op("Concat", values, { axis: 0 });
      const lowest = graph.op("ReduceMin", [all, graph.integers(0)], { keepdims: 1 });
      // What a step loses is below 2^-124 of its row, and every further step adds the shares of up to four factors: with this
      // floor less than 2^-68 of the product in all, and 2^-67 where leaves are mixed by soft evidence, each rounded to 2^-126 of
      // its row. The input of a sum has to have no less than 2^-66.
      return fill(rows, graph.op("Mul", [lowest, this.single(2 ** (56 - 2 * (steps - 1)))]), 1);
    });
    return each.length === 1 ? each[0] as Value : graph.op("Min", each);
  }
}

/** Steps in which a product of so many factors is computed. */
function stepsOf(factors: number): number {
  return Math.max(1, Math.ceil((factors - 1) / (CHUNK - 1)));
}
