import { getOrMake } from "../../foundation/newer.ts";
import { ELEMENT_TYPES, type OnnxGraph, type Value } from "../onnx/graph.ts";
import { joinRows } from "./turn.ts";

/**
 * Rows in a graph: `[folds, batch, units]` float32, with a scale and an error bound per row, `[folds, batch, 1]`
 * float64, both natural logarithms. See docs/engines.md.
 *
 * A unit's value is `values * exp(scale)`, and `values <= 1`. The part lost to the range of float32 is below
 * `exp(bound)` for every unit of the row. A scale or bound of {@link NOTHING} (or below) stands for exactly zero.
 */
export interface ScaledRows {
  /** Mantissas. */
  readonly values: Value;
  /** Logarithm of the mantissas' factor. */
  readonly scale: Value;
  /** Logarithm of the bound of the absolute error; absent if the row is exact. */
  readonly bound?: Value;
  /** Whether the largest unit of every row is 1 (if the row is not zero). */
  readonly normal: boolean;
}

/** Logarithm of zero: finite, so that differences of two are not NaN, and below the log-density of any real value. */
export const NOTHING = -1e290;
/** Logarithms up to this count as zero: sums of {@link NOTHING} and finite numbers. */
export const ZERO_BELOW = -1e280;

/** Logarithm of the minimum ratio of a certified likelihood to its error bound. */
export const CERTIFIED_MARGIN = 20 * Math.LN2;

/** Rows whose largest mantissa is below this are not used: what float32 flushed to zero might matter. */
const SMALLEST = 2 ** -60;
/** Logarithm of what a product of {@link CHUNK} mantissas loses below float32's normal range. */
const FLUSHED = -124 * Math.LN2;
/** Logarithm of the minimum ratio of the largest unit of a sum's input to its error. */
const MARGIN = 66 * Math.LN2;

/** Emits arithmetic on rows. */
export class RowArithmetic {
  readonly graph: OnnxGraph;
  readonly #constants = new Map<string, Value>();

  constructor(graph: OnnxGraph) {
    this.graph = graph;
  }

  /** A float64 scalar. */
  double(x: number): Value {
    return getOrMake(this.#constants, `d${x}`, () => this.graph.constant(Float64Array.of(x), []));
  }

  /** A float32 scalar. */
  single(x: number): Value {
    return getOrMake(this.#constants, `f${x}`, () => this.graph.constant(x));
  }

  /** Element-wise product of rows, with the largest unit scaled to 1. A single row is only scaled. */
  product(factors: readonly ScaledRows[]): ScaledRows {
    // A few at a time: the product of many would underflow before it is scaled.
    const [first, ...rest] = factors as [ScaledRows, ...ScaledRows[]];
    if (factors.length > CHUNK) {
      return this.product([this.product(factors.slice(0, CHUNK)), ...factors.slice(CHUNK)]);
    }
    if (rest.length === 0 && first.normal) return first;
    const { graph } = this;
    const { values, sum, largest, scale: found } = this.scaled(factors as [ScaledRows, ...ScaledRows[]]);
    const alive = graph.op("GreaterOrEqual", [largest, this.single(SMALLEST)]);
    const scale = graph.op("Where", [alive, found, this.double(NOTHING)]);
    // Upper bound of the units, errors included, and the loss if the row is discarded.
    const bounded = factors.filter((row) => row.bound !== undefined);
    const most = bounded.length === 0
      ? sum
      : factors.map((row) => this.most(row)).reduce((total, u) => graph.op("Add", [total, u]));
    const lost = graph.op("Where", [alive, this.double(FLUSHED), this.double(Math.log(SMALLEST))]);
    const own = graph.op("Add", [most, lost]);
    if (bounded.length === 0) return { values, scale, bound: own, normal: true };
    const shares = bounded.map((row) => graph.op("Sub", [row.bound as Value, this.most(row)]));
    const share = shares.length === 1 ? shares[0] as Value : graph.op("Max", shares);
    const inherited = graph.op("Add", [
      graph.op("Add", [share, most]),
      this.double(Math.log(factors.length)),
    ]);
    return { values, scale, bound: graph.op("Max", [own, inherited]), normal: true };
  }

  /**
   * The product of at most {@link CHUNK} rows divided by its largest unit, its scale, the sum of the factors' scales,
   * and that unit. Where the unit is below {@link SMALLEST}, values and scale are finite but meaningless.
   */
  protected scaled(
    [first, ...rest]: readonly [ScaledRows, ...ScaledRows[]],
  ): { values: Value; scale: Value; sum: Value; largest: Value } {
    const { graph } = this;
    const raw = rest.reduce((product, row) => graph.op("Mul", [product, row.values]), first.values);
    const sum = rest.reduce((total, row) => graph.op("Add", [total, row.scale]), first.scale);
    const largest = graph.op("ReduceMax", [raw, graph.integers(-1)], { keepdims: 1 });
    const floored = graph.op("Max", [largest, this.single(SMALLEST)]);
    const values = graph.op("Mul", [raw, graph.op("Reciprocal", [floored])]);
    const log = graph.op("Log", [graph.op("Cast", [floored], { to: ELEMENT_TYPES.float64 })]);
    return { values, scale: graph.op("Add", [sum, log]), sum, largest };
  }

  /** Concatenates rows, rescaled to the largest of their scales: the input of a sum. Each must be normal. */
  concatenate(pieces: readonly ScaledRows[]): ScaledRows {
    const [first] = pieces as [ScaledRows, ...ScaledRows[]];
    if (pieces.length === 1) return first;
    const { graph } = this;
    const scale = graph.op("Max", pieces.map((row) => row.scale));
    const aligned = pieces.map((row) => {
      const below = graph.op("Cast", [graph.op("Sub", [row.scale, scale])], { to: ELEMENT_TYPES.float32 });
      return graph.op("Mul", [row.values, graph.op("Exp", [below])]);
    });
    const values = graph.op("Concat", aligned, { axis: 2 });
    const bounds = pieces.flatMap((row) => row.bound ?? []);
    return {
      values,
      scale,
      ...(bounds.length > 0 && { bound: bounds.length === 1 ? bounds[0] as Value : graph.op("Max", bounds) }),
      normal: true,
    };
  }

  /** Concatenates each fold's `pieces` consecutive rows, rescaled to the largest of their scales. Each must be normal. */
  turned(row: ScaledRows, folds: number, pieces: number, units: number): ScaledRows {
    if (pieces === 1) return row;
    const { graph } = this;
    const most = (value: Value) => {
      const apart = graph.op("Reshape", [value, graph.integers(folds, pieces, -1, 1)]);
      return { apart, largest: graph.op("ReduceMax", [apart, graph.integers(1)], { keepdims: 1 }) };
    };
    const one = (value: Value) => graph.op("Reshape", [value, graph.integers(folds, -1, 1)]);
    const { apart, largest } = most(row.scale);
    const below = graph.op("Cast", [graph.op("Sub", [apart, largest])], { to: ELEMENT_TYPES.float32 });
    const factor = graph.op("Reshape", [graph.op("Exp", [below]), graph.integers(folds * pieces, -1, 1)]);
    return {
      values: joinRows(graph, graph.op("Mul", [row.values, factor]), folds, pieces, units),
      scale: one(largest),
      ...(row.bound !== undefined && { bound: one(most(row.bound).largest) }),
      normal: true,
    };
  }

  /**
   * Scale and bound of a sum's rows, from those of its input. With no weight below {@link LEAST_WEIGHT}, every output
   * is at least that share of the largest input, so errors far below that input are relative errors below the rounding
   * of float32: the bound starts afresh.
   */
  afterSum(input: ScaledRows): Pick<ScaledRows, "scale" | "bound"> {
    const { graph } = this;
    if (input.bound === undefined) return { scale: input.scale };
    const enough = graph.op("Greater", [
      input.scale,
      graph.op("Add", [input.bound, this.double(MARGIN)]),
    ]);
    return {
      scale: input.scale,
      bound: graph.op("Where", [enough, this.double(NOTHING), this.most(input)]),
    };
  }

  /** A bound of zero, for rows without one. */
  noBound(row: ScaledRows): Value {
    return this.graph.op("Min", [row.scale, this.double(NOTHING)]);
  }

  /** Logarithm of the upper bound of a row's units. */
  most(row: ScaledRows): Value {
    return row.bound === undefined ? row.scale : this.graph.op("Max", [row.scale, row.bound]);
  }
}

/** Number of factors multiplied before a product is rescaled. */
export const CHUNK = 4;

/**
 * The upward pass clamps weights below this. The downward pass does not, so flow through such weights goes missing,
 * which is how they are detected.
 */
export const LEAST_WEIGHT = 2 ** -40;
