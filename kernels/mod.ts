export * from "./plan.ts";
export * from "./memory.ts";
export * from "./engine.ts";
export * from "./open.ts";
export * from "./onnx/export.ts";
export { type DeviceLeaf, registerDeviceLeaf } from "./leaves/mod.ts";
