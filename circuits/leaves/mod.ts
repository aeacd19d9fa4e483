/** The leaf families, one file each. */
import { type Circuit, type InputNode, parameterOf, variableOf } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { bernoulli } from "./bernoulli.ts";
import { categorical } from "./categorical.ts";
import { external } from "./external.ts";
import type { Leaf, LeafFamily } from "./family.ts";
import { gaussian } from "./gaussian.ts";
import { indicator } from "./indicator.ts";
import { logistic } from "./logistic.ts";

export type { Leaf, LeafFamily, LeafShape } from "./family.ts";
export { bernoulli, categorical, external, gaussian, indicator, logistic };

/** All families by name. */
export const leafFamilies: ReadonlyMap<string, LeafFamily> = new Map(
  [categorical, bernoulli, gaussian, logistic, indicator, external].map((family) => [family.name, family]),
);

/** The family of this name. @throws {CircuitError} when there is none, listing those that exist. */
export function leafFamily(name: string): LeafFamily {
  const family = leafFamilies.get(name);
  if (family === undefined) {
    throw new CircuitError(`There is no leaf family \`${name}\`.`, {
      hint: `The families are ${[...leafFamilies.keys()].join(", ")}.`,
    });
  }
  return family;
}

const NONE = new Float32Array(0);

/** An input node as its family sees it. */
export function leafOf(circuit: Circuit, node: InputNode): Leaf {
  return {
    variable: variableOf(circuit, node.variable),
    units: node.units,
    settings: node.settings,
    values: node.parameter === undefined ? NONE : parameterOf(circuit, node.parameter).values,
  };
}
