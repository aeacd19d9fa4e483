import { type Field, message } from "./wire.ts";

/** ONNX element types by ONNX Runtime's names, with their numbers in files. */
export const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;

/** An element type. */
export type OnnxType = keyof typeof ELEMENT_TYPES;
/** Sizes of the dimensions; a name stands for a size determined at run time. */
export type OnnxShape = readonly (number | string)[];
/** The name of a value in a graph. */
export type Value = string;
/** Values of a constant. A plain number is a float32 scalar. */
export type ConstantValues = number | Float32Array | Int32Array | BigInt64Array | Uint8Array | Float64Array;
/** Attribute values; numbers and lists are integers, floats are marked. */
export type Attributes = Readonly<
  Record<string, number | string | readonly number[] | { readonly float: number }>
>;

/** Operator set version of the graphs. */
const OPSET = 18;
/** Version of the file format; read by ONNX Runtime 1.14 and later. */
const IR_VERSION = 8;
/** Domain of ONNX Runtime's own operators. Graphs that use them run only there. */
export const CONTRIBUTED = "com.microsoft";

interface Node {
  readonly type: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  readonly domain: string;
}

/**
 * Writes an ONNX graph node by node. Methods return the names of values to be used by later calls.
 *
 * ```ts
 * import { OnnxGraph } from "./graph.ts";
 *
 * const graph = new OnnxGraph();
 * const x = graph.input("x", "float32", ["rows", 3]);
 * graph.output("y", graph.op("Softmax", [x], { axis: 1 }), "float32", ["rows", 3]);
 * const model: Uint8Array = graph.model();
 * ```
 */
export class OnnxGraph {
  readonly #nodes: Node[] = [];
  readonly #constants = new Map<Value, Field[]>();
  readonly #inputs: Field[][] = [];
  readonly #outputs: Field[][] = [];
  readonly #shared = new Map<string, Value>();
  readonly #made = new Set<Value>();
  readonly #renamed = new Map<Value, string>();
  #named = 0;

  /** Adds an input of the graph. */
  input(name: string, type: OnnxType, shape: OnnxShape, doc?: string): Value {
    this.#inputs.push(valueInfo(name, type, shape, doc));
    return name;
  }

  /** Adds a constant. Its bytes are copied when the model is written. Default `shape`: one dimension. */
  constant(values: ConstantValues, shape?: readonly number[]): Value {
    const array = typeof values === "number" ? Float32Array.of(values) : values;
    const dimensions = shape ?? (typeof values === "number" ? [] : [array.length]);
    const name = this.#name();
    this.#constants.set(name, tensor(name, array, dimensions));
    return name;
  }

  /** Adds a list of integers as an int64 constant: axes, shapes, sizes. Equal lists share one constant. */
  integers(...values: number[]): Value {
    const key = values.join();
    const name = this.#shared.get(key) ?? this.constant(BigInt64Array.from(values, BigInt));
    this.#shared.set(key, name);
    return name;
  }

  /**
   * Adds a node with one output. Omitted optional inputs are `undefined`. `domain` is the operator's; default: the ONNX
   * standard's.
   */
  op(type: string, inputs: readonly (Value | undefined)[], attributes: Attributes = {}, domain = ""): Value {
    return this.ops(type, inputs, 1, attributes, domain)[0]!;
  }

  /** Adds a node with several outputs. */
  ops(
    type: string,
    inputs: readonly (Value | undefined)[],
    outputs: number,
    attributes: Attributes = {},
    domain = "",
  ): Value[] {
    const names = Array.from({ length: outputs }, () => this.#name());
    for (const name of names) this.#made.add(name);
    this.#nodes.push({
      type,
      inputs: inputs.map((input) => input ?? ""),
      outputs: names,
      attributes,
      domain,
    });
    return names;
  }

  /** Makes a value an output of the graph under the given name. */
  output(name: string, value: Value, type: OnnxType, shape: OnnxShape, doc?: string): void {
    this.#outputs.push(valueInfo(name, type, shape, doc));
    // A node's result gets the output's name directly; inputs, and values that already are outputs, are copied.
    if (this.#made.has(value) && !this.#renamed.has(value)) this.#renamed.set(value, name);
    else this.#nodes.push({ type: "Identity", inputs: [value], outputs: [name], attributes: {}, domain: "" });
  }

  /** Serialises the graph as an `.onnx` file. */
  model(doc?: string): Uint8Array {
    const graph: Field[] = [
      ...this.#nodes.map((node): Field => [1, this.#fields(node)]),
      [2, "retort"],
      ...[...this.#constants.values()].map((constant): Field => [5, constant]),
      ...(doc === undefined ? [] : [[10, doc] satisfies Field]),
      ...this.#inputs.map((input): Field => [11, input]),
      ...this.#outputs.map((output): Field => [12, output]),
    ];
    const contributed = this.#nodes.some((node) => node.domain === CONTRIBUTED);
    return message([
      [1, IR_VERSION],
      [2, "retort"],
      [7, graph],
      [8, [[2, OPSET]]],
      ...(contributed ? [[8, [[1, CONTRIBUTED], [2, 1]]] satisfies Field] : []),
    ]);
  }

  #fields({ type, inputs, outputs, attributes, domain }: Node): Field[] {
    const renamed = (value: Value) => this.#renamed.get(value) ?? value;
    return [
      ...inputs.map((input): Field => [1, renamed(input)]),
      ...outputs.map((output): Field => [2, renamed(output)]),
      [4, type],
      ...Object.entries(attributes).map(([name, value]): Field => [5, attribute(name, value)]),
      ...(domain === "" ? [] : [[7, domain] satisfies Field]),
    ];
  }

  #name(): Value {
    return `v${this.#named++}`;
  }
}

function valueInfo(name: string, type: OnnxType, shape: OnnxShape, doc?: string): Field[] {
  const dimensions = shape.map((size): Field => [1, typeof size === "number" ? [[1, size]] : [[2, size]]]);
  const tensorType: Field[] = [[1, ELEMENT_TYPES[type]], [2, dimensions]];
  return [[1, name], [2, [[1, tensorType]]], ...(doc === undefined ? [] : [[3, doc] satisfies Field])];
}

function tensor(name: string, values: Exclude<ConstantValues, number>, shape: readonly number[]): Field[] {
  const type: OnnxType = values instanceof Float32Array
    ? "float32"
    : values instanceof Float64Array
    ? "float64"
    : values instanceof Int32Array
    ? "int32"
    : values instanceof BigInt64Array
    ? "int64"
    : "uint8";
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return [...shape.map((size): Field => [1, size]), [2, ELEMENT_TYPES[type]], [8, name], [9, bytes]];
}

/** Attribute kinds in the schema. */
const FLOAT = 1, INT = 2, STRING = 3, INTS = 7;

function attribute(name: string, value: Attributes[string]): Field[] {
  if (typeof value === "number") return [[1, name], [3, value], [20, INT]];
  if (typeof value === "string") return [[1, name], [4, value], [20, STRING]];
  if ("float" in value) return [[1, name], [2, value], [20, FLOAT]];
  return [[1, name], ...value.map((one): Field => [8, one]), [20, INTS]];
}
