import { type LeafFamily, type LeafShape, statesOf } from "./family.ts";

/**
 * All mass on one state. No parameter; the setting `values` holds the state of each unit, `[units]`. Used for
 * materialised latent variables and logical formats (`.psdd`, `.jpc`).
 */
export const indicator: LeafFamily = {
  name: "indicator",
  kinds: ["categorical"],
  states: (leaf) => statesOf(leaf.variable),
  certain: statesOfUnits,
  parameterShape: () => undefined,
  checkSettings(leaf) {
    const values = leaf.settings["values"];
    const states = statesOf(leaf.variable);
    if (!Array.isArray(values) || values.length !== leaf.units) {
      return `setting \`values\` must list the state of each of the ${leaf.units} units`;
    }
    const bad = values.findIndex((k) => !(Number.isInteger(k) && k >= 0 && k < states));
    return bad < 0
      ? undefined
      : `the state of unit ${bad} is ${values[bad]}, expected a whole number from 0 to ${states - 1}`;
  },
  checkValues: () => undefined,
  initialise: () => new Float32Array(0),
  logProbability: (leaf, unit, value) => value === stateOf(leaf, unit) ? 0 : -Infinity,
  statisticsWidth: () => 0,
  accumulate: () => {},
  maximise: (leaf) => leaf.values,
  accumulateExpected: () => {},
  blend: (leaf) => leaf.values,
  start: (leaf) => leaf.values,
  perturb: (leaf) => leaf.values,
  // The line does not tell the number of states.
  jpc: (leaf, unit) => ({ kind: "I", words: [stateOf(leaf, unit)], states: 0 }),
  sample: stateOf,
  mode: stateOf,
  mean: stateOf,
};

function statesOfUnits(leaf: LeafShape): readonly number[] {
  return leaf.settings["values"] as readonly number[];
}

function stateOf(leaf: LeafShape, unit: number): number {
  return statesOfUnits(leaf)[unit] as number;
}
