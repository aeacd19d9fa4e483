import type { OnnxGraph, Value } from "../onnx/graph.ts";
import type { ScaledRows } from "./rows.ts";
import type { Segmentation } from "./segments.ts";
import type { Trim } from "./trim.ts";

/** Names of the inputs with the row counts of classes. */
export const TRIM_NAMES = {
  /** `[1]`: number of rows of a class. */
  rows: (kind: number) => `count_${kind}`,
  /** `[6]`: padding from the rows of one class to those of another. */
  fill: (kind: number, into: number) => `fill_${kind}_${into}`,
};

/** Emits conversions between the rows of different classes of segments. */
export class Trimming {
  /** Pairs of classes that the graph pads between, the smaller first. */
  readonly fills: [number, number][] = [];
  /** Classes whose row counts are inputs of the graph. */
  readonly counts = new Set<number>();
  readonly #graph: OnnxGraph;
  readonly #classOf: readonly number[];
  /** By segment: its reader. */
  readonly #consumers: readonly number[];

  constructor(graph: OnnxGraph, trim: Trim, { segments }: Segmentation) {
    this.#graph = graph;
    this.#classOf = trim.classOf;
    const consumers = new Array<number>(segments.length).fill(-1);
    for (const { index, operands } of segments) {
      for (const { segment } of operands.flatMap(({ parts }) => parts)) consumers[segment] = index;
    }
    this.#consumers = consumers;
  }

  /** The class of a segment. */
  classOf(segment: number): number {
    return this.#classOf[segment] as number;
  }

  /** A segment's rows as its reader sees them, padded with ones. */
  read(segment: number, rows: ScaledRows): ScaledRows {
    const from = this.classOf(segment), to = this.classOf(this.#consumers[segment] as number);
    if (from === to) return rows;
    return {
      ...rows,
      values: this.fill(from, to, rows.values, 1),
      scale: this.fill(from, to, rows.scale, 0, true),
    };
  }

  /** Pads `[folds, rows, width]` from one class to another, with `by`. */
  fill(from: number, to: number, value: Value, by: number, double = false): Value {
    if (from === to) return value;
    const name = TRIM_NAMES.fill(from, to);
    if (!this.fills.some(([a, b]) => a === from && b === to)) {
      this.fills.push([from, to]);
      this.#graph.input(name, "int64", [6]);
    }
    const number = this.#graph.constant(double ? Float64Array.of(by) : Float32Array.of(by), []);
    return this.#graph.op("Pad", [value, name, number]);
  }

  /** The part of a flow that falls on a segment's rows. */
  cut(segment: number, flow: Value): Value {
    const from = this.classOf(this.#consumers[segment] as number), to = this.classOf(segment);
    return from === to ? flow : this.first(to, flow);
  }

  /** The first rows of `[folds, rows, width]`, as many as a class has. */
  first(kind: number, value: Value): Value {
    if (kind === 0) return value;
    const name = TRIM_NAMES.rows(kind), graph = this.#graph;
    if (!this.counts.has(kind)) {
      this.counts.add(kind);
      graph.input(name, "int64", [1]);
    }
    return graph.op("Slice", [value, graph.integers(0), name, graph.integers(1)]);
  }
}
