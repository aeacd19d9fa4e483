import type { CodeEntry } from "./entry.ts";

/** Codes of the room `kernels`. */
export type KernelCode =
  | "engine/unknown"
  | "engine/no-leaf"
  | "engine/closed"
  | "engine/memory"
  | "engine/thread"
  | "gpu/no-adapter"
  | "gpu/out-of-memory"
  | "gpu/limits"
  | "gpu/kernel"
  | "gpu/refused"
  | "gpu/lost"
  | "gpu/failed"
  | "gpu/far-values"
  | "kmeans/options"
  | "kmeans/too-few-vectors"
  | "kmeans/width"
  | "kmeans/vectors"
  | "kmeans/weights"
  | "pca/components"
  | "onnx/not-loaded"
  | "onnx/too-large"
  | "onnx/value-type"
  | "onnx/outside-weights"
  | "tensor-program/shapes"
  | "tensor-program/inputs";

/** What they mean. */
export const kernelCodes: Readonly<Record<KernelCode, CodeEntry>> = {
  "engine/unknown": {
    means: "No engine has this name.",
    example: "there is no engine `cuda`",
    remedy: "The engines are `cpu`, `webgpu` and `auto`.",
  },
  "engine/no-leaf": {
    means: "The engine does not know how to compute the leaves of a family.",
    example: "nothing says how a device computes `mine` leaves",
    remedy:
      "Use the engine cpu, which computes leaves of every family, or describe them with a `DeviceLeaf`.",
  },
  "engine/closed": {
    means: "An engine or kernel was used after it was closed.",
    example: "the engine is closed",
    remedy: "Open another one, or close it later.",
  },
  "engine/memory": {
    means: "The parameters of a circuit with gates do not fit into a memory of WebAssembly, 4 GiB.",
    example:
      "the parameters of the circuit and their counts take 8.2 GiB, and 2 threads 0.1 GiB more; the engine cpu has 4.0 GiB for circuits with gates",
    remedy: "Take fewer states, fewer pairs of blocks that may follow each other, or fewer threads.",
  },
  "engine/thread": {
    means: "A thread of the engine `cpu` ended by a fault of Retort itself, or for lack of memory.",
    example: "a thread of the engine cpu failed: RangeError: Array buffer allocation failed",
    remedy: "Give the engine less memory or fewer threads; report the fault if that does not help.",
  },
  "gpu/no-adapter": {
    means: "WebGPU finds no adapter, or none with the name that was asked for.",
    example: "WebGPU finds no adapter",
    remedy:
      "Run `deno task doctor`, which says what each engine of the machine needs; or use `--engine cpu`.",
  },
  "gpu/out-of-memory": {
    means: "The GPU has too little memory for what the engine needs at once.",
    example: "the device lacks memory for parameters: 512 MiB beside the 7680 MiB that are in use",
    remedy: "Give the engine less memory (smaller batches), or use a smaller model or another device.",
  },
  "gpu/limits": {
    means: "A kernel needs more than a limit of this device allows.",
    example: "kernel forward has workgroups of 512 threads, this device allows 256",
    remedy: "Use a smaller model, another device, or `--engine cpu`.",
  },
  "gpu/kernel": {
    means: "The driver refuses a kernel. The model is sound; driver and kernel do not agree.",
    example: "kernel forward does not compile: unknown identifier",
    remedy: "Update the driver, or use `--engine cpu`; please report the message and `deno task doctor`.",
  },
  "gpu/refused": {
    means: "The device refused work, so that results from then on cannot be trusted.",
    example: "the device refuses work: buffer is too large",
    remedy: "Use smaller batches (option `memory`) or a smaller model; else the driver is at fault.",
  },
  "gpu/lost": {
    means:
      "The device was lost (driver reset, sleep, another process) and the work could not go on by itself.",
    example: "the GPU was lost (reset) and its work could not be resumed: out of memory",
    remedy: "Run again: checkpoints are kept. If it happens often, use smaller batches or `--engine cpu`.",
  },
  "gpu/failed": {
    means: "The work on the GPU, or the thread that owns it, failed.",
    example: "the work on the GPU failed: out of memory",
    remedy: "Run again; use `--engine cpu` if it happens again.",
  },
  "gpu/far-values": {
    means: "Real values lie so far from all units of a leaf that float32 cannot tell the units apart.",
    example:
      "3 of 100 samples have real values that are more than 30 standard deviations from all units of a leaf: more than the engine webgpu can work with",
    remedy: "Start the leaves from the data (`startFromData`), or use the engine cpu.",
  },
  "kmeans/options": {
    means: "An option of k-means is out of range.",
    example: "`clusters` is 0, expected a whole number from 1",
    remedy: "Pass a value in the range that the message names.",
  },
  "kmeans/too-few-vectors": {
    means: "There are fewer vectors than clusters.",
    example: "100 clusters of 60 vectors: there must be at least as many vectors",
    remedy: "Ask for fewer clusters or give more vectors.",
  },
  "kmeans/width": {
    means: "Vectors and centroids have different widths.",
    example: "512 numbers do not divide into centroids of width 384",
    remedy: "Take vectors and centroids from the same embedding.",
  },
  "kmeans/vectors": {
    means: "A vector cannot be clustered: it is not finite, or is zero where directions are compared.",
    example: "vector 12 is zero: it has no direction, which cosine compares",
    remedy:
      "Look at what made the vectors; give such vectors the weight 0, or use Euclidean distance for zeros.",
  },
  "kmeans/weights": {
    means: "Weights of vectors are negative, not finite, all zero, or not one per vector.",
    example: "the weight of vector 3 is -1, expected a number from 0",
    remedy: "Give one number from 0 for each vector, at least one of them above 0.",
  },
  "pca/components": {
    means: "Principal components were asked for that the vectors do not have.",
    example: "1 vectors have no principal components: at least 2 are needed",
    remedy: "Ask for at most as many components as the vectors are wide, of two vectors at least.",
  },
  "onnx/not-loaded": {
    means:
      "ONNX Runtime, by which the engine `cpu` and transformers compute, is not installed or has no program for this machine.",
    example: "cannot load ONNX Runtime: Cannot find package 'onnxruntime-node'",
    remedy:
      "Install the package `onnxruntime-node`, which npm leaves out with `--omit=optional`; or use the engine `webgpu`.",
  },
  "onnx/too-large": {
    means: "An .onnx file cannot hold the parameters of this circuit.",
    example: "the parameters take 3000000000 bytes; an .onnx file holds less than 2147483648",
    remedy: "Export a smaller circuit, or save it with `saveCircuit`.",
  },
  "onnx/value-type": {
    means: "The type of values asked for an ONNX graph is unknown, or cannot hold a variable of the circuit.",
    example: "the type of values is `int8`, expected int32, int64, float32 or float64",
    remedy: "Use int32, int64, float32 or float64; real variables need float64.",
  },
  "onnx/outside-weights": {
    means: "An ONNX model refers to a file of weights outside its own folder, which is refused.",
    example: "the model keeps weights outside its folder: `../weights.bin`",
    remedy: "Put model and weights into one folder and export it again.",
  },
  "tensor-program/shapes": {
    means: "Tensors in a graph have shapes that do not fit together.",
    example: "matmul of shapes [2, 3] and [2, 3]: they do not fit",
    remedy: "Check the order of dimensions where the graph is built.",
  },
  "tensor-program/inputs": {
    means: "An input of a graph has the wrong number of values, or two inputs have one name.",
    example: "two inputs of a graph are named `x`",
    remedy: "Name inputs uniquely and give each an array of its shape's size.",
  },
};
