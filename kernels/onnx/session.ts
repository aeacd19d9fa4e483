import { Buffer } from "node:buffer";
import { resolve, sep as SEPARATOR } from "node:path";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { messageOf, RetortError } from "../../foundation/errors.ts";
import { withTemporaryFolder, writeBytes } from "../../foundation/file_system.ts";
import { once } from "../../foundation/once.ts";
import type { OnnxType } from "./graph.ts";

type Runtime = typeof import("onnxruntime-node");

/** ONNX Runtime, loaded when the first graph is opened. */
const runtime = once(loadRuntime);

const half = globalThis.Float16Array;

/**
 * Half precision is passed as Uint16Array: the binding of ONNX Runtime does not know Float16Array and reads nothing
 * from one. Its JavaScript side checks only once, when the first tensor is created, whether the runtime has the class.
 * Node 22 has no such class either way.
 */
async function loadRuntime(): Promise<Runtime> {
  const loaded = await import("onnxruntime-node").catch((error) => {
    throw new RetortError("onnx/not-loaded", `cannot load ONNX Runtime: ${messageOf(error)}`, {
      cause: error,
      hint:
        "The engine `cpu` and transformers compute by the package `onnxruntime-node`: install it (npm leaves it out with " +
        "`--omit=optional`), or use the engine `webgpu`.",
    });
  });
  // Errors are thrown anyway; warnings, and providers that are not installed, would only fill logs.
  loaded.env.logLevel = "fatal";
  Reflect.deleteProperty(globalThis, "Float16Array");
  new loaded.Tensor("bool", [true], [1]);
  if (half !== undefined) {
    Object.defineProperty(globalThis, "Float16Array", {
      value: half,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  }
  return loaded;
}

/** An input or output tensor of a graph. */
export interface TensorValue {
  /** Numbers in row-major order. int64 is returned as bigint. */
  readonly data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Uint16Array;
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
  /** Element type where the class of `data` does not determine it: `float16` in a Uint16Array, `bool` in a Uint8Array. */
  readonly type?: OnnxType;
}

/** Description of an input or output of a graph. */
export interface OnnxPort {
  /** Its name. */
  readonly name: string;
  /** Element type, by ONNX Runtime's name. */
  readonly type: string;
  /** Sizes of the dimensions; a name stands for a size determined at run time. */
  readonly shape: readonly (number | string)[];
}

/** A graph loaded into ONNX Runtime. */
export interface OnnxSession {
  /** Inputs of the graph. */
  readonly inputs: readonly OnnxPort[];
  /** Outputs of the graph. */
  readonly outputs: readonly OnnxPort[];
  /**
   * Runs the graph for some outputs (default: all): names, or arrays to write them to. Inputs are not copied and must
   * not change while the graph runs.
   */
  run(
    inputs: Readonly<Record<string, TensorValue>>,
    outputs?: readonly string[] | Readonly<Record<string, TensorValue>>,
  ): Promise<Record<string, TensorValue>>;
  /** Frees the session's memory. */
  release(): Promise<void>;
}

/** Options of a session. */
export interface OnnxSessionOptions {
  /** Threads per operator. Default: one per core. */
  readonly threads?: number;
  /**
   * Whether threads wait for the next operator by asking again and again for some milliseconds: quicker where one call follows
   * another, and time taken from everything else where not. Yes, if omitted.
   */
  readonly spins?: boolean;
  /** Path prefix of a profile that ONNX Runtime writes on release: the time of every operator, in Chrome's trace format. */
  readonly profile?: string;
  /** Weights stored outside the model, by the file names that the model uses. */
  readonly external?: ReadonlyMap<string, Uint8Array>;
  /** What runs the operators that it knows; the rest, and all if omitted, is the CPU's. */
  readonly provider?: "cuda" | "webgpu";
}

/**
 * Loads a model into ONNX Runtime.
 * @throws {Error} of ONNX Runtime when the model is not valid, or the provider finds no device
 */
export async function openSession(model: Uint8Array, options: OnnxSessionOptions = {}): Promise<OnnxSession> {
  const onnx = await runtime();
  const session = await withFiles(model, options.external, (source) =>
    // One overload takes a path, the other bytes.
    onnx.InferenceSession.create(source as string, {
      executionProviders: [options.provider ?? "cpu"],
      intraOpNumThreads: options.threads ?? navigator.hardwareConcurrency,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      ...(options.spins === false && { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
      ...(options.profile !== undefined && { enableProfiling: true, profileFilePrefix: options.profile }),
    }));
  return {
    inputs: ports(session.inputMetadata),
    outputs: ports(session.outputMetadata),
    async run(inputs, outputs) {
      const feeds = tensorsOf(onnx, inputs);
      const results = outputs === undefined
        ? await session.run(feeds)
        : await session.run(feeds, isNames(outputs) ? outputs : tensorsOf(onnx, outputs));
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

/** Converts a float32 or float16 tensor to float32. @throws {TypeError} for another one */
export function floatsOf({ data, type }: TensorValue): Float32Array {
  if (data instanceof Float32Array) return data;
  if (!(data instanceof Uint16Array && type === "float16")) throw new TypeError(`${type} are no floats`);
  return Float32Array.from(new half(data.buffer, data.byteOffset, data.length));
}

/** Bytes before the file name in a `location` entry of a tensor's `external_data`: two protocol buffer strings. */
const LOCATION = new TextEncoder().encode("\x0a\x08location\x12");

/**
 * Lists the external weight files that a model's tensors name. The entries are found by a byte search, since they can
 * be nested at any depth of subgraphs.
 * Source: https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
 */
export function externalFiles(model: Uint8Array): string[] {
  const bytes = Buffer.from(model.buffer, model.byteOffset, model.byteLength);
  const names = new Set<string>();
  for (let at = bytes.indexOf(LOCATION); at >= 0; at = bytes.indexOf(LOCATION, at + 1)) {
    // Names are almost always shorter than 128 bytes, so the length is one byte.
    let from = at + LOCATION.length, length = bytes[from++] ?? 0;
    if (length >= 128) length = length - 128 + 128 * (bytes[from++] ?? 0);
    names.add(bytes.subarray(from, from + length).toString("utf8"));
  }
  return [...names];
}

/**
 * Calls `open` with a model's bytes or, if it has external weights, with its path in a temporary folder that holds
 * both: ONNX Runtime accepts such weights from memory for the main graph, but not for the branches of conditionals.
 */
async function withFiles<T>(
  model: Uint8Array,
  external: ReadonlyMap<string, Uint8Array> | undefined,
  open: (source: Uint8Array | string) => Promise<T>,
): Promise<T> {
  if (external === undefined || external.size === 0) return await open(model);
  return await withTemporaryFolder("retort-model-", async (folder) => {
    for (const [name, bytes] of external) {
      const path = resolve(folder, name);
      if (!path.startsWith(`${folder}${SEPARATOR}`)) {
        throw new RetortError(
          "onnx/outside-weights",
          `the model keeps weights outside its folder: \`${name}\``,
        );
      }
      await writeBytes(path, bytes);
    }
    const path = `${folder}${SEPARATOR}${crypto.randomUUID()}.onnx`;
    await writeBytes(path, model);
    return await open(path);
  });
}

function isNames(
  outputs: readonly string[] | Readonly<Record<string, TensorValue>>,
): outputs is readonly string[] {
  return Array.isArray(outputs);
}

function tensorsOf(
  { Tensor }: Pick<Runtime, "Tensor">,
  values: Readonly<Record<string, TensorValue>>,
): Record<string, Tensor> {
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
