import type { SumGroup } from "../plan.ts";
import type { OnnxGraph, Value } from "../onnx/graph.ts";
import { RowArithmetic, type Rows } from "./rows.ts";
import { isInput, isProduct, isSum, type Operand, type Segment, type Segmentation } from "./segments.ts";

/** What a forward pass needs to know of leaves and weights. */
export interface ForwardParts {
  /** Rows of a segment of leaves. */
  leaves(segment: Segment): Rows;
  /** Weights of a segment of sums times `x`, `[folds, batch, inputs]`: `[folds, batch, units]`. */
  multiply(segment: Segment<SumGroup>, x: Value): Value;
}

/** The forward pass of a plan as part of a graph. */
export interface Forward {
  /** By segment: its rows. */
  readonly rows: readonly Rows[];
  /** By segment of sums: its input, all pieces side by side and at one scale. */
  readonly inputs: readonly (Rows | undefined)[];
}

/** Emits the forward pass of all segments. */
export function emitForward(graph: OnnxGraph, { segments }: Segmentation, parts: ForwardParts): Forward {
  const arithmetic = new RowArithmetic(graph);
  const rows: Rows[] = [];
  const inputs: (Rows | undefined)[] = [];
  const normal = new Map<number, Rows>();
  const normalised = (segment: number): Rows =>
    normal.getOrInsertComputed(segment, () => arithmetic.product([rows[segment] as Rows]));
  for (const segment of segments) {
    inputs.push(undefined);
    if (isInput(segment)) rows.push(parts.leaves(segment));
    else if (isProduct(segment)) {
      rows.push(
        arithmetic.product(
          segment.operands.map((operand) => assemble(graph, segments, operand, (i) => rows[i] as Rows)),
        ),
      );
    } else if (isSum(segment)) {
      const pieces = segment.operands.map((operand) => {
        const piece = assemble(graph, segments, operand, normalised);
        return piece.normal ? piece : arithmetic.product([piece]);
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

/** The rows of an operand, put together from those of segments. */
function assemble(
  graph: OnnxGraph,
  segments: readonly Segment[],
  operand: Operand,
  rowsOf: (segment: number) => Rows,
): Rows {
  const { parts, units } = operand;
  const taken = parts.map(({ segment, unit, folds }): Rows => {
    const source = segments[segment] as Segment, row = rowsOf(segment);
    const pick = (value: Value) => takeFolds(graph, value, folds, source.folds);
    let values = pick(row.values);
    const whole = unit === 0 && units === source.group.units;
    if (!whole) {
      const [from, to, axis] = [graph.integers(unit), graph.integers(unit + units), graph.integers(2)];
      values = graph.op("Slice", [values, from, to, axis]);
    }
    return {
      values,
      scale: pick(row.scale),
      ...(row.bound !== undefined && { bound: pick(row.bound) }),
      normal: row.normal && whole,
    };
  });
  const [first] = taken as [Rows, ...Rows[]];
  if (taken.length === 1) return first;
  const order = parts.flatMap((part) => part.into);
  const join = (values: readonly Value[]) =>
    takeFolds(graph, graph.op("Concat", values, { axis: 0 }), invert(order), order.length);
  const bounded = taken.some((row) => row.bound !== undefined);
  const arithmetic = new RowArithmetic(graph);
  return {
    values: join(taken.map((row) => row.values)),
    scale: join(taken.map((row) => row.scale)),
    ...(bounded && { bound: join(taken.map((row) => row.bound ?? arithmetic.unbounded(row))) }),
    normal: taken.every((row) => row.normal),
  };
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

/** The positions at which 0, 1, 2, ... stand. */
function invert(order: readonly number[]): number[] {
  const positions = new Array<number>(order.length);
  order.forEach((at, i) => positions[at] = i);
  return positions;
}
