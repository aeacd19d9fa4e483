/**
 * Engines, which run circuits fast: `cpu` on ONNX Runtime, `webgpu` on WGSL kernels. {@link openEngine} opens one for a circuit, {@link exportOnnx}
 * writes a circuit as a graph that any ONNX runtime evaluates.
 *
 * @module
 */
export * from "./plan.ts";
export * from "./memory.ts";
export * from "./engine.ts";
export * from "./open.ts";
export * from "./onnx/export.ts";
export type {
  Attributes,
  ConstantValues,
  ELEMENT_TYPES,
  OnnxGraph,
  OnnxShape,
  OnnxType,
  Value,
} from "./onnx/graph.ts";
export { type CompiledGraph, KeptGraphs } from "./onnx/kept_graphs.ts";
export type { OnnxPort, OnnxSession, OnnxSessionOptions, TensorValue } from "./onnx/session.ts";
export type { Rate } from "./webgpu/pace.ts";
export type { Tile } from "./webgpu/tiles.ts";
export type { Tuning, TuningStore } from "./webgpu/tuning.ts";
export type * from "./leaves/device_leaf.ts";
export { registerDeviceLeaf } from "./leaves/mod.ts";
