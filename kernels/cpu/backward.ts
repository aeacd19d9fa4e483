import { getOrMake } from "../../foundation/newer.ts";
import { ELEMENT_TYPES, type OnnxGraph, type Value } from "../onnx/graph.ts";
import type { SumGroup } from "../plan.ts";
import { type Forward, takeFolds } from "./forward.ts";
import { CERTIFIED_MARGIN, RowArithmetic, type ScaledRows, ZERO_BELOW } from "./rows.ts";
import { cutRows, joinRows } from "./turn.ts";
import {
  isProduct,
  isSum,
  type Operand,
  type OperandPart,
  type Segment,
  type Segmentation,
} from "./segments.ts";
import { type Matrices, matricesOf } from "./weights.ts";

/** Smallest divisor: no row reached by flow has units this small. */
const LEAST_DIVISOR = 2 ** -100;
/** The backward pass of a plan, emitted into a graph. */
export interface Backward {
  /** By segment: the flow of its units, `[folds, batch, units]`. */
  readonly flows: readonly (Value | undefined)[];
  /** By name of a run of matrices: flow divided by weight of every edge, summed over the batch. */
  readonly weights: ReadonlyMap<string, Value>;
}

/** The likelihood of each sample at a root with one unit, `[1, batch, 1]`, float64. */
export interface Root {
  /** Its logarithm; {@link ZERO_BELOW} or less for zero. */
  readonly log: Value;
  /** Logarithm of its error bound. */
  readonly bound: Value;
  /** Whether it is far above the bound. */
  readonly certified: Value;
}

/** Emits the likelihood at the root. */
export function emitRoot(graph: OnnxGraph, rows: ScaledRows): Root {
  const arithmetic = new RowArithmetic(graph);
  const floored = graph.op("Max", [rows.values, arithmetic.single(2 ** -126)]);
  const own = graph.op("Log", [graph.op("Cast", [floored], { to: ELEMENT_TYPES.float64 })]);
  const log = graph.op("Add", [rows.scale, own]);
  const bound = rows.bound ?? arithmetic.noBound(rows);
  const least = graph.op("Add", [
    graph.op("Max", [bound, arithmetic.double(ZERO_BELOW)]),
    arithmetic.double(CERTIFIED_MARGIN),
  ]);
  return { log, bound, certified: graph.op("Greater", [log, least]) };
}

/**
 * Emits the backward pass: a unit's flow is the flow of the sums above times its share of their values. An input `x` of
 * a sum with weights `W` and value `y` gets `x * (W^T (flow / y))`; a factor of a product gets the product's flow. Flows
 * are shares of likelihoods, so the scales of rows cancel.
 *
 * @param weights `[1, batch, 1]`: flow at the root
 * @param options.parameters whether uses of weights are counted
 * @param options.seen by sum segment, `[folds, batch, 1]`: 0 where uses are not counted; default: all count
 * @param options.trim selects a segment's rows from a flow that comes from above; default: all
 */
export function emitBackward(
  graph: OnnxGraph,
  segmentation: Segmentation,
  forward: Forward,
  matrices: Matrices,
  weights: Value,
  options: {
    readonly parameters: boolean;
    readonly seen?: (segment: Segment<SumGroup>) => Value;
    readonly trim?: (segment: number, flow: Value) => Value;
  },
): Backward {
  const { segments } = segmentation;
  const arithmetic = new RowArithmetic(graph);
  const received: Received[][] = segments.map(() => []);
  const flows: (Value | undefined)[] = segments.map(() => undefined);
  const sums = new Map<string, Value>();
  const pass = (operand: Operand, flow: Value, count: number) => {
    const { units } = operand;
    for (const part of operand.parts) received[part.segment]?.push({ flow, part, units, count });
  };
  for (const segment of segments.toReversed()) {
    const last = segment.index === segments.length - 1;
    const total = last ? weights : totalFlow(graph, segment, received[segment.index] as Received[]);
    const flow = last ? total : options.trim?.(segment.index, total) ?? total;
    flows[segment.index] = flow;
    if (isProduct(segment)) { for (const operand of segment.operands) pass(operand, flow, segment.folds); }
    else if (isSum(segment)) {
      const { values } = forward.rows[segment.index] as ScaledRows;
      const x = (forward.inputs[segment.index] as ScaledRows).values;
      const g = graph.op("Div", [flow, graph.op("Max", [values, arithmetic.single(LEAST_DIVISOR)])]);
      const into = graph.op("Mul", [matrices.down(segment, g), x]);
      if (options.parameters) {
        const { name } = matricesOf(segment);
        const counted = options.seen === undefined ? g : graph.op("Mul", [g, options.seen(segment)]);
        sums.set(name, matrices.outer(segment, counted, x, sums.get(name)));
      }
      const widths = segment.operands.map(({ units, pieces }) => units * pieces);
      const parts = widths.length === 1
        ? [into]
        : graph.ops("Split", [into, graph.integers(...widths)], widths.length, { axis: 2 });
      segment.operands.forEach((operand, j) => {
        const { folds } = segment, { pieces, units } = operand;
        pass(operand, cutRows(graph, parts[j] as Value, folds, pieces, units), folds * pieces);
      });
    }
  }
  return { flows, weights: sums };
}

/** Flow that a segment receives from an operand of a segment above it. */
interface Received {
  readonly flow: Value;
  readonly part: OperandPart;
  readonly units: number;
  /** Folds of the operand. */
  readonly count: number;
}

/** Sum of the flows that a segment receives, over whole rows or by blocks. */
function totalFlow(graph: OnnxGraph, { folds, group }: Segment, received: readonly Received[]): Value {
  const byBlocks = new Map<number, Received[]>();
  for (const one of received) getOrMake(byBlocks, one.part.blocks, () => []).push(one);
  return [...byBlocks].flatMap(([blocks, some]) => {
    const width = group.units / blocks;
    return flowsInto(graph, folds * blocks, width, some).map((flow) =>
      joinRows(graph, flow, folds, blocks, width)
    );
  }).reduce((total, flow) => graph.op("Add", [total, flow]));
}

/** Flows into `rows` rows of `width` units, to be added: those that cover all rows in order, and {@link scattered} ones. */
function flowsInto(graph: OnnxGraph, rows: number, width: number, received: readonly Received[]): Value[] {
  const whole: Value[] = [];
  const rest: Received[] = [];
  for (const one of received) {
    const { folds, into, unit } = one.part;
    const same = one.count === rows && folds.length === rows &&
      folds.every((fold, i) => fold === i && into[i] === i);
    if (same && unit === 0 && one.units === width) whole.push(one.flow);
    else rest.push(one);
  }
  return rest.length > 0 ? [...whole, ...scattered(graph, rows, width, rest)] : whole;
}

/** Flows that reach only some rows or units, padded to full tensors, to be added. */
function scattered(graph: OnnxGraph, rows: number, width: number, received: readonly Received[]): Value[] {
  const sources: Value[] = [];
  const positions: number[][] = Array.from({ length: rows }, () => []);
  const offsets = new Map<string, number>();
  let offset = 0;
  for (const { flow, part, units, count } of received) {
    const { folds, into, unit } = part;
    // Two parts of one operand share a tensor.
    const key = `${flow} ${unit}`;
    let first = offsets.get(key);
    if (first === undefined) {
      first = offset;
      offsets.set(key, first);
      const after = width - unit - units;
      sources.push(
        unit === 0 && after === 0
          ? flow
          : graph.op("Pad", [flow, graph.integers(unit, after), undefined, graph.integers(2)]),
      );
      offset += count;
    }
    folds.forEach((fold, i) => positions[fold]?.push((first as number) + (into[i] as number)));
  }
  const most = Math.max(...positions.map((list) => list.length));
  if (positions.some((list) => list.length < most)) {
    const one = graph.op("Slice", [sources[0], graph.integers(0), graph.integers(1), graph.integers(0)]);
    sources.push(graph.op("Mul", [one, graph.constant(0)]));
    for (const list of positions) while (list.length < most) list.push(offset);
    offset++;
  }
  const all = sources.length === 1 ? sources[0] as Value : graph.op("Concat", sources, { axis: 0 });
  return Array.from(
    { length: most },
    (_, i) => takeFolds(graph, all, positions.map((list) => list[i] as number), offset),
  );
}
