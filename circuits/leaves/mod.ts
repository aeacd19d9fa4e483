/** The leaf families, one file each. */
import {
  type Circuit,
  type InputNode,
  type Node,
  type ParameterArray,
  parameterOf,
  statesOf,
  variableOf,
} from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireCircuit, requireObject } from "../guards.ts";
import * as families from "./families.ts";
import type { Leaf, LeafFamily, LeafShape } from "./family.ts";

export { MOST_COUNT } from "./counting.ts";
export type { JpcLeaf, Leaf, LeafFamily, LeafShape, StartColumn } from "./family.ts";
export * from "./families.ts";

/** Names of the built-in families; see {@link leafFamilies}. */
export type FamilyName = keyof typeof families;

/** The built-in families, by name. */
export const leafFamilies: Readonly<Record<FamilyName, LeafFamily>> = { ...families };

const known = new Map<string, LeafFamily>(Object.entries(leafFamilies));

/** Required methods of a family; the others are optional. */
const METHODS = [
  "states",
  "parameterShape",
  "checkSettings",
  "checkValues",
  "initialise",
  "logProbability",
  "statisticsWidth",
  "accumulate",
  "maximise",
  "accumulateExpected",
  "blend",
  "start",
  "perturb",
  "sample",
  "mode",
  "mean",
] as const satisfies readonly (keyof LeafFamily)[];

/**
 * Registers a custom family by name in this process. The builder, files, queries and learning then accept it, on the
 * reference evaluator and on the engine cpu. Other engines and exported graphs also need a `DeviceLeaf` for it.
 * @throws {CircuitError} when another family has its name, or it lacks a method
 */
export function registerLeafFamily(family: LeafFamily): void {
  requireObject("the leaf family", family, ["name"]);
  const { name } = family;
  if (typeof name !== "string" || !/^[a-zA-Z][\w-]*$/.test(name)) {
    throw new CircuitError("circuit/argument", `the name of a leaf family is ${JSON.stringify(name)}`, {
      hint: "A name begins with a letter and goes on with letters, digits, `_` and `-`.",
    });
  }
  const before = known.get(name);
  if (before === family) return;
  if (before !== undefined) {
    throw new CircuitError("circuit/argument", `there is already a leaf family \`${name}\``, {
      hint: "Give the new one another name: files tell families by it.",
    });
  }
  const missing = METHODS.filter((method) => typeof family[method] !== "function");
  if (missing.length > 0 || !Array.isArray(family.kinds)) {
    throw new CircuitError(
      "circuit/argument",
      `the leaf family \`${name}\` lacks ${
        [...missing, ...(Array.isArray(family.kinds) ? [] : ["kinds"])].join(", ")
      }`,
      { hint: "See `LeafFamily`; an object that spreads a family that is built in has all of them." },
    );
  }
  known.set(name, family);
}

/** Whether a family is built in. */
export function isBuiltIn(name: string): boolean {
  return Object.hasOwn(leafFamilies, name);
}

/** The family of this name. @throws {CircuitError} when there is none, listing those that exist. */
export function leafFamily(name: string): LeafFamily {
  const family = known.get(name);
  if (family === undefined) {
    throw new CircuitError("circuit/unknown-family", `there is no leaf family \`${name}\``, {
      hint: `The families are ${familyNames().join(", ")}.`,
    });
  }
  return family;
}

/** The family of this name, or undefined. */
export function findLeafFamily(name: string): LeafFamily | undefined {
  return known.get(name);
}

/** Names of all known families. */
export function familyNames(): readonly string[] {
  return [...known.keys()];
}

/** Whether a node is a leaf whose log-likelihoods are supplied with the samples. */
export function isExternal(node: Node | undefined): boolean {
  return node?.kind === "input" && known.get(node.family)?.external === true;
}

/** `[units]`: the state that holds all the mass of each unit, for families of deterministic leaves; otherwise undefined. */
export function certainStates(circuit: Circuit, node: InputNode): readonly number[] | undefined {
  return known.get(node.family)?.certain?.(shapeOf(circuit, node));
}

const NONE = new Float32Array(0);

/** An input node as its family sees it. */
export function leafOf(circuit: Circuit, node: InputNode): Leaf {
  return {
    ...shapeOf(circuit, node),
    values: node.parameter === undefined ? NONE : parameterOf(circuit, node.parameter).values,
  };
}

/** An input node without its values. */
export function shapeOf(circuit: Circuit, node: InputNode): LeafShape {
  return { variable: variableOf(circuit, node.variable), units: node.units, settings: node.settings };
}

/** Maps the values of a leaf to states; see {@link LeafFamily.stateOf}. */
export function statesOfValues(circuit: Circuit, node: InputNode): (value: number) => number {
  const family = leafFamily(node.family), shape = shapeOf(circuit, node);
  return family.stateOf === undefined
    ? (value) => value
    : (value) => family.stateOf?.(shape, value) as number;
}

/** `[units, states]`: the probability of each state of a categorical variable under each unit of a leaf. */
export function stateProbabilities(circuit: Circuit, node: InputNode): ParameterArray {
  requireCircuit(circuit);
  const family = leafFamily(node.family), leaf = leafOf(circuit, node);
  const states = statesOf(leaf.variable);
  if (family.rows && family.support === undefined) return leaf.values;
  return Float64Array.from(
    { length: leaf.units * states },
    (_, i) => Math.exp(family.logProbability(leaf, Math.floor(i / states), i % states)),
  );
}

/**
 * Number of states into which an input node's likelihood partitions the values of its variable; see
 * {@link LeafFamily.states}.
 */
export function leafStates(circuit: Circuit, node: InputNode): number {
  return leafFamily(node.family).states(shapeOf(circuit, node));
}
