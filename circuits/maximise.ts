import { type Circuit, type InputNode, type ParameterArray, parameterOf, type SumNode } from "./circuit.ts";
import { CircuitError } from "./errors.ts";
import type { Flows } from "./evaluator.ts";
import { requireCircuit, requireNumber } from "./guards.ts";
import { normaliseRows } from "./leaves/family.ts";
import { leafFamily, leafOf } from "./leaves/mod.ts";
import { countedSpreads } from "./spread.ts";
import { withParameters } from "./parameters.ts";

/**
 * The M-step: the parameters that maximise the expected log-likelihood of `flows`. If everything is observed and the
 * circuit is deterministic, the flows are counts and this is learning by counting.
 *
 * `pseudocount` virtual samples are added to every row of every sum node and to every unit of every leaf, shared equally
 * by the entries of a row (leaves: see {@link LeafFamily.maximise}). Without a pseudocount, rows without counts keep
 * their values. Sources: Dempster, Laird and Rubin 1977; for circuits, Peharz, Gens, Pernkopf and Domingos, "On the
 * Latent Variable Interpretation in Sum-Product Networks" (TPAMI 2016).
 * @throws {CircuitError} on a pseudocount that is none, or counts that make no distribution
 */
export function maximise(circuit: Circuit, flows: Flows, pseudocount = 0): Circuit {
  requireCircuit(circuit);
  requireNumber("the pseudocount", pseudocount, 0);
  const owners = new Map<string, InputNode | SumNode>();
  for (const node of circuit.nodes) {
    if (node.kind !== "product" && node.parameter !== undefined) owners.set(node.parameter, node);
  }
  const values = new Map<string, ParameterArray>();
  const spreads = countedSpreads(circuit, new Map(), flows.statistics);
  for (const [id, node] of owners) {
    const { shape, values: old } = parameterOf(circuit, id);
    if (node.kind === "sum") {
      const counts = flows.weights.get(id);
      requireCounts(id, counts, 0);
      if (counts !== undefined) values.set(id, normaliseRows(counts, old, shape[2] as number, pseudocount));
    } else {
      const statistics = flows.statistics.get(id);
      requireCounts(id, statistics, -Infinity);
      if (statistics === undefined) continue;
      values.set(
        id,
        leafFamily(node.family).maximise(leafOf(circuit, node), statistics, pseudocount, spreads.get(id)),
      );
    }
  }
  return withParameters(circuit, values);
}

/** Rejects counts that are below `least`, NaN or infinite. @throws {CircuitError} naming the parameter */
function requireCounts(id: string, counts: Float64Array | undefined, least: number): void {
  const bad = counts?.findIndex((n) => !(Number.isFinite(n) && n >= least)) ?? -1;
  if (bad < 0) return;
  throw new CircuitError(
    "learning/counts",
    `count ${bad} of parameter \`${id}\` is ${counts?.[bad]}, expected a finite number from 0`,
  );
}
