import type { DeviceLeaf } from "./device_leaf.ts";
import { emitStates, probabilities } from "./states.ts";

/** One probability per state. */
export const categoricalDevice: DeviceLeaf = { gpu: probabilities, onnx: emitStates };
