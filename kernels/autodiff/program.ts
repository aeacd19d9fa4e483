import { RetortError } from "../../foundation/errors.ts";
import { OnnxGraph, type Value } from "../onnx/graph.ts";
import { type EngineSession, type EngineSessionOptions, openEngineSession } from "../onnx/engine_session.ts";
import type { TensorValue } from "../onnx/session.ts";
import { gradients, operationsOf } from "./gradients.ts";
import { describeShape, type Operation, type Shape, sizeOfShape, type SymbolicTensor } from "./tensor.ts";

/** Arrays by name. */
export type Numbers = Readonly<Record<string, Float32Array | BigInt64Array | Int32Array>>;

/** Writes tensors as one ONNX graph, with outputs named as given; inputs and parameters keep their own names. */
export function onnxOf(
  outputs: Readonly<Record<string, SymbolicTensor>>,
): { model: Uint8Array; inputs: Map<string, SymbolicTensor> } {
  const graph = new OnnxGraph();
  const values = new Map<SymbolicTensor, Value>();
  const inputs = new Map<string, SymbolicTensor>();
  for (const made of operationsOf(Object.values(outputs))) emit(made);
  for (const [name, tensor] of Object.entries(outputs)) {
    graph.output(name, values.get(tensor)!, tensor.type, tensor.shape);
  }
  return { model: graph.model(), inputs };

  function emit({ type, name, values: numbers, inputs: from, attributes, outputs: to }: Operation): void {
    const [first] = to as [SymbolicTensor];
    if (type === "constant") values.set(first, graph.constant(numbers!, first.shape));
    else if (type === "input" || type === "parameter") {
      if (inputs.has(name!)) {
        throw new RetortError("tensor-program/inputs", `two inputs of a graph are named \`${name}\``);
      }
      inputs.set(name!, first);
      values.set(first, graph.input(name!, first.type, first.shape));
    } else {
      const names = graph.ops(type, from.map((input) => input && values.get(input)!), to.length, attributes);
      to.forEach((tensor, i) => values.set(tensor, names[i]!));
    }
  }
}

/** A graph of tensors, run by ONNX Runtime. */
export class Program implements AsyncDisposable {
  readonly #session: EngineSession;
  /** Shapes of inputs and parameters by name. */
  readonly inputs: ReadonlyMap<string, Shape>;

  private constructor(session: EngineSession, inputs: ReadonlyMap<string, Shape>) {
    this.#session = session;
    this.inputs = inputs;
  }

  /** Compiles a program that computes tensors, by name. */
  static async compile(
    outputs: Readonly<Record<string, SymbolicTensor>>,
    options: EngineSessionOptions = {},
  ): Promise<Program> {
    const { model, inputs } = onnxOf(outputs);
    const shapes = new Map([...inputs].map(([name, tensor]) => [name, tensor.shape]));
    return new Program(await openEngineSession(model, options), shapes);
  }

  /**
   * Computes the outputs. Arrays that are not inputs of the graph are ignored.
   * @throws {RetortError} naming an input or parameter that is missing or has the wrong length
   */
  async run(numbers: Numbers): Promise<Record<string, Float32Array>> {
    const feeds: Record<string, TensorValue> = {};
    for (const [name, shape] of this.inputs) {
      const data = numbers[name];
      if (data?.length !== sizeOfShape(shape)) {
        throw new RetortError(
          "tensor-program/inputs",
          `\`${name}\` of shape ${describeShape(shape)} needs ${sizeOfShape(shape)} numbers; got ` +
            `${data?.length ?? "none"}`,
        );
      }
      feeds[name] = { data, shape };
    }
    const results = await this.#session.run(feeds);
    return Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]),
    );
  }

  /** Frees the session. */
  release(): Promise<void> {
    return this.#session.release();
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** Result of a {@link TrainingStep}. */
export interface StepResult {
  /** The loss. */
  readonly loss: number;
  /** Gradients by parameter, of the parameters' shapes. */
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

/** A loss and its gradients, as one program. */
export class TrainingStep implements AsyncDisposable {
  readonly #program: Program;
  readonly #names: readonly string[];

  private constructor(program: Program, names: readonly string[]) {
    this.#program = program;
    this.#names = names;
  }

  /** Compiles a scalar loss and its gradients with respect to all parameters it depends on. */
  static async compile(loss: SymbolicTensor, options: EngineSessionOptions = {}): Promise<TrainingStep> {
    const parameters = [...operationsOf([loss])].filter(({ type }) => type === "parameter");
    const found = gradients(loss, parameters.map(({ outputs }) => outputs[0]!));
    const outputs = Object.fromEntries(parameters.map(({ name }, i) => [`gradient/${name}`, found[i]!]));
    return new TrainingStep(
      await Program.compile({ loss, ...outputs }, options),
      parameters.map(({ name }) => name!),
    );
  }

  /** Computes the loss and its gradients. @throws {RetortError} as {@link Program.run} */
  async run(numbers: Numbers): Promise<StepResult> {
    const results = await this.#program.run(numbers);
    return {
      loss: results.loss![0]!,
      gradients: Object.fromEntries(this.#names.map((name) => [name, results[`gradient/${name}`]!])),
    };
  }

  /** Frees the session. */
  release(): Promise<void> {
    return this.#program.release();
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
