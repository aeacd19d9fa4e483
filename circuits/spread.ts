import type { Circuit, InputNode, ParameterArray } from "./circuit.ts";
import { leafFamily, leafOf } from "./leaves/mod.ts";
import { requireCircuit } from "./guards.ts";

/** Real variables whose leaves share parameters, directly or indirectly: columns in the same unit of measurement. */
export interface RealColumns {
  /** Indices of the variables. */
  readonly variables: readonly number[];
  /** Ids of the parameters, each with a leaf that uses it. */
  readonly leaves: ReadonlyMap<string, InputNode>;
}

/**
 * Real variables whose leaves learn from the spread of their column ({@link LeafFamily.spreadOf}), grouped by shared
 * parameters: a homogeneous sequence model has one group.
 */
export function realColumns(circuit: Circuit): RealColumns[] {
  type Group = { variables: Set<number>; leaves: Map<string, InputNode> };
  const ofVariable = new Map<number, Group>(), ofParameter = new Map<string, Group>();
  for (const node of circuit.nodes) {
    if (node.kind !== "input" || node.parameter === undefined) continue;
    if (leafFamily(node.family).spreadOf === undefined) continue;
    const { variable, parameter } = node;
    const one = ofVariable.get(variable), other = ofParameter.get(parameter);
    const group = one ?? other ?? { variables: new Set<number>(), leaves: new Map<string, InputNode>() };
    if (other !== undefined && other !== group) {
      for (const v of other.variables) ofVariable.set(v, group).get(v)?.variables.add(v);
      for (const [id, leaf] of other.leaves) ofParameter.set(id, group).get(id)?.leaves.set(id, leaf);
    }
    group.variables.add(variable);
    if (!group.leaves.has(parameter)) group.leaves.set(parameter, node);
    ofVariable.set(variable, group);
    ofParameter.set(parameter, group);
  }
  return [...new Set(ofVariable.values())].map(({ variables, leaves }) => ({
    variables: [...variables],
    leaves,
  }));
}

/**
 * Standard deviation of all values counted in the statistics of a column, by id of the leaf parameters; the minimum
 * standard deviation of a unit is relative to it. See {@link LeafFamily.spreadOf} for `rounding`.
 */
export function countedSpreads(
  circuit: Circuit,
  values: ReadonlyMap<string, ParameterArray>,
  statistics: ReadonlyMap<string, ArrayLike<number>>,
  rounding?: number,
): Map<string, number> {
  requireCircuit(circuit);
  const spreads = new Map<string, number>();
  for (const { leaves } of realColumns(circuit)) {
    const parts = [...leaves].flatMap(([id, node]) => {
      const counts = statistics.get(id), own = values.get(id);
      if (counts === undefined) return [];
      const leaf = leafOf(circuit, node);
      return [{ leaf: own === undefined ? leaf : { ...leaf, values: own }, statistics: counts }];
    });
    const [first] = leaves.values() as Iterable<InputNode>;
    const spread = leafFamily((first as InputNode).family).spreadOf?.(parts, rounding) ?? 0;
    for (const id of leaves.keys()) spreads.set(id, spread);
  }
  return spreads;
}
