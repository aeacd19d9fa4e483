import { RetortError } from "../../foundation/errors.ts";
import type { Attributes, ConstantValues, OnnxType } from "../onnx/graph.ts";

/** Sizes of the dimensions, slowest first; known when the graph is written. */
export type Shape = readonly number[];

/**
 * How an operation hands gradients back: from those of its outputs (undefined: no way to the loss) to those of its
 * inputs (undefined: none). It makes new tensors, so that gradients are a graph like any other.
 */
export type GradientFunction = (
  gradients: readonly (SymbolicTensor | undefined)[],
) => readonly (SymbolicTensor | undefined)[];

/** One operation of a graph: an ONNX operator, or where numbers come from. */
export interface Operation {
  /** Rises with every operation made: inputs have smaller numbers. */
  readonly id: number;
  /** Name of the ONNX operator; `input`, `parameter` and `constant` are none. */
  readonly type: string;
  /** What it is computed from; undefined where an operator lets an input be left out. */
  readonly inputs: readonly (SymbolicTensor | undefined)[];
  /** Attributes of the operator. */
  readonly attributes: Attributes;
  /** What it gives. */
  readonly outputs: readonly SymbolicTensor[];
  /** Name of an input or a parameter. */
  readonly name?: string;
  /** Numbers of a constant. */
  readonly values?: ConstantValues;
  /** Absent: no gradient goes through it. */
  readonly backward?: GradientFunction;
  /** What the results of `backward` belong to: the inputs, unless something else is said. */
  readonly sources: readonly (SymbolicTensor | undefined)[];
}

/** A value in a graph that is yet to run. */
export interface SymbolicTensor {
  /** What computes it. */
  readonly operation: Operation;
  /** Which of the operation's outputs it is. */
  readonly output: number;
  /** Sizes of its dimensions. */
  readonly shape: Shape;
  /** Its element type. */
  readonly type: OnnxType;
  /** Whether a parameter decides it. */
  readonly learned: boolean;
}

let operations = 0;

/** What {@link operation} takes. */
export interface OperationOptions {
  /** Attributes of the operator; none when left out. */
  readonly attributes?: Attributes;
  /** Element type of the outputs; `float32` when left out. */
  readonly type?: OnnxType;
  /** See {@link GradientFunction}. */
  readonly backward?: GradientFunction;
  /** See {@link Operation.sources}: for an operation at the end of several that have one gradient together. */
  readonly sources?: readonly (SymbolicTensor | undefined)[];
  /** See {@link Operation.name}. */
  readonly name?: string;
  /** See {@link Operation.values}. */
  readonly values?: ConstantValues;
}

/** Adds an operation with one output for each shape. */
export function operation(
  type: string,
  inputs: readonly (SymbolicTensor | undefined)[],
  shapes: readonly Shape[],
  options: OperationOptions = {},
): readonly SymbolicTensor[] {
  const outputs: SymbolicTensor[] = [];
  const { type: element = "float32", attributes = {}, sources = inputs, ...rest } = options;
  const made: Operation = { id: operations++, type, inputs, attributes, outputs, sources, ...rest };
  const learned = type === "parameter" ||
    (rest.backward !== undefined && sources.some((source) => source?.learned === true));
  shapes.forEach((shape, output) => {
    outputs.push({ operation: made, output, shape: [...shape], type: element, learned });
  });
  return outputs;
}

/** Numbers that are given whenever the graph runs. Indices are `int64`. */
export function input(name: string, shape: Shape, type: OnnxType = "float32"): SymbolicTensor {
  return operation("input", [], [shape], { name, type })[0]!;
}

/** Numbers that are given whenever the graph runs and that a gradient is wanted for. */
export function parameter(name: string, shape: Shape): SymbolicTensor {
  return operation("parameter", [], [shape], { name })[0]!;
}

/** Numbers that never change. A plain number is a scalar. */
export function constant(values: ConstantValues, shape?: Shape): SymbolicTensor {
  const sizes = shape ?? (typeof values === "number" ? [] : [values.length]);
  const type = values instanceof BigInt64Array ? "int64" : values instanceof Int32Array ? "int32" : "float32";
  return operation("constant", [], [sizes], { values, type })[0]!;
}

/** A constant list of whole numbers: axes, sizes. */
export function integers(values: readonly number[]): SymbolicTensor {
  return constant(BigInt64Array.from(values, BigInt));
}

/** Product of the sizes. */
export function sizeOfShape(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** How a message names a shape. */
export function describeShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** The error for shapes that an operation cannot take. */
export function unfit(what: string, ...shapes: Shape[]): RetortError {
  return new RetortError(
    "tensor-program/shapes",
    `${what} of shapes ${shapes.map(describeShape).join(" and ")}: they do not fit`,
  );
}
