import {
  type Circuit,
  downward,
  type NodeId,
  parameterOf,
  ReferenceEvaluator,
  rootUnits,
  type Samples,
  takeSamples,
  upward,
} from "../../circuits/mod.ts";
import type { DeviceSession } from "./session.ts";

/** Log-likelihoods `[samples, units of the root]`; overwrites those of the samples in `far` with exact ones. */
export function exactLikelihoods(
  circuit: Circuit,
  samples: Samples,
  far: readonly number[],
  logs: Float64Array,
): Float64Array {
  const units = rootUnits(circuit);
  for (const s of far) logs.set(upward(circuit, samples, s)[circuit.root] as Float64Array, s * units);
  return logs;
}

/** Log-values of all nodes, `[samples, units]` by node id; overwrites those of the samples in `far` with exact ones. */
export function exactActivations(
  circuit: Circuit,
  samples: Samples,
  far: readonly number[],
  semiring: "sum" | "max",
  values: readonly Float64Array[],
): void {
  for (const s of far) {
    upward(circuit, samples, s, semiring).forEach((logs, id) => values[id]?.set(logs, s * logs.length));
  }
}

/** Flows of nodes, `[samples, units]`; overwrites those of the samples in `far` with exact ones. */
export function exactFlows(
  circuit: Circuit,
  samples: Samples,
  far: readonly number[],
  flows: ReadonlyMap<NodeId, Float64Array>,
): void {
  for (const s of far) {
    const exact = downward(circuit, upward(circuit, samples, s));
    for (const [id, all] of flows) {
      const own = exact[id] as Float64Array;
      all.set(own, s * own.length);
    }
  }
}

/** Sample weights with zeros for the samples in `far`, so that the device omits them. */
export function weightsWithout(
  samples: Samples,
  weights: ArrayLike<number> | undefined,
  far: readonly number[],
): ArrayLike<number> | undefined {
  if (far.length === 0) return weights;
  const left = Float64Array.from({ length: samples.count }, (_, s) => weights?.[s] ?? 1);
  for (const s of far) left[s] = 0;
  return left;
}

/** Adds the exact expected counts of the samples in `far` to those of the device. */
export async function countExactly(
  session: DeviceSession,
  circuit: Circuit,
  samples: Samples,
  weights: ArrayLike<number> | undefined,
  far: readonly number[],
): Promise<void> {
  if (far.length === 0) return;
  const own = weights && Float64Array.from(far, (s) => weights[s] as number);
  const flows = await new ReferenceEvaluator(circuit).flows(takeSamples(samples, far), own);
  const pages = await session.resident.counts(), single = (length: number) => new Float32Array(length);
  const counts = session.resident.store.weightCounts(pages.weights, single);
  const statistics = session.resident.store.statistics(pages.statistics, single);
  const add = (into: Float32Array, more: ArrayLike<number>) => {
    for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (more[i] as number);
  };
  for (const [id, into] of counts) add(into, flows.weights.get(id) as Float64Array);
  for (const [id, into] of statistics) {
    const more = flows.statistics.get(id) as Float64Array, parameter = parameterOf(circuit, id).values;
    add(into, session.resident.store.momentsOf(id)?.toDevice(more, parameter) ?? more);
  }
  await session.resident.setCounts(counts, statistics);
}
