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

/** A graph that ONNX Runtime runs on the processor. */
export interface OnnxSession {
  /** Runs the graph. Inputs are not copied and must not change meanwhile. */
  run(inputs: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>>;
  /** Frees the memory of ONNX Runtime. */
  release(): Promise<void>;
}

/** Settings of a session. */
export interface SessionOptions {
  /** Threads for one operator; one a core when left out. */
  readonly threads?: number;
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
  });
  return {
    async run(inputs) {
      const feeds: Record<string, Tensor> = {};
      for (const [name, { data, shape, type }] of Object.entries(inputs)) {
        feeds[name] = new Tensor(type ?? typeOf(data), data as Float32Array, shape);
      }
      const results = await session.run(feeds);
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [name, {
          data: tensor.data as TensorValue["data"],
          shape: tensor.dims,
          type: tensor.type as OnnxType,
        }]),
      );
    },
    release: () => session.release(),
  };
}

function typeOf(data: TensorValue["data"]): OnnxType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof BigInt64Array) return "int64";
  return data instanceof Uint16Array ? "float16" : "uint8";
}
