import { Buffer } from "node:buffer";
import { dirname, resolve, sep as SEPARATOR } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { RetortError } from "../../foundation/errors.ts";
import type { OnnxType } from "./graph.ts";

// Half precision is handed over as Uint16Array: the binding of ONNX Runtime does not know Float16Array and reads nothing of
// one. Its JavaScript side asks once, when the first tensor is made, whether the runtime has the class.
const half = globalThis.Float16Array;
Reflect.deleteProperty(globalThis, "Float16Array");
new Tensor("bool", [true], [1]);
Object.defineProperty(globalThis, "Float16Array", {
  value: half,
  writable: true,
  enumerable: false,
  configurable: true,
});

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
export interface OnnxSessionOptions {
  /** Threads for one operator; one a core when left out. */
  readonly threads?: number;
  /**
   * Begin of the path of a file to which ONNX Runtime writes, when the session is released, how long every operator
   * took: a trace as Chrome reads it.
   */
  readonly profile?: string;
  /** Weights that the model keeps outside its file, by the names that it calls their files. */
  readonly external?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Loads a model into ONNX Runtime, on the processor.
 * @throws {Error} of ONNX Runtime when the model is not valid
 */
export async function openSession(model: Uint8Array, options: OnnxSessionOptions = {}): Promise<OnnxSession> {
  const session = await withFiles(model, options.external, (source) =>
    // One signature takes a path, the other bytes.
    InferenceSession.create(source as string, {
      executionProviders: ["cpu"],
      intraOpNumThreads: options.threads ?? navigator.hardwareConcurrency,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      // Errors reach the caller as exceptions; warnings of the optimiser would only fill logs.
      logSeverityLevel: 3,
      ...(options.profile !== undefined && { enableProfiling: true, profileFilePrefix: options.profile }),
    }));
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

/** The numbers of a tensor in single or half precision, in single. @throws {TypeError} for another one */
export function floatsOf({ data, type }: TensorValue): Float32Array {
  if (data instanceof Float32Array) return data;
  if (!(data instanceof Uint16Array && type === "float16")) throw new TypeError(`${type} are no floats`);
  return Float32Array.from(new half(data.buffer, data.byteOffset, data.length));
}

/** What precedes the name of a file in an entry `location` of a tensor's `external_data`: two protocol buffer strings. */
const LOCATION = new TextEncoder().encode("\x0a\x08location\x12");

/**
 * The files, beside its own, in which a model keeps weights: those that its tensors name. The entries are looked for as
 * bytes, for they stand at any depth of subgraphs.
 * Source: https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
 */
export function externalFiles(model: Uint8Array): string[] {
  const bytes = Buffer.from(model.buffer, model.byteOffset, model.byteLength);
  const names = new Set<string>();
  for (let at = bytes.indexOf(LOCATION); at >= 0; at = bytes.indexOf(LOCATION, at + 1)) {
    // Names are shorter than 128 bytes but for odd ones: the length is then one byte.
    let from = at + LOCATION.length, length = bytes[from++] ?? 0;
    if (length >= 128) length = length - 128 + 128 * (bytes[from++] ?? 0);
    names.add(bytes.subarray(from, from + length).toString("utf8"));
  }
  return [...names];
}

/**
 * Calls `open` with a model's bytes or, where weights stand outside, with its path in a folder that holds both meanwhile:
 * ONNX Runtime takes such weights from memory for the graph itself, and not for the branches of its conditions.
 */
async function withFiles<T>(
  model: Uint8Array,
  external: ReadonlyMap<string, Uint8Array> | undefined,
  open: (source: Uint8Array | string) => Promise<T>,
): Promise<T> {
  if (external === undefined || external.size === 0) return await open(model);
  const folder = await Deno.makeTempDir({ prefix: "retort-model-" });
  try {
    for (const [name, bytes] of external) {
      const path = resolve(folder, name);
      if (!path.startsWith(`${folder}${SEPARATOR}`)) {
        throw new RetortError(
          "onnx/outside-weights",
          `the model keeps weights outside its folder: \`${name}\``,
        );
      }
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeFile(path, bytes);
    }
    const path = `${folder}${SEPARATOR}${crypto.randomUUID()}.onnx`;
    await Deno.writeFile(path, model);
    return await open(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
