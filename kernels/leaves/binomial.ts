import type { DeviceLeaf } from "./device_leaf.ts";
import { emitStates, logarithms } from "./states.ts";

/** Log-probabilities of all states, recomputed whenever the parameters change. */
export const binomialDevice: DeviceLeaf = { gpu: logarithms("binomial"), onnx: emitStates };
