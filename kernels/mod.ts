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
export { type DeviceLeaf, registerDeviceLeaf } from "./leaves/mod.ts";
