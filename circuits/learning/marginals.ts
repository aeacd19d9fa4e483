import { getOrMake } from "../../foundation/newer.ts";
import type { Circuit, InputNode } from "../circuit.ts";
import { rowWidth } from "../learner.ts";
import { leafFamily, statesOfValues } from "../leaves/mod.ts";
import { isObserved, softOf } from "../samples.ts";
import { ascending, batchCount, batchOf, readBatch, type SampleSource } from "./source.ts";
import { requireCircuit, requireObject } from "../guards.ts";

/**
 * State frequencies for every leaf parameter that is a distribution over states: `[states]` by id, pooled over all
 * variables whose leaves use the parameter (the unigram, for the emission of a homogeneous HMM). Useful as smoothing
 * distributions for leaves; see `base` of `ParameterSettings`. Soft evidence counts for its states in proportion to their
 * weights. Every state gets one extra virtual sample, so that none is impossible.
 */
export async function leafMarginals(
  circuit: Circuit,
  source: SampleSource,
  batchSize = 1024,
): Promise<ReadonlyMap<string, Float64Array>> {
  requireCircuit(circuit);
  requireObject("the source of samples", source, ["count"]);
  const totals = new Map<string, Float64Array>();
  /** A variable counts once per parameter, however many of its leaves use that parameter. */
  const uses = new Map<string, { variables: Set<number>; stateOf: (value: number) => number }>();
  for (const node of circuit.nodes) {
    if (node.kind !== "input" || !isRows(node)) continue;
    getOrMake(uses, node.parameter, () => ({
      variables: new Set(),
      stateOf: statesOfValues(circuit, node),
    })).variables.add(node.variable);
    getOrMake(
      totals,
      node.parameter,
      () => new Float64Array(rowWidth(circuit, node.parameter, node)).fill(1),
    );
  }
  const order = ascending(source.count);
  for (let b = 0; b < batchCount(source.count, batchSize); b++) {
    const { samples, weights } = await readBatch(source, batchOf(order, b, batchSize));
    for (const [id, { variables, stateOf }] of uses) {
      const counts = totals.get(id) as Float64Array;
      for (const v of variables) {
        for (let s = 0; s < samples.count; s++) {
          if (!isObserved(samples, s, v)) continue;
          const times = weights?.[s] ?? 1, soft = softOf(samples, s, v);
          if (soft === undefined) {
            const state = stateOf(samples.values[s * samples.variables + v] as number);
            if (state >= 0) counts[state] = (counts[state] as number) + times;
            continue;
          }
          const all = soft.weights.reduce((a, b) => a + b, 0);
          soft.states.forEach((value, i) => {
            const state = stateOf(value);
            if (state < 0) return;
            counts[state] = (counts[state] as number) + times * (soft.weights[i] as number) / all;
          });
        }
      }
    }
  }
  for (const counts of totals.values()) {
    const total = counts.reduce((a, b) => a + b, 0);
    for (let k = 0; k < counts.length; k++) counts[k] = (counts[k] as number) / total;
  }
  return totals;
}

function isRows(node: InputNode): node is InputNode & { parameter: string } {
  return node.parameter !== undefined && leafFamily(node.family).rows === true;
}
