import type { DeviceLeaf } from "./device_leaf.ts";
import { emitStates } from "./states.ts";

/** The only possible state of each unit. */
export const indicatorDevice: DeviceLeaf = {
  gpu: {
    kind: "list",
    byState: true,
    encoding: () => ({ kind: "state" }),
    value: {
      kind: "indicator",
      declarations: `@group(0) @binding(5) var<storage, read> states: array<u32>;`,
      code: `  if (value != MISSING && value != states[fold.table + unit]) { log = ZERO; }`,
    },
  },
  onnx: emitStates,
};
