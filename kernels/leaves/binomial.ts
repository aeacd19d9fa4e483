import type { DeviceLeaf } from "./device_leaf.ts";
import { emitStates, logarithms } from "./states.ts";

/** The logarithms of the probabilities of all states, made anew whenever the parameters change. */
export const binomialDevice: DeviceLeaf = { gpu: logarithms("binomial"), onnx: emitStates };
