/**
 * The reference evaluator: one sample at a time, in float64, written for readability. Every engine is tested against it,
 * and it is tested against brute force over all assignments.
 */
import { promiseOf } from "../foundation/newer.ts";
import {
  type Circuit,
  type Node,
  type NodeId,
  nodeOf,
  type ParameterArray,
  parameterOf,
  rootUnits,
  unitsInto,
} from "./circuit.ts";
import { CircuitError } from "./errors.ts";
import type { Activations, Evaluator, Flows, Semiring } from "./evaluator.ts";
import { Evidence } from "./evidence.ts";
import { parameterOwners } from "./learner.ts";
import { leafFamily, leafOf } from "./leaves/mod.ts";
import { accumulateSoft, softLogProbability } from "./leaves/soft.ts";
import { checkSamples, checkSampleWeights, isObserved, type Samples, softOf } from "./samples.ts";
import { requireCircuit } from "./guards.ts";

/** Called for every sum edge of a sample: from unit `output` of sum node `node` to entry `at` of its weights. */
export type EdgeVisitor = (node: NodeId, output: number, at: number, flow: number) => void;

/**
 * Upward pass of sample `s`: natural logarithms of the units of every node, by node id. `sum`: likelihood of the observed
 * values and soft evidence. `max`: that of the best completion and choices.
 */
export function upward(
  circuit: Circuit,
  samples: Samples,
  s: number,
  semiring: Semiring = "sum",
): Float64Array[] {
  const logs: Float64Array[] = [];
  for (const node of circuit.nodes) {
    const out = new Float64Array(node.units);
    if (node.kind === "input") {
      const leaf = leafOf(circuit, node);
      const family = leafFamily(node.family);
      const observed = isObserved(samples, s, node.variable);
      const value = samples.values[s * samples.variables + node.variable] as number;
      const external = samples.externals?.get(node.variable), soft = softOf(samples, s, node.variable);
      for (let u = 0; u < node.units; u++) {
        if (soft !== undefined) out[u] = softLogProbability(family, leaf, u, soft, semiring);
        else if (observed && family.external) out[u] = external?.[s * node.units + u] as number;
        else if (observed) out[u] = family.logProbability(leaf, u, value);
        else out[u] = semiring === "sum" ? 0 : family.logProbability(leaf, u, family.mode(leaf, u));
      }
    } else if (node.kind === "product") {
      for (const child of node.children) {
        (logs[child] as Float64Array).forEach((x, u) => out[u] = (out[u] as number) + x);
      }
    } else {
      const combine = semiring === "sum" ? logSumExp : maximum;
      const inputs = concatenate(node.children, logs);
      forEachRow(circuit, node.id, (output, from, weights) => {
        out[output] = combine(Array.from(weights, (w, i) => Math.log(w) + (inputs[from + i] as number)));
      });
    }
    logs.push(out);
  }
  return logs;
}

/**
 * Downward pass of a sample: the flow of every unit, by node id, from the logarithms of the upward pass. The flow of a
 * unit or edge is the posterior probability that it took part in generating the sample. All flows of an impossible sample
 * are 0. The root must have one unit.
 */
export function downward(
  circuit: Circuit,
  logs: readonly Float64Array[],
  visit?: EdgeVisitor,
): Float64Array[] {
  const flows = circuit.nodes.map((node) => new Float64Array(node.units));
  const root = flows[circuit.root] as Float64Array;
  if ((logs[circuit.root]?.[0] as number) > -Infinity) root[0] = 1;
  for (let id = circuit.nodes.length - 1; id >= 0; id--) {
    const node = circuit.nodes[id] as Node;
    const flow = flows[id] as Float64Array;
    if (node.kind === "product") {
      for (const child of node.children) {
        const into = flows[child] as Float64Array;
        flow.forEach((f, u) => into[u] = (into[u] as number) + f);
      }
    } else if (node.kind === "sum") {
      const inputs = concatenate(node.children, logs);
      const inputFlows = new Float64Array(inputs.length);
      forEachRow(circuit, id, (output, from, weights, at) => {
        if (flow[output] === 0) return;
        // Subtract the largest input before adding log-weights: next to a logarithm of -1e17 they would be rounded away.
        const most = maximum(inputs.slice(from, from + weights.length));
        const terms = Array.from(weights, (w, i) => Math.log(w) + ((inputs[from + i] as number) - most));
        const total = logSumExp(terms);
        terms.forEach((term, i) => {
          const edge = (flow[output] as number) * Math.exp(term - total);
          inputFlows[from + i] = (inputFlows[from + i] as number) + edge;
          visit?.(id, output, at + i, edge);
        });
      });
      let offset = 0;
      for (const child of node.children) {
        const into = flows[child] as Float64Array;
        for (let u = 0; u < into.length; u++) {
          into[u] = (into[u] as number) + (inputFlows[offset++] as number);
        }
      }
    }
  }
  return flows;
}

/** The {@link Evaluator} built on {@link upward} and {@link downward}. */
export class ReferenceEvaluator implements Evaluator {
  /** The circuit that it evaluates. */
  readonly circuit: Circuit;

  /** A reference evaluator of `circuit`. */
  constructor(circuit: Circuit) {
    this.circuit = circuit;
  }

  /** See {@link Evaluator.logLikelihoods}. */
  logLikelihoods(samples: Samples): Promise<Float64Array> {
    return promiseOf(() => {
      checkSamples(this.circuit, samples);
      const units = rootUnits(this.circuit);
      const out = new Float64Array(samples.count * units);
      for (let s = 0; s < samples.count; s++) {
        out.set(upward(this.circuit, samples, s)[this.circuit.root] as Float64Array, s * units);
      }
      return out;
    });
  }

  /** See {@link Evaluator.activations}. */
  activations(samples: Samples, semiring: Semiring = "sum"): Promise<Activations> {
    return promiseOf(() => {
      checkSamples(this.circuit, samples);
      const values = this.circuit.nodes.map((node) => new Float64Array(samples.count * node.units));
      for (let s = 0; s < samples.count; s++) {
        upward(this.circuit, samples, s, semiring).forEach((logs, id) =>
          values[id]?.set(logs, s * logs.length)
        );
      }
      return { of: (node) => values[nodeOf(this.circuit, node).id] as Float64Array };
    });
  }

  /** See {@link Evaluator.leafFlows}. */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>> {
    return promiseOf(() => {
      checkSamples(this.circuit, samples);
      requireSingleRoot(this.circuit);
      const out = new Map(
        nodes.map((id) => [id, new Float64Array(samples.count * nodeOf(this.circuit, id).units)]),
      );
      for (let s = 0; s < samples.count; s++) {
        const flows = downward(this.circuit, upward(this.circuit, samples, s));
        for (const [id, array] of out) {
          array.set(flows[id] as Float64Array, s * nodeOf(this.circuit, id).units);
        }
      }
      return out;
    });
  }

  /** See {@link Evaluator.flows}. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return promiseOf(() => {
      const { circuit } = this;
      checkSamples(circuit, samples);
      checkSampleWeights(samples, sampleWeights);
      requireSingleRoot(circuit);
      const { weights, statistics } = emptyFlows(circuit);
      const logLikelihoods = new Float64Array(samples.count);
      const evidence = Evidence.of(circuit), seen = evidence.seen(samples);
      let impossible = 0;
      for (let s = 0; s < samples.count; s++) {
        const times = sampleWeights?.[s] ?? 1;
        const logs = upward(circuit, samples, s);
        const total = logLikelihoods[s] = logs[circuit.root]?.[0] as number;
        if (total === -Infinity) {
          impossible++;
          continue;
        }
        const flows = downward(circuit, logs, (id, _output, at, flow) => {
          if (seen?.[(evidence.scopeOf[id] as number) * samples.count + s] === 0) return;
          const node = circuit.nodes[id] as Node & { kind: "sum" };
          const counts = weights.get(node.parameter) as Float64Array;
          counts[at] = (counts[at] as number) + times * flow;
        });
        for (const node of circuit.nodes) {
          if (node.kind !== "input" || node.parameter === undefined) continue;
          if (!isObserved(samples, s, node.variable)) continue;
          const value = samples.values[s * samples.variables + node.variable] as number;
          const leaf = leafOf(circuit, node), family = leafFamily(node.family);
          const soft = softOf(samples, s, node.variable);
          const own = statistics.get(node.parameter) as Float64Array;
          flows[node.id]?.forEach((flow, u) => {
            if (!(flow > 0)) return;
            if (soft !== undefined) accumulateSoft(family, leaf, u, soft, times * flow, own);
            else family.accumulate(leaf, u, value, times * flow, own);
          });
        }
      }
      return { logLikelihoods, weights, statistics, impossible };
    });
  }
}

/** Zeroed accumulators for {@link Flows}, by parameter id, in the right shapes. */
export function emptyFlows(
  circuit: Circuit,
): { weights: Map<string, Float64Array>; statistics: Map<string, Float64Array> } {
  requireCircuit(circuit);
  const weights = new Map<string, Float64Array>(), statistics = new Map<string, Float64Array>();
  for (const [id, node] of parameterOwners(circuit)) {
    if (node.kind === "sum") weights.set(id, new Float64Array(parameterOf(circuit, id).values.length));
    else {
      const width = leafFamily(node.family).statisticsWidth(leafOf(circuit, node));
      statistics.set(id, new Float64Array(node.units * width));
    }
  }
  return { weights, statistics };
}

/**
 * Rejects a circuit whose root is a vector.
 * @throws {CircuitError} when the root has more than one unit, for which flows and samples have no single
 *   meaning
 */
export function requireSingleRoot(circuit: Circuit): void {
  requireCircuit(circuit);
  const units = rootUnits(circuit);
  if (units !== 1) {
    throw new CircuitError(
      "circuit/units",
      `the root has ${units} units; this needs a circuit with a root of 1 unit`,
      { hint: "Mix the units first: `mixtureOfUnits(circuit)`." },
    );
  }
}

/** log(sum(exp(x))) without overflow or underflow; -Infinity if all inputs are -Infinity. */
export function logSumExp(logs: ArrayLike<number>): number {
  const most = maximum(logs);
  // Also covers +Infinity, the density of a degenerate leaf, where the difference below would be NaN.
  if (!Number.isFinite(most)) return most;
  let total = 0;
  for (let i = 0; i < logs.length; i++) total += Math.exp((logs[i] as number) - most);
  return most + Math.log(total);
}

function maximum(logs: ArrayLike<number>): number {
  let most = -Infinity;
  for (let i = 0; i < logs.length; i++) most = Math.max(most, logs[i] as number);
  return most;
}

function concatenate(children: readonly NodeId[], logs: readonly Float64Array[]): number[] {
  return children.flatMap((child) => Array.from(logs[child] as Float64Array));
}

/**
 * Calls `visit(output, from, weights, at)` for each output unit of sum node `id`: its row of weights, the
 * position `from` of the row's first input in the concatenated children, and the row's offset `at`.
 */
function forEachRow(
  circuit: Circuit,
  id: NodeId,
  visit: (output: number, from: number, weights: ParameterArray, at: number) => void,
): void {
  const node = circuit.nodes[id];
  if (node?.kind !== "sum") return;
  const width = unitsInto(circuit, node) / node.groups;
  const height = node.units / node.groups;
  const { values } = parameterOf(circuit, node.parameter);
  for (let output = 0; output < node.units; output++) {
    const at = output * width;
    visit(output, Math.floor(output / height) * width, values.subarray(at, at + width), at);
  }
}
