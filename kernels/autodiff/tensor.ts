import { RetortError } from "../../foundation/errors.ts";
import type { Attributes, ConstantValues, OnnxType } from "../onnx/graph.ts";

/** Sizes of the dimensions, slowest-varying first; fixed when the graph is built. */
export type Shape = readonly number[];

/**
 * Backward function of an operation: from the gradients of its outputs (undefined: the loss does not depend on it) to
 * those of its inputs (undefined: none). It builds new tensors, so gradients are ordinary graphs.
 */
export type GradientFunction = (
  gradients: readonly (SymbolicTensor | undefined)[],
) => readonly (SymbolicTensor | undefined)[];

/** A node of a graph: an ONNX operator, or a source of values. */
export interface Operation {
  /** Increases with every operation created, so inputs have smaller ids. */
  readonly id: number;
  /** ONNX operator name, or `input`, `parameter` or `constant`. */
  readonly type: string;
  /** Its inputs; undefined where an optional input is omitted. */
  readonly inputs: readonly (SymbolicTensor | undefined)[];
  /** Attributes of the operator. */
  readonly attributes: Attributes;
  /** Its outputs. */
  readonly outputs: readonly SymbolicTensor[];
  /** Name of an input or a parameter. */
  readonly name?: string;
  /** Values of a constant. */
  readonly values?: ConstantValues;
  /** If absent, no gradient flows through the operation. */
  readonly backward?: GradientFunction;
  /** The tensors whose gradients `backward` returns; by default the inputs. */
  readonly sources: readonly (SymbolicTensor | undefined)[];
}

/** A value in a graph that has not run yet. */
export interface SymbolicTensor {
  /** The operation that computes it. */
  readonly operation: Operation;
  /** Index among the operation's outputs. */
  readonly output: number;
  /** Sizes of its dimensions. */
  readonly shape: Shape;
  /** Its element type. */
  readonly type: OnnxType;
  /** Whether it depends on a parameter. */
  readonly learned: boolean;
}

let operations = 0;

/** Options of {@link operation}. */
export interface OperationOptions {
  /** Attributes of the operator. Default: none. */
  readonly attributes?: Attributes;
  /** Element type of the outputs. Default: `float32`. */
  readonly type?: OnnxType;
  /** See {@link GradientFunction}. */
  readonly backward?: GradientFunction;
  /** See {@link Operation.sources}: for the last of several operations that share one gradient function. */
  readonly sources?: readonly (SymbolicTensor | undefined)[];
  /** See {@link Operation.name}. */
  readonly name?: string;
  /** See {@link Operation.values}. */
  readonly values?: ConstantValues;
}

/** Adds an operation with one output per shape. */
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

/** Adds an input, supplied at each run. Indices are `int64`. */
export function input(name: string, shape: Shape, type: OnnxType = "float32"): SymbolicTensor {
  return operation("input", [], [shape], { name, type })[0]!;
}

/** Adds a parameter: an input, supplied at each run, whose gradient is wanted. */
export function parameter(name: string, shape: Shape): SymbolicTensor {
  return operation("parameter", [], [shape], { name })[0]!;
}

/** Adds a constant. A plain number is a scalar. */
export function constant(values: ConstantValues, shape?: Shape): SymbolicTensor {
  const sizes = shape ?? (typeof values === "number" ? [] : [values.length]);
  const type = values instanceof BigInt64Array ? "int64" : values instanceof Int32Array ? "int32" : "float32";
  return operation("constant", [], [sizes], { values, type })[0]!;
}

/** Adds a constant list of integers: axes, sizes. */
export function integers(values: readonly number[]): SymbolicTensor {
  return constant(BigInt64Array.from(values, BigInt));
}

/** Product of the dimensions' sizes. */
export function sizeOfShape(shape: Shape): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Formats a shape for messages. */
export function describeShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Error for shapes that an operation does not accept. */
export function unfit(what: string, ...shapes: Shape[]): RetortError {
  return new RetortError(
    "tensor-program/shapes",
    `${what} of shapes ${shapes.map(describeShape).join(" and ")}: they do not fit`,
  );
}
