import { getOrMake } from "../../foundation/newer.ts";
import type { SumGroup } from "../plan.ts";
import type { OnnxGraph, Value } from "../onnx/graph.ts";
import { RowArithmetic, type ScaledRows } from "./rows.ts";
import { cutRows } from "./turn.ts";
import { isInput, isProduct, isSum, type Operand, type Segment, type Segmentation } from "./segments.ts";

/** Callbacks of a forward pass for leaves and weights. */
export interface ForwardParts {
  /** Rows of a segment of leaves. */
  leaves(segment: Segment): ScaledRows;
  /** Weights of a segment of sums times `x`, `[folds, batch, inputs]`: `[folds, batch, units]`. */
  multiply(segment: Segment<SumGroup>, x: Value): Value;
  /** A segment's rows as its readers see them, if trimmed differently; default: the segment's own rows. */
  read?(segment: number, rows: ScaledRows): ScaledRows;
  /** Called before a segment is emitted. */
  begin?(segment: number): void;
}

/** The forward pass of a plan, emitted into a graph. */
export interface Forward {
  /** By segment: its rows. */
  readonly rows: readonly ScaledRows[];
  /** By sum segment: its input, all pieces concatenated at a common scale. */
  readonly inputs: readonly (ScaledRows | undefined)[];
}

/** Emits the forward pass of all segments. */
export function emitForward(
  arithmetic: RowArithmetic,
  { segments }: Segmentation,
  parts: ForwardParts,
): Forward {
  const rows: ScaledRows[] = [];
  const inputs: (ScaledRows | undefined)[] = [];
  const normal = new Map<number, ScaledRows>();
  const read = (segment: number, own: ScaledRows) => parts.read?.(segment, own) ?? own;
  const normalised = (segment: number): ScaledRows =>
    getOrMake(normal, segment, () => read(segment, arithmetic.product([rows[segment] as ScaledRows])));
  const plain = new Map<number, ScaledRows>();
  const asRead = (segment: number): ScaledRows =>
    getOrMake(plain, segment, () => read(segment, rows[segment] as ScaledRows));
  for (const segment of segments) {
    parts.begin?.(segment.index);
    inputs.push(undefined);
    if (isInput(segment)) rows.push(parts.leaves(segment));
    else if (isProduct(segment)) {
      rows.push(
        arithmetic.product(
          segment.operands.map((operand) => assemble(arithmetic, segments, operand, asRead)),
        ),
      );
    } else if (isSum(segment)) {
      const pieces = segment.operands.map((operand) => {
        const piece = assemble(arithmetic, segments, operand, normalised);
        const normal = piece.normal ? piece : arithmetic.product([piece]);
        return arithmetic.turned(normal, segment.folds, operand.pieces, operand.units);
      });
      const input = arithmetic.concatenate(pieces);
      inputs[segment.index] = input;
      rows.push({
        values: parts.multiply(segment, input.values),
        ...arithmetic.afterSum(input),
        normal: false,
      });
    }
  }
  return { rows, inputs };
}

/** The rows of an operand, assembled from those of segments. */
function assemble(
  arithmetic: RowArithmetic,
  segments: readonly Segment[],
  operand: Operand,
  rowsOf: (segment: number) => ScaledRows,
): ScaledRows {
  const sources = operand.parts.map(({ segment }) => rowsOf(segment));
  const whole = operand.parts.every(({ segment }) => segments[segment]?.group.units === operand.units);
  const { graph } = arithmetic;
  const bound = (segment: number) => rowsOf(segment).bound ?? arithmetic.noBound(rowsOf(segment));
  return {
    values: takeOperand(graph, segments, operand, (i) => rowsOf(i).values, true),
    scale: takeOperand(graph, segments, operand, (i) => rowsOf(i).scale, false),
    ...(sources.some((row) => row.bound !== undefined) &&
      { bound: takeOperand(graph, segments, operand, bound, false) }),
    normal: whole && sources.every((row) => row.normal),
  };
}

/**
 * What an operand reads of a per-segment value: a range of units of `[folds, batch, units]` or, if `perUnit` is false,
 * `[folds, batch, 1]`. The pieces of a fold are consecutive.
 */
export function takeOperand(
  graph: OnnxGraph,
  segments: readonly Segment[],
  operand: Operand,
  valueOf: (segment: number) => Value,
  perUnit: boolean,
): Value {
  const { parts, units } = operand;
  const taken = parts.map(({ segment, unit, blocks, folds }) => {
    const source = segments[segment] as Segment;
    if (blocks > 1) {
      return perUnit
        ? takeFolds(
          graph,
          cutRows(graph, valueOf(segment), source.folds, blocks, units),
          folds,
          source.folds * blocks,
        )
        : takeFolds(graph, valueOf(segment), folds.map((block) => Math.floor(block / blocks)), source.folds);
    }
    const value = takeFolds(graph, valueOf(segment), folds, source.folds);
    if (!perUnit || units === source.group.units) return value;
    return graph.op("Slice", [
      value,
      graph.integers(unit),
      graph.integers(unit + units),
      graph.integers(2),
    ]);
  });
  if (taken.length === 1) return taken[0] as Value;
  const order = parts.flatMap((part) => part.into);
  return takeFolds(graph, graph.op("Concat", taken, { axis: 0 }), invert(order), order.length);
}

/** The given folds of a value of `count` folds: the value itself, a slice, or a gathered copy. */
export function takeFolds(graph: OnnxGraph, value: Value, folds: readonly number[], count: number): Value {
  const [first = 0] = folds;
  if (folds.every((fold, i) => fold === first + i)) {
    if (folds.length === count) return value;
    return graph.op("Slice", [
      value,
      graph.integers(first),
      graph.integers(first + folds.length),
      graph.integers(0),
    ]);
  }
  return graph.op("Gather", [value, graph.integers(...folds)], { axis: 0 });
}

/** Inverse of a permutation. */
function invert(order: readonly number[]): number[] {
  const positions = new Array<number>(order.length);
  order.forEach((at, i) => positions[at] = i);
  return positions;
}
