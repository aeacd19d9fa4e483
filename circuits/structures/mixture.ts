import { CircuitBuilder } from "../builder.ts";
import { type Circuit, rootUnits, type Variable } from "../circuit.ts";
import { copyInto } from "../copy.ts";
import { CircuitError } from "../errors.ts";
import type { NestedNumbers } from "../nested.ts";
import { addLeaf, started, type StructureOptions } from "./leaf.ts";
import { requireCircuit, requireList, requireObject } from "../guards.ts";

/** Options of {@link naiveMixture}. */
export interface NaiveMixtureOptions extends StructureOptions {
  /** Number of components. */
  readonly components: number;
}

/**
 * A mixture of fully factorised distributions, also called naive Bayes with a hidden class. Sum node `z` sums out the
 * component; its parameter `z` is `[1, 1, components]`.
 */
export function naiveMixture(variables: readonly Variable[], options: NaiveMixtureOptions): Circuit {
  requireList("the variables", variables);
  requireObject("the options of `naiveMixture`", options);
  const b = new CircuitBuilder({ seed: options.seed ?? 0 });
  for (const variable of variables) b.variable(variable);
  const leaves = variables.map((variable, v) => addLeaf(b, variable, v, options.components, options));
  return started(b.build(b.sum([b.product(leaves)], { units: 1, id: "z", name: "z" })), options);
}

/**
 * A mixture of circuits over the same variables. Parameters of circuit `i` get the prefix `c<i>/`; sum node `mixture` has
 * the parameter `mixture`, `[1, 1, units of all roots]`.
 *
 * @param weights one for each unit of each root, summing to one; equal if omitted
 * @throws {CircuitError} when the circuits are not over the same variables
 */
export function mixture(circuits: readonly Circuit[], weights?: NestedNumbers): Circuit {
  requireList("the circuits", circuits);
  const [first] = circuits;
  if (first === undefined) throw new CircuitError("circuit/argument", "a mixture needs at least one circuit");
  const b = new CircuitBuilder();
  const variables = first.variables.map((variable) => b.variable(variable));
  const roots = circuits.map((circuit, i) => {
    const v = first.variables.findIndex((variable, v) => !sameVariable(variable, circuit.variables[v]));
    if (v >= 0 || circuit.variables.length !== variables.length) {
      throw new CircuitError(
        "structure/other-variables",
        `circuit ${i} of the mixture is not over the variables of circuit 0: variable ${
          v < 0 ? variables.length : v
        } differs`,
      );
    }
    return copyInto(b, circuit, { variables, prefix: `c${i}` });
  });
  const into = roots.reduce((total, root) => total + b.units(root), 0);
  return b.build(b.sum(roots, {
    units: 1,
    id: "mixture",
    name: "mixture",
    weights: weights ?? new Float32Array(into).fill(1 / into),
  }));
}

/** Mixes the units of a circuit with a vector root into one distribution: adds a sum node `mixture` above it. */
export function mixtureOfUnits(circuit: Circuit, weights?: NestedNumbers): Circuit {
  requireCircuit(circuit);
  const units = rootUnits(circuit);
  const b = new CircuitBuilder();
  const variables = circuit.variables.map((variable) => b.variable(variable));
  const root = copyInto(b, circuit, { variables });
  return b.build(b.sum([root], {
    units: 1,
    id: "mixture",
    name: "mixture",
    weights: weights ?? new Float32Array(units).fill(1 / units),
  }));
}

/** Whether two variables hold the same kind of value; names may differ. */
export function sameVariable(a: Variable, b: Variable | undefined): boolean {
  return a.kind === b?.kind &&
    (a.kind !== "categorical" || b.kind !== "categorical" || a.states === b.states);
}
