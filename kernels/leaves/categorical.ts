import type { DeviceLeaf } from "./device_leaf.ts";
import { emitStates, probabilities } from "./states.ts";

/** A probability for every state. */
export const categoricalDevice: DeviceLeaf = { gpu: probabilities, onnx: emitStates };
