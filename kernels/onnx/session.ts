import { InferenceSession, Tensor } from "onnxruntime-node";
import type { OnnxType } from "./graph.ts";

/** A tensor that a graph takes or gives. */
export interface TensorValue {
  /** Numbers in row-major order. int64 is read as bigint. */
  readonly data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array;
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
  /** What `data` holds, where its class does not say it: `float16` in a Uint16Array, `bool` in a Uint8Array. */
  readonly type?: OnnxType;
}

/** An input or an output of a graph. */
export interface OnnxPort {
  /** Its name. */
  readonly name: string;
  /** Its element type, as ONNX Runtime calls it. */
  readonly type: string;
  /** Sizes of its dimensions; a name stands for a size that is known when the graph runs. */
  readonly shape: readonly (number | string)[];
}

/** A graph that ONNX Runtime runs on the processor. */
export interface OnnxSession {
  /** What the graph takes. */
  readonly inputs: readonly OnnxPort[];
  /** What it gives. */
  readonly outputs: readonly OnnxPort[];
  /**
   * Runs the graph for some outputs (default: all): names, or the arrays that take them. Inputs are not copied
   * and must not change meanwhile.
   */
  run(
    inputs: Readonly<Record<string, TensorValue>>,
    outputs?: readonly string[] | Readonly<Record<string, TensorValue>>,
  ): Promise<Record<string, TensorValue>>;
  /** Frees the memory of ONNX Runtime. */
  release(): Promise<void>;
}

/** Settings of a session. */
export interface SessionOptions {
  /** Threads for one operator; one a core when left out. */
  readonly threads?: number;
  /**
   * Begin of the path of a file to which ONNX Runtime writes, when the session is released, how long every operator
   * took: a trace as Chrome reads it.
   */
  readonly profile?: string;
}

/**
 * Loads a model into ONNX Runtime, on the processor.
 * @throws {Error} of ONNX Runtime when the model is not valid
 */
export async function openSession(model: Uint8Array, options: SessionOptions = {}): Promise<OnnxSession> {
  const session = await InferenceSession.create(model, {
    executionProviders: ["cpu"],
    intraOpNumThreads: options.threads ?? navigator.hardwareConcurrency,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    // Errors reach the caller as exceptions; warnings of the optimiser would only fill logs.
    logSeverityLevel: 3,
    ...(options.profile !== undefined && { enableProfiling: true, profileFilePrefix: options.profile }),
  });
  return {
    inputs: ports(session.inputMetadata),
    outputs: ports(session.outputMetadata),
    async run(inputs, outputs) {
      const feeds = tensorsOf(inputs);
      const results = outputs === undefined
        ? await session.run(feeds)
        : await session.run(feeds, isNames(outputs) ? outputs : tensorsOf(outputs));
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [name, {
          data: tensor.data as TensorValue["data"],
          shape: tensor.dims,
          type: tensor.type as OnnxType,
        }]),
      );
    },
    async release() {
      if (options.profile !== undefined) session.endProfiling();
      await session.release();
    },
  };
}

function isNames(
  outputs: readonly string[] | Readonly<Record<string, TensorValue>>,
): outputs is readonly string[] {
  return Array.isArray(outputs);
}

function tensorsOf(values: Readonly<Record<string, TensorValue>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(values).map(([name, { data, shape, type }]) => [
      name,
      new Tensor(type ?? typeOf(data), data as Float32Array, shape),
    ]),
  );
}

function typeOf(data: TensorValue["data"]): OnnxType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof BigInt64Array) return "int64";
  return data instanceof Uint16Array ? "float16" : "uint8";
}

function ports(metadata: readonly InferenceSession.ValueMetadata[]): OnnxPort[] {
  return metadata.filter((port) => port.isTensor).map(({ name, type, shape }) => ({ name, type, shape }));
}
