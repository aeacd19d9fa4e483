import { CircuitBuilder } from "./builder.ts";
import {
  type Circuit,
  describeNode,
  describeVariable,
  type NodeId,
  rootUnits,
  variableOf,
} from "./circuit.ts";
import { copyInto } from "./copy.ts";
import { CircuitError } from "./errors.ts";
import { certainStates, isExternal, leafFamily, stateProbabilities } from "./leaves/mod.ts";
import { requireCircuit } from "./guards.ts";

/** Options of {@link substitute}. */
export interface SubstituteOptions {
  /** Prefix of the inner circuit's parameters; the name of the replaced variable if omitted. */
  readonly prefix?: string;
}

/** What {@link substitute} returns. */
export interface Substitution {
  /** The composed circuit. */
  readonly circuit: Circuit;
  /** For every variable of the outer circuit, its new index; -1 for the replaced one. */
  readonly outer: readonly number[];
  /** For every variable of the inner circuit, its new index: they take the place of the replaced variable. */
  readonly inner: readonly number[];
}

/**
 * Composition: replaces the variable `variable` of `outer` by the circuit `inner`, whose root has one unit for each state
 * `k` of the variable, representing `p(inner variables | k)`.
 * - an external leaf becomes `inner` itself (with as many units as the leaf);
 * - an indicator leaf becomes the units of its states;
 * - a categorical or Bernoulli leaf becomes a sum over `inner` with the leaf's probabilities, tied as the
 *   leaf was.
 *
 * Thus a circuit over latent variables and one circuit per patch make one circuit over all pixels.
 * @throws {CircuitError} when the units do not fit, or the leaf has another family
 */
export function substitute(
  outer: Circuit,
  variable: number,
  inner: Circuit,
  options: SubstituteOptions = {},
): Substitution {
  requireCircuit(outer);
  const replaced = variableOf(outer, variable);
  const { prefix = replaced.name } = options;
  const units = rootUnits(inner);
  const fits = replaced.kind === "categorical" ? replaced.states === units : replaced.kind === "external";
  if (!fits) {
    throw new CircuitError(
      "circuit/units",
      `${describeVariable(outer, variable)} is ${replaced.kind}${
        replaced.kind === "categorical" ? ` with ${replaced.states} states` : ""
      }, so a circuit with ${units} root units cannot take its place`,
    );
  }
  const b = new CircuitBuilder();
  const outerIndex: number[] = [];
  let innerIndex: number[] = [];
  outer.variables.forEach((described, v) => {
    if (v === variable) {
      innerIndex = inner.variables.map((x) => b.variable(x));
      outerIndex.push(-1);
    } else outerIndex.push(b.variable(described));
  });
  let innerRoot: NodeId | undefined;
  const ties = new Map<string, string>();
  const root = copyInto(b, outer, {
    variables: outerIndex,
    replace(node) {
      if (node.kind !== "input" || node.variable !== variable) return undefined;
      innerRoot ??= copyInto(b, inner, { variables: innerIndex, prefix });
      if (isExternal(node)) {
        if (node.units !== units) {
          throw new CircuitError(
            "circuit/units",
            `${describeNode(node)} has ${node.units} units; the circuit that replaces it has ${units}`,
          );
        }
        return innerRoot;
      }
      const states = certainStates(outer, node);
      if (states !== undefined) {
        if (states.length === units && states.every((k, u) => k === u)) return innerRoot;
        const rows = Float32Array.from(
          { length: states.length * units },
          (_, i) => states[Math.floor(i / units)] === i % units ? 1 : 0,
        );
        return b.sum([innerRoot], { units: node.units, weights: rows });
      }
      if (node.parameter === undefined || !leafFamily(node.family).rows) {
        throw new CircuitError(
          "circuit/not-replaceable",
          `${describeNode(node)} is a ${node.family} leaf: there is no rule to put a circuit in its place`,
        );
      }
      // The leaf may share its parameter with leaves that stay and need another shape, so sums use a copy.
      const before = ties.get(node.parameter);
      const id = before ?? `${node.parameter}/${prefix}`;
      ties.set(node.parameter, id);
      const weights = before ?? stateProbabilities(outer, node).slice();
      return b.sum([innerRoot], { units: node.units, weights, id });
    },
  });
  return { circuit: b.build(root), outer: outerIndex, inner: innerIndex };
}
