import { ELEMENT_TYPES, type Value } from "../onnx/graph.ts";
import type { InputGroup } from "../plan.ts";
import type { LeafLayout, LeafStore } from "./leaf_store.ts";
import { CHUNK, RowArithmetic, type Rows } from "./rows.ts";
import { isInput, isProduct, isSum, type Segment, type Segmentation } from "./segments.ts";

/** Most steps in which a product is computed for which floors are worth their while. */
const MOST_STEPS = 4;

/**
 * Whether error bounds of a plan need not be carried along: every product is of sums and leaves, so that its sum's bound starts
 * afresh if only the largest units of all products are above a floor. See docs/engines.md.
 */
export function isQuick({ segments }: Segmentation, store: LeafStore): boolean {
  const isOf = (kind: (segment: Segment) => boolean) => ({ segment }: { segment: number }) =>
    kind(segments[segment] as Segment);
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
export class QuickArithmetic extends RowArithmetic {
  /** By exponent of the floor: largest units of products, `[folds, batch, 1]`. */
  readonly #largest = new Map<number, Value[]>();

  /** See {@link RowArithmetic.product}. */
  override product(factors: readonly Rows[]): Rows {
    const steps = stepsOf(factors.length);
    // After one step what is lost is below 2^(floor - 124) of the row, after more of them the floors add up, and every factor
    // may bring a share: below 2^-68 in all, which is less than a sum's input has to have.
    const floor = Math.floor((56 - 2 * (steps - 1)) / steps);
    let [product, ...rest] = factors as [Rows, ...Rows[]];
    if (rest.length === 0 && product.normal) return product;
    do {
      product = this.#step([product, ...rest.splice(0, CHUNK - 1)], floor);
    } while (rest.length > 0);
    return product;
  }

  /** How far above its floor the lowest product is, `[1, batch, 1]`: certain from 1 on. */
  least(): Value {
    const { graph } = this;
    const each = [...this.#largest].map(([floor, values]) => {
      const all = values.length === 1 ? values[0] as Value : graph.op("Concat", values, { axis: 0 });
      const lowest = graph.op("ReduceMin", [all, graph.integers(0)], { keepdims: 1 });
      return graph.op("Mul", [lowest, this.single(2 ** floor)]);
    });
    return each.length === 1 ? each[0] as Value : graph.op("Min", each);
  }

  #step([first, ...rest]: readonly [Rows, ...Rows[]], floor: number): Rows {
    const { graph } = this;
    const raw = rest.reduce((product, row) => graph.op("Mul", [product, row.values]), first.values);
    const sum = rest.reduce((total, row) => graph.op("Add", [total, row.scale]), first.scale);
    const largest = graph.op("ReduceMax", [raw, graph.integers(-1)], { keepdims: 1 });
    this.#largest.getOrInsertComputed(floor, () => []).push(largest);
    const floored = graph.op("Max", [largest, this.single(2 ** -floor)]);
    const log = graph.op("Log", [graph.op("Cast", [floored], { to: ELEMENT_TYPES.float64 })]);
    return {
      values: graph.op("Mul", [raw, graph.op("Reciprocal", [floored])]),
      scale: graph.op("Add", [sum, log]),
      normal: true,
    };
  }
}

/** Steps in which a product of so many factors is computed. */
function stepsOf(factors: number): number {
  return Math.max(1, Math.ceil((factors - 1) / (CHUNK - 1)));
}
