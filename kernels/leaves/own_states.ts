/** Shared by families over states whose values are looked up on the host first, such as bins. */
import { leafFamily, type LeafShape } from "../../circuits/mod.ts";
import { LOG_ZERO } from "../webgpu/words.ts";
import type { Encoding, GpuTable } from "./device_leaf.ts";
import { probabilities } from "./states.ts";

/**
 * The table of a family with `stateOf`: a value is encoded as its state and the base-2 logarithm of the state's scale.
 * `setting` names the setting that decides the state: leaves with equal ones share a column.
 */
export function ownStates(name: string, setting: string): GpuTable {
  const { byState: _, ...shared } = probabilities;
  return {
    ...shared,
    encoding: (leaf) => encoding(name, setting, leaf),
    value: {
      ...probabilities.value,
      kind: "own states",
      code: `${probabilities.value.code}
  if (value != MISSING) { log += bitcast<f32>(values[sample * shape.columns + shape.columns / 2u + fold.variable]); }`,
    },
  };
}

function encoding(name: string, setting: string, leaf: LeafShape): Encoding {
  const family = leafFamily(name);
  const scales = Float32Array.from(
    { length: family.states(leaf) },
    (_, state) => Math.LOG2E * (family.stateScale?.(leaf, state) ?? 0),
  );
  return {
    kind: "own",
    key: `${name} ${JSON.stringify(leaf.settings[setting])}`,
    words(value) {
      const state = family.stateOf?.(leaf, value) as number;
      // Impossible values are mapped to the first state and made impossible there.
      return state < 0 ? [0, LOG_ZERO] : [state, scales[state] as number];
    },
  };
}
