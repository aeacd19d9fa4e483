import { type Circuit, type InputNode, type ParameterArray, parameterOf } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { parameterOwners } from "../learner.ts";
import { leafFamily } from "../leaves/mod.ts";
import { requireCircuit } from "../guards.ts";

/**
 * Values of leaf parameters with a share `weight` of every row replaced by a base distribution: linear interpolation
 * (Jelinek and Mercer 1980), which keeps a state of a language model from ruling out words that it has not seen. Choose
 * the share on validation samples.
 *
 * @param bases `[states]` by parameter id, such as the result of `leafMarginals`
 * @throws {CircuitError} when the weight is no share, or a base does not fit
 */
export function mixedLeaves(
  circuit: Circuit,
  bases: ReadonlyMap<string, ArrayLike<number>>,
  weight: number,
): ReadonlyMap<string, ParameterArray> {
  requireCircuit(circuit);
  if (!(weight >= 0 && weight <= 1)) {
    throw new CircuitError("circuit/argument", `weight is ${weight}, expected a share from 0 to 1`);
  }
  const mixed = new Map<string, ParameterArray>();
  for (const [id, node] of parameterOwners(circuit)) {
    const base = bases.get(id);
    if (base !== undefined && node.kind === "input") {
      mixed.set(id, mixedRows(circuit, id, node, base, weight));
    }
  }
  return mixed;
}

function mixedRows(circuit: Circuit, id: string, node: InputNode, base: ArrayLike<number>, weight: number) {
  const { values: rows } = parameterOf(circuit, id);
  if (!leafFamily(node.family).rows) {
    throw new CircuitError(
      "learning/base",
      `parameter \`${id}\` is of ${node.family} leaves, which have no rows to mix`,
    );
  }
  if (base.length !== rows.length / node.units) {
    throw new CircuitError(
      "learning/base",
      `the base of parameter \`${id}\` has ${base.length} numbers, expected ${rows.length / node.units}`,
    );
  }
  return rows.map((p, i) => (1 - weight) * p + weight * base[i % base.length]!);
}
