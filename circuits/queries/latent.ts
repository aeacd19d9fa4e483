import { getOrMake } from "../../foundation/newer.ts";
import {
  childrenOf,
  type Circuit,
  describeNode,
  type InputNode,
  type Node,
  type NodeId,
  nodeNamed,
  nodeOf,
  parameterOf,
  type SumNode,
  unitsInto,
} from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import type { Evaluator } from "../evaluator.ts";
import { downward, requireSingleRoot } from "../reference.ts";
import type { Samples } from "../samples.ts";
import { inBatches } from "./batches.ts";
import { refuseImpossible } from "./sampling.ts";
import { requireEvaluator, requireSamples } from "../guards.ts";

/** A latent variable: the sum node that sums it out, by id or by name, such as `z3` of a hidden Markov model. */
export type Latent = NodeId | string;

/**
 * The posterior of latent variables given the observed values of a sample, each separately: `[samples, states]`, where
 * state `k` is the `k`-th unit of the concatenated children of the sum node (for a hidden Markov model the hidden state
 * at a position, as computed by the forward-backward algorithm: Rabiner 1989). A row sums to the probability that the
 * sample passes the node, which is 1 except below sums that mix other nodes with it; zero for impossible samples.
 *
 * @param latent one, or several, whose distributions are returned by latent
 * @throws {CircuitError} when there is no such sum node
 */
export async function posterior(
  evaluator: Evaluator,
  samples: Samples,
  latent: Latent,
): Promise<Float64Array>;
/** The same for several latent variables, each separately, in one pass over the samples. */
export async function posterior<L extends Latent>(
  evaluator: Evaluator,
  samples: Samples,
  latent: readonly L[],
): Promise<ReadonlyMap<L, Float64Array>>;
export async function posterior(
  evaluator: Evaluator,
  samples: Samples,
  latent: Latent | readonly Latent[],
): Promise<Float64Array | ReadonlyMap<Latent, Float64Array>> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  const { circuit } = evaluator;
  requireSingleRoot(circuit);
  const latents = typeof latent === "object" ? latent : [latent];
  const out = new Map(latents.map((one) => {
    const node = sumOf(circuit, one);
    return [one, { node, rows: new Float64Array(samples.count * unitsInto(circuit, node)) }];
  }));
  const parents = parentsOf(circuit), asked = [...out.values()];
  const leaves = asked.map(({ node }) => leavesThatTell(circuit, node, parents));
  const quick = leaves.flatMap((list) => list ?? []);
  await inBatches(circuit, samples, async (batch, first) => {
    const flows = quick.length > 0
      ? await evaluator.leafFlows(batch, quick.map(({ id }) => id))
      : new Map<NodeId, Float64Array>();
    asked.forEach(({ node, rows }, i) => {
      const width = unitsInto(circuit, node);
      let offset = 0;
      for (const { id, units } of leaves[i] ?? []) {
        const flow = flows.get(id) as Float64Array;
        for (let s = 0; s < batch.count; s++) {
          rows.set(flow.subarray(s * units, (s + 1) * units), (first + s) * width + offset);
        }
        offset += units;
      }
    });
    const rest = new Map(
      asked.filter((_, i) => leaves[i] === undefined).map(({ node, rows }) => [node.id, rows]),
    );
    if (rest.size > 0) await byEdges(evaluator, batch, first, rest);
  });
  return typeof latent === "object"
    ? new Map([...out].map(([one, { rows }]) => [one, rows]))
    : (asked[0] as { rows: Float64Array }).rows;
}

/** If no leaves distinguish the states: from the flow of every edge. */
async function byEdges(
  evaluator: Evaluator,
  batch: Samples,
  first: number,
  wanted: ReadonlyMap<NodeId, Float64Array>,
): Promise<void> {
  const { circuit } = evaluator;
  const activations = await evaluator.activations(batch);
  const values = circuit.nodes.map(({ id }) => activations.of(id));
  for (let s = 0; s < batch.count; s++) {
    const logs = circuit.nodes.map(({ id, units }) =>
      Float64Array.from((values[id] as Float64Array).subarray(s * units, (s + 1) * units))
    );
    downward(circuit, logs, (id, output, at, flow) => {
      const rows = wanted.get(id);
      if (rows === undefined) return;
      const node = circuit.nodes[id] as SumNode, into = unitsInto(circuit, node);
      const width = into / node.groups, height = node.units / node.groups;
      const state = Math.floor(output / height) * width + at % width, to = (first + s) * into + state;
      rows[to] = (rows[to] as number) + flow;
    });
  }
}

function sumOf(circuit: Circuit, latent: Latent): SumNode {
  const node = nodeOf(circuit, typeof latent === "string" ? nodeNamed(circuit, latent) : latent);
  if (node.kind === "sum") return node;
  throw new CircuitError(
    "circuit/no-latent",
    `${describeNode(node)} is not a sum node: it has no latent variable`,
    { hint: "The latent variables of structures are named: `z0`, `z1`, ..." },
  );
}

/** By node: the number of its parents. */
function parentsOf(circuit: Circuit): Int32Array {
  const parents = new Int32Array(circuit.nodes.length);
  for (const node of circuit.nodes) {
    for (const child of childrenOf(node)) parents[child] = (parents[child] as number) + 1;
  }
  return parents;
}

/** For every child of a sum, a leaf that receives exactly the child's flow, if there are such leaves. */
function leavesThatTell(circuit: Circuit, sum: SumNode, parents: Int32Array): InputNode[] | undefined {
  const leafOf = (id: NodeId): InputNode | undefined => {
    const node = circuit.nodes[id] as Node;
    if (parents[id] !== 1 || node.kind === "sum") return undefined;
    if (node.kind === "input") return node;
    for (const child of node.children) {
      const leaf = leafOf(child);
      if (leaf !== undefined) return leaf;
    }
    return undefined;
  };
  const leaves = sum.children.map(leafOf);
  return leaves.every((leaf) => leaf !== undefined) ? leaves : undefined;
}

/** Result of {@link viterbi}. */
export interface StatePaths {
  /** The sum nodes whose latent variables have a state, from the root down: `z0`, `z1`, ... for a hidden Markov model. */
  readonly latents: readonly NodeId[];
  /** `[samples, latents]`: the state of each, an input unit of its sum node; -1 if the best path does not pass it. */
  readonly states: Int32Array;
  /** `[samples]`: joint log-likelihood of the observed values and these states, in nats. */
  readonly logValues: Float64Array;
}

/**
 * The most probable joint states of all latent variables given the observed values, with missing ones summed out (Viterbi
 * 1967; for circuits, max-product with observed leaves, Poon and Domingos 2011). Exact for every circuit, since all
 * latent variables are maximised over. Ties go to the path through the first inputs.
 * @throws {CircuitError} when what is observed in a sample is impossible, naming the sample
 */
export async function viterbi(evaluator: Evaluator, samples: Samples): Promise<StatePaths> {
  requireEvaluator(evaluator);
  requireSamples(samples);
  const { circuit } = evaluator;
  requireSingleRoot(circuit);
  const leaves = circuit.nodes.filter((node) => node.kind === "input");
  const sums = circuit.nodes.filter((node) => node.kind === "sum").toReversed();
  const column = new Map(sums.map(({ id }, i) => [id, i]));
  const states = new Int32Array(samples.count * sums.length).fill(-1);
  const logValues = new Float64Array(samples.count);
  const pass = new BestPaths(circuit);
  await inBatches(circuit, samples, async (batch, first) => {
    const activations = await evaluator.activations(batch);
    const values = leaves.map(({ id }) => activations.of(id));
    for (let s = 0; s < batch.count; s++) {
      leaves.forEach(({ id, units }, i) => {
        pass.logs[id]?.set((values[i] as Float64Array).subarray(s * units, (s + 1) * units));
      });
      const log = logValues[first + s] = pass.up();
      refuseImpossible(log, first + s);
      pass.down((sum, state) => states[(first + s) * sums.length + (column.get(sum) as number)] = state);
    }
  });
  return { latents: sums.map(({ id }) => id), states, logValues };
}

/** The best paths, one sample at a time. */
class BestPaths {
  /** By node: log-values of the best paths below its units; those of leaves are set by the caller. */
  readonly logs: readonly Float64Array[];
  /** By sum node: the best input of every unit. */
  readonly #best: ReadonlyMap<NodeId, Int32Array>;
  /** By parameter: logarithms of the weights. */
  readonly #weights = new Map<string, Float64Array>();
  readonly #circuit: Circuit;
  readonly #inputs: Float64Array;

  constructor(circuit: Circuit) {
    const sums = circuit.nodes.filter((node) => node.kind === "sum");
    this.#circuit = circuit;
    this.logs = circuit.nodes.map(({ units }) => new Float64Array(units));
    this.#best = new Map(sums.map(({ id, units }) => [id, new Int32Array(units)]));
    for (const { parameter } of sums) {
      getOrMake(
        this.#weights,
        parameter,
        () => Float64Array.from(parameterOf(circuit, parameter).values, Math.log),
      );
    }
    this.#inputs = new Float64Array(sums.reduce((most, node) => Math.max(most, unitsInto(circuit, node)), 0));
  }

  /** Fills in all nodes above the leaves; returns the log-value of the best path. */
  up(): number {
    const { nodes, root } = this.#circuit;
    for (const node of nodes) {
      if (node.kind === "sum") this.#sum(node);
      if (node.kind !== "product") continue;
      const out = (this.logs[node.id] as Float64Array).fill(0);
      for (const child of node.children) {
        const logs = this.logs[child] as Float64Array;
        for (let u = 0; u < out.length; u++) out[u] = (out[u] as number) + (logs[u] as number);
      }
    }
    return (this.logs[root] as Float64Array)[0] as number;
  }

  /** Calls `visit` for every sum on the best path with the state it takes. */
  down(visit: (sum: NodeId, state: number) => void): void {
    const pending: [NodeId, number][] = [[this.#circuit.root, 0]];
    for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
      const [id, unit] = step, node = this.#circuit.nodes[id] as Node;
      if (node.kind === "product") { for (const child of node.children) pending.push([child, unit]); }
      if (node.kind !== "sum") continue;
      let state = (this.#best.get(id) as Int32Array)[unit] as number;
      visit(id, state);
      for (const child of node.children) {
        const { units } = this.#circuit.nodes[child] as Node;
        if (state < units) {
          pending.push([child, state]);
          break;
        }
        state -= units;
      }
    }
  }

  #sum(node: SumNode): void {
    const inputs = this.#inputs, weights = this.#weights.get(node.parameter) as Float64Array;
    let into = 0;
    for (const child of node.children) {
      const logs = this.logs[child] as Float64Array;
      inputs.set(logs, into);
      into += logs.length;
    }
    const out = this.logs[node.id] as Float64Array, best = this.#best.get(node.id) as Int32Array;
    const width = into / node.groups, height = node.units / node.groups;
    for (let unit = 0; unit < node.units; unit++) {
      const from = Math.floor(unit / height) * width, at = unit * width;
      let most = -Infinity, taken = 0;
      for (let i = 0; i < width; i++) {
        const log = (weights[at + i] as number) + (inputs[from + i] as number);
        if (log > most) {
          most = log;
          taken = i;
        }
      }
      out[unit] = most;
      best[unit] = from + taken;
    }
  }
}
