import type { OnnxGraph, Value } from "../onnx/graph.ts";
import type { ScaledRows } from "./rows.ts";
import type { Segmentation } from "./segments.ts";
import type { Trim } from "./trim.ts";

/** Names of the inputs that say how many rows classes have. */
export const TRIM_NAMES = {
  /** `[1]`: the rows of a class. */
  rows: (kind: number) => `count_${kind}`,
  /** `[6]`: what a pad adds to the rows of a class to make them those of another. */
  fill: (kind: number, into: number) => `fill_${kind}_${into}`,
};

/** Emits what brings rows of one class of segments into line with those of another. */
export class Trimming {
  /** Pairs of classes that the graph fills, the smaller first. */
  readonly fills: [number, number][] = [];
  /** Classes whose numbers of rows the graph takes. */
  readonly counts = new Set<number>();
  readonly #graph: OnnxGraph;
  readonly #classOf: readonly number[];
  /** By segment: the one that reads it. */
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

  /** Rows of a segment as the one above has them: those that it has not are ones. */
  read(segment: number, rows: ScaledRows): ScaledRows {
    const from = this.classOf(segment), to = this.classOf(this.#consumers[segment] as number);
    if (from === to) return rows;
    return {
      ...rows,
      values: this.fill(from, to, rows.values, 1),
      scale: this.fill(from, to, rows.scale, 0, true),
    };
  }

  /** Adds to `[folds, rows, width]` of a class what it lacks of another, each number `by`. */
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

  /** The rows of a flow that a segment has. */
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
