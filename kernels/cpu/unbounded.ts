import { getOrMake } from "../../foundation/newer.ts";
import type { Value } from "../onnx/graph.ts";
import type { InputGroup } from "../plan.ts";
import type { LeafLayout, LeafStore } from "./leaf_store.ts";
import { CHUNK, RowArithmetic, type ScaledRows } from "./rows.ts";
import { isInput, isProduct, isSum, type Segment, type Segmentation } from "./segments.ts";

/** Maximum steps of a product: with more, too many samples fall below the floor. */
const MOST_STEPS = 4;

/**
 * Whether a plan can be run without error bounds: if every product has only sums and leaves as factors and is read as a
 * whole by sums, these sums' bounds start afresh as long as the largest unit of every product is above a floor. See
 * docs/engines.md.
 */
export function isUnbounded({ segments }: Segmentation, store: LeafStore): boolean {
  const isOf = (kind: (segment: Segment) => boolean) => ({ segment }: { segment: number }) =>
    kind(segments[segment] as Segment);
  const root = segments.at(-1) as Segment;
  // Only for a sum does the largest unit certify the others.
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
    // A partial row is rescaled.
    return isSum(segment) &&
      segment.operands.every(({ parts, units }) =>
        parts.every(({ segment }) => segments[segment]?.group.units === units)
      );
  });
}

/**
 * Arithmetic on rows without error bounds. The largest unit of every product is compared with a floor instead: samples
 * above all floors have bitwise the values, and the certificate, that {@link RowArithmetic} would give them.
 */
export class UnboundedArithmetic extends RowArithmetic {
  /** Products of the largest units of all steps of products, `[folds, rows, 1]`, by steps and rows. */
  readonly #largest = new Map<
    string,
    { readonly steps: number; readonly rows: number; readonly values: Value[] }
  >();
  /** The class of the rows being computed; see `kernels/cpu/trim.ts`. */
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
    getOrMake(this.#largest, `${steps} ${rows}`, () => ({ steps, rows, values: [] })).values.push(
      least,
    );
    return product;
  }

  /**
   * How far above its floor the lowest product is, `[1, batch, 1]`: certified from 1 on.
   * @param fill pads the rows of a class to the full batch with a value
   */
  least(fill: (rows: number, value: Value, by: number) => Value = (_, value) => value): Value {
    const { graph } = this;
    const each = [...this.#largest.values()].map(({ steps, rows, values }) => {
      const all = values.length === 1 ? values[0] as Value : graph.op("Concat", values, { axis: 0 });
      const lowest = graph.op("ReduceMin", [all, graph.integers(0)], { keepdims: 1 });
      // A step loses less than 2^-124 of its row, and every further step adds the shares of up to four factors. With
      // this floor the total is below 2^-68 of the product, or 2^-67 where leaves are mixed by soft evidence (each
      // rounded to 2^-126 of its row). The input of a sum must lose less than 2^-66.
      return fill(rows, graph.op("Mul", [lowest, this.single(2 ** (56 - 2 * (steps - 1)))]), 1);
    });
    return each.length === 1 ? each[0] as Value : graph.op("Min", each);
  }
}

/** Number of steps in which a product of `factors` factors is computed. */
function stepsOf(factors: number): number {
  return Math.max(1, Math.ceil((factors - 1) / (CHUNK - 1)));
}
