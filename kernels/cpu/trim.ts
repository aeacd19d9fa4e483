import { getOrMake } from "../../foundation/newer.ts";
import { Evidence, type NodeId, type Samples } from "../../circuits/mod.ts";
import { nodesOfFolds, type Plan } from "../plan.ts";
import { isInput, isSum, type Segment, type Segmentation } from "./segments.ts";

/**
 * Trimming pays if at most this share of the sums' work remains: a trimmed program copies rows to change their number,
 * which is cheap compared with products with matrices of {@link LARGE} or more numbers.
 */
const WORTH_A_TRIM = { large: 0.75, small: 0.5 };
/** Size, in numbers, from which a matrix counts as large. */
const LARGE = 64 * 64;

/**
 * Truncates the rows of each segment after the last sample with evidence about it. With samples ordered by decreasing
 * evidence, such as long sequences before short ones, only a segment's first rows are computed; the others would be
 * ones in the upward pass and count nothing in the downward pass.
 */
export class Trim {
  /** By segment: its class. Segments of a class have equally many rows; those of class 0 have all. */
  readonly classOf: readonly number[];
  /** By class: scopes of its segments. */
  readonly #scopes: readonly (readonly number[])[];
  /** By class: its sums' share of the work of all sums. */
  readonly #work: readonly number[];
  readonly #evidence: Evidence;
  readonly #worth: number;

  private constructor(plan: Plan, { segments }: Segmentation, consumers: readonly number[]) {
    const { scopeOf } = this.#evidence = Evidence.of(plan.circuit);
    const nodes = plan.groups.map((group) => nodesOfFolds(plan, group));
    const scopesOf = ({ group, from, folds }: Segment) =>
      [
        ...new Set(
          (nodes[group.index] as NodeId[]).slice(from, from + folds).map((node) => scopeOf[node] as number),
        ),
      ].sort((a, b) => a - b);
    const classes = new Map<string, number>(), scopes: number[][] = [], work: number[] = [];
    const classOf = new Array<number>(segments.length);
    for (const segment of segments.toReversed()) {
      const own = scopesOf(segment);
      // Leaf rows are looked up, also those without a value: as many as are read.
      const number = isInput(segment) && segment.index < segments.length - 1
        ? classOf[consumers[segment.index] as number] as number
        : getOrMake(classes, own.join(), () => {
          work.push(0);
          return scopes.push(own) - 1;
        });
      classOf[segment.index] = number;
      if (!isSum(segment)) continue;
      work[number] = (work[number] as number) + segment.folds * segment.group.units * segment.group.inputs;
    }
    this.classOf = classOf;
    this.#scopes = scopes;
    const all = work.reduce((a, b) => a + b, 0);
    this.#work = work.map((part) => part / all);
    const sums = segments.reduce((total, segment) => isSum(segment) ? total + segment.folds : total, 0);
    this.#worth = all / sums >= LARGE ? WORTH_A_TRIM.large : WORTH_A_TRIM.small;
  }

  /** The trimming of a plan; undefined if a segment has several readers, or all segments have the same rows. */
  static of(plan: Plan, segmentation: Segmentation): Trim | undefined {
    const consumers = new Array<number>(segmentation.segments.length).fill(-1);
    for (const { index, operands } of segmentation.segments) {
      for (const { segment } of operands.flatMap(({ parts }) => parts)) {
        if (consumers[segment] !== -1 && consumers[segment] !== index) return undefined;
        consumers[segment] = index;
      }
    }
    const trim = new Trim(plan, segmentation, consumers);
    return trim.classes > 1 ? trim : undefined;
  }

  /** Number of classes. */
  get classes(): number {
    return this.#scopes.length;
  }

  /** The samples by decreasing evidence; undefined if trimming would not pay. */
  order(samples: Samples): Uint32Array | undefined {
    const { count } = samples, seen = this.#evidence.seen(samples);
    if (seen === undefined) return undefined;
    const said = new Float64Array(count);
    this.#scopes.forEach((scopes, number) => {
      for (const scope of scopes) {
        for (let s = 0; s < count; s++) {
          if (seen[scope * count + s] === 1) {
            said[s] = (said[s] as number) + (this.#work[number] as number) + 1e-9;
          }
        }
      }
    });
    const order = Uint32Array.from(said.keys()).sort((a, b) =>
      (said[b] as number) - (said[a] as number) || a - b
    );
    const left = this.#rows(seen, count, order).reduce(
      (total, rows, number) => total + (this.#work[number] as number) * rows,
      0,
    );
    return left <= this.#worth * count ? order : undefined;
  }

  /** By class: number of rows for samples in this order. */
  rows(samples: Samples): number[] {
    const seen = this.#evidence.seen(samples);
    return seen === undefined
      ? this.#scopes.map(() => samples.count)
      : this.#rows(seen, samples.count, Uint32Array.from({ length: samples.count }, (_, s) => s));
  }

  #rows(seen: Uint8Array, count: number, order: Uint32Array): number[] {
    return this.#scopes.map((scopes, number) => {
      // The root has all rows, and no tensor is empty.
      if (number === 0) return count;
      let rows = count;
      while (rows > 1 && scopes.every((scope) => seen[scope * count + (order[rows - 1] as number)] === 0)) {
        rows--;
      }
      return rows;
    });
  }
}
