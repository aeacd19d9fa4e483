import type { DeviceLeaf } from "./device_leaf.ts";
import { emitStates, probabilities } from "./states.ts";

/** The probabilities of two states. */
export const bernoulliDevice: DeviceLeaf = { gpu: probabilities, onnx: emitStates };
