import { CONTRIBUTED, type OnnxGraph, type Value } from "../onnx/graph.ts";
import type { SumGroup } from "../plan.ts";
import type { Segment } from "./segments.ts";

/** Consecutive matrices of a weight table: the weights of a sum segment. */
export interface MatrixRun {
  /** Name in graphs. */
  readonly name: string;
  /** Index of the table. */
  readonly table: number;
  /** First slot. */
  readonly slot: number;
  /** Number of matrices. */
  readonly slots: number;
  /** Rows of a matrix. */
  readonly units: number;
  /** Columns of a matrix. */
  readonly inputs: number;
}

/** The matrices of a sum segment. */
export function matricesOf({ group, from, folds }: Segment<SumGroup>): MatrixRun {
  const { table, uses, units, inputs } = group;
  const first = Math.floor(from / uses);
  const slots = Math.max(1, Math.floor(folds / uses));
  const slot = group.slots[first] as number;
  return { name: `${table}_${slot}_${slots}`, table, slot, slots, units, inputs };
}

/** Shape of the tensor that holds a run: a single matrix has no slot dimension. */
export function shapeOfRun({ slots, units, inputs }: MatrixRun): number[] {
  return slots === 1 ? [units, inputs] : [slots, units, inputs];
}

/** Products with runs of matrices in a graph; each run is an input of the graph. */
export class Matrices {
  readonly #graph: OnnxGraph;
  readonly #inputs = new Map<string, MatrixRun>();

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
  }

  /** Inputs of the graph created so far, by name, with the matrices that they expect. */
  get inputs(): ReadonlyMap<string, MatrixRun> {
    return this.#inputs;
  }

  /** `x` `[folds, batch, inputs]` times the transposed matrices: `[folds, batch, units]`. */
  up(segment: Segment<SumGroup>, x: Value): Value {
    const run = matricesOf(segment), w = this.#input("up", run);
    const rows = this.#stack(x, segment, run, run.inputs);
    const y = run.slots === 1
      ? this.#graph.op("Gemm", [rows, w], { transB: 1 })
      : this.#graph.op("FusedMatMul", [rows, w], { transB: 1 }, CONTRIBUTED);
    return this.#unstack(y, segment, run, run.units);
  }

  /** `g` `[folds, batch, units]` times the matrices: `[folds, batch, inputs]`. */
  down(segment: Segment<SumGroup>, g: Value): Value {
    const run = matricesOf(segment), w = this.#input("down", run);
    const p = this.#graph.op("MatMul", [this.#stack(g, segment, run, run.units), w]);
    return this.#unstack(p, segment, run, run.inputs);
  }

  /** `g` transposed times `x`, summed over the batch, in the shape of the matrices; added to `before`. */
  outer(segment: Segment<SumGroup>, g: Value, x: Value, before: Value | undefined): Value {
    const run = matricesOf(segment);
    const left = this.#stack(g, segment, run, run.units), right = this.#stack(x, segment, run, run.inputs);
    if (run.slots === 1) {
      return this.#graph.op("Gemm", [left, right, ...(before === undefined ? [] : [before])], { transA: 1 });
    }
    const product = this.#graph.op("FusedMatMul", [left, right], { transA: 1 }, CONTRIBUTED);
    return before === undefined ? product : this.#graph.op("Add", [before, product]);
  }

  #input(direction: "up" | "down", run: MatrixRun): Value {
    const name = `${direction}_${run.name}`;
    if (!this.#inputs.has(name)) {
      this.#inputs.set(name, run);
      this.#graph.input(name, "float32", shapeOfRun(run));
    }
    return name;
  }

  /** Stacks the folds that share a matrix: `[slots, folds / slots * batch, width]`. */
  #stack(x: Value, segment: Segment<SumGroup>, run: MatrixRun, width: number): Value {
    if (run.slots === segment.folds && run.slots > 1) return x;
    const shape = run.slots === 1 ? [-1, width] : [run.slots, -1, width];
    return this.#graph.op("Reshape", [x, this.#graph.integers(...shape)]);
  }

  /** Inverse of `#stack`: `[folds, batch, width]`. */
  #unstack(y: Value, segment: Segment<SumGroup>, run: MatrixRun, width: number): Value {
    if (run.slots === segment.folds && run.slots > 1) return y;
    return this.#graph.op("Reshape", [y, this.#graph.integers(segment.folds, -1, width)]);
  }
}
