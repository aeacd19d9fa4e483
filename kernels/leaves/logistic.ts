import type { DeviceLeaf } from "./device_leaf.ts";
import { emitStates, logarithms } from "./states.ts";

/** The logarithms of the masses of all states, made anew whenever the parameters change. */
export const logisticDevice: DeviceLeaf = { gpu: logarithms("logistic"), onnx: emitStates };
