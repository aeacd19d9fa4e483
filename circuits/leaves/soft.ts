import type { RandomStream } from "../random.ts";
import type { StateWeights } from "../soft.ts";
import type { Leaf, LeafFamily } from "./family.ts";

/** Joint log-likelihoods `log lambda(x) p(x)` of soft evidence and each of its states under unit `unit`. */
function jointLogs(
  family: LeafFamily,
  leaf: Leaf,
  unit: number,
  { states, weights }: StateWeights,
): Float64Array {
  return Float64Array.from(
    states,
    (x, i) => Math.log(weights[i] as number) + family.logProbability(leaf, unit, x),
  );
}

/**
 * Log-likelihood of soft evidence under unit `unit` of a leaf over states: summed over the states for `sum`, of the best
 * state for `max`. -Infinity if no state is possible.
 */
export function softLogProbability(
  family: LeafFamily,
  leaf: Leaf,
  unit: number,
  evidence: StateWeights,
  semiring: "sum" | "max" = "sum",
): number {
  const logs = jointLogs(family, leaf, unit, evidence);
  const most = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  if (semiring === "max" || most === -Infinity) return most;
  return most + Math.log(logs.reduce((total, log) => total + Math.exp(log - most), 0));
}

/** Posterior probabilities of the states of soft evidence under unit `unit`, in evidence order; zeros if none is possible. */
export function softPosterior(
  family: LeafFamily,
  leaf: Leaf,
  unit: number,
  evidence: StateWeights,
): Float64Array {
  const logs = jointLogs(family, leaf, unit, evidence);
  const most = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  if (most === -Infinity) return logs.fill(0);
  const shares = logs.map((log) => Math.exp(log - most));
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / total);
}

/** Adds `flow` times the expected statistics of unit `unit` given soft evidence; see {@link LeafFamily.accumulate}. */
export function accumulateSoft(
  family: LeafFamily,
  leaf: Leaf,
  unit: number,
  evidence: StateWeights,
  flow: number,
  statistics: Float64Array,
): void {
  softPosterior(family, leaf, unit, evidence).forEach((share, i) => {
    if (share > 0) family.accumulate(leaf, unit, evidence.states[i] as number, flow * share, statistics);
  });
}

/** A state drawn from unit `unit` given soft evidence. */
export function sampleSoft(
  family: LeafFamily,
  leaf: Leaf,
  unit: number,
  evidence: StateWeights,
  random: RandomStream,
): number {
  return evidence.states[random.choose(softPosterior(family, leaf, unit, evidence))] as number;
}

/** The most probable state of unit `unit` given soft evidence; ties go to the smallest. */
export function softMode(family: LeafFamily, leaf: Leaf, unit: number, evidence: StateWeights): number {
  const logs = jointLogs(family, leaf, unit, evidence);
  let best = 0;
  for (let i = 1; i < logs.length; i++) {
    const log = logs[i] as number, most = logs[best] as number;
    const smaller = (evidence.states[i] as number) < (evidence.states[best] as number);
    if (log > most || (log === most && smaller)) best = i;
  }
  return evidence.states[best] as number;
}
