import type { DeviceLeaf } from "./device_leaf.ts";
import { emitStates, logarithms } from "./states.ts";

/** Log-masses of all states, recomputed whenever the parameters change. */
export const logisticDevice: DeviceLeaf = { gpu: logarithms("logistic"), onnx: emitStates };
