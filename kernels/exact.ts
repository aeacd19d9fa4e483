import {
  childrenOf,
  type Circuit,
  type InputNode,
  type Node,
  type NodeId,
  type Semiring,
  type SumNode,
  unitsInto,
} from "../circuits/mod.ts";

/** Data sources of an {@link ExactPass}. */
export interface ExactSources {
  /** Current values of the weights of sums, by id. */
  weights(id: string): Float32Array;
  /**
   * Writes the natural log-likelihoods of a leaf's units for sample `s` to `out`: 0 for a missing value, or under `max`
   * the log-likelihoods of the modes.
   */
  leaf(node: InputNode, s: number, semiring: Semiring, out: Float64Array): void;
}

/** Called for each sum edge with non-zero flow: entry `at` of a parameter. */
export type EdgeCounter = (parameter: string, at: number, flow: number) => void;

/** Sums of products below this are recomputed in the log domain: terms may have underflowed. */
const TRUSTED = 1e-280;

/**
 * Evaluates one sample at a time in float64, exactly: logarithms between nodes and, within a sum, products of weights
 * with inputs relative to the largest, unless the result is too small to trust. For samples that an engine cannot
 * certify in float32, and for max-product. Reuses its buffers across samples.
 */
export class ExactPass {
  readonly #circuit: Circuit;
  readonly #sources: ExactSources;
  /** By node: log-values of the units. */
  readonly logs: readonly Float64Array[];
  /** By node: flows of the units. */
  readonly flows: readonly Float64Array[];
  readonly #inputs: Float64Array;
  readonly #linear: Float64Array;
  readonly #inputFlows: Float64Array;

  /** Allocates buffers for a circuit. */
  constructor(circuit: Circuit, sources: ExactSources) {
    this.#circuit = circuit;
    this.#sources = sources;
    this.logs = circuit.nodes.map((node) => new Float64Array(node.units));
    this.flows = circuit.nodes.map((node) => new Float64Array(node.units));
    const widest = circuit.nodes.reduce(
      (most, node) => node.kind === "sum" ? Math.max(most, unitsInto(circuit, node)) : most,
      0,
    );
    this.#inputs = new Float64Array(widest);
    this.#linear = new Float64Array(widest);
    this.#inputFlows = new Float64Array(widest);
  }

  /** Fills {@link ExactPass.logs} for sample `s`. */
  up(s: number, semiring: Semiring = "sum"): void {
    for (const node of this.#circuit.nodes) {
      const out = this.logs[node.id] as Float64Array;
      if (node.kind === "input") this.#sources.leaf(node, s, semiring, out);
      else if (node.kind === "product") {
        out.fill(0);
        for (const child of node.children) {
          const logs = this.logs[child] as Float64Array;
          for (let u = 0; u < out.length; u++) out[u] = (out[u] as number) + (logs[u] as number);
        }
      } else this.#sum(node, out, semiring);
    }
  }

  /**
   * Fills {@link ExactPass.flows} after {@link ExactPass.up}, for a root with one unit and a possible sample, and
   * reports the flow of every edge of the nodes for which `counted` holds; default: all.
   */
  down(count?: EdgeCounter, counted?: (node: NodeId) => boolean): void {
    const { nodes, root } = this.#circuit;
    for (const flow of this.flows) flow.fill(0);
    (this.flows[root] as Float64Array)[0] = 1;
    for (let id = nodes.length - 1; id >= 0; id--) {
      const node = nodes[id] as Node;
      if (node.kind === "product") {
        const flow = this.flows[id] as Float64Array;
        for (const child of node.children) addTo(this.flows[child] as Float64Array, flow, 0);
      } else if (node.kind === "sum") this.#sumDown(node, (counted?.(id) ?? true) ? count : undefined);
    }
  }

  #gather(node: SumNode): Float64Array {
    let offset = 0;
    for (const child of node.children) {
      const logs = this.logs[child] as Float64Array;
      this.#inputs.set(logs, offset);
      offset += logs.length;
    }
    return this.#inputs.subarray(0, offset);
  }

  /** Writes the inputs of a group relative to the largest, which it returns. */
  #relative(inputs: Float64Array, from: number, width: number): number {
    let most = -Infinity;
    for (let i = from; i < from + width; i++) most = Math.max(most, inputs[i] as number);
    if (most === -Infinity) return most;
    for (let i = 0; i < width; i++) this.#linear[i] = Math.exp((inputs[from + i] as number) - most);
    return most;
  }

  #sum(node: SumNode, out: Float64Array, semiring: Semiring): void {
    const inputs = this.#gather(node), weights = this.#sources.weights(node.parameter);
    const width = inputs.length / node.groups, height = node.units / node.groups;
    const linear = this.#linear;
    for (let group = 0; group < node.groups; group++) {
      const from = group * width;
      const most = this.#relative(inputs, from, width);
      for (let unit = group * height; unit < (group + 1) * height; unit++) {
        if (most === -Infinity) {
          out[unit] = -Infinity;
          continue;
        }
        const at = unit * width;
        let value = 0;
        if (semiring === "sum") {
          for (let i = 0; i < width; i++) value += (weights[at + i] as number) * (linear[i] as number);
        } else {
          for (let i = 0; i < width; i++) {
            const x = (weights[at + i] as number) * (linear[i] as number);
            if (x > value) value = x;
          }
        }
        out[unit] = value > TRUSTED
          ? most + Math.log(value)
          : inLogs(weights, at, inputs, from, width, semiring);
      }
    }
  }

  #sumDown(node: SumNode, count: EdgeCounter | undefined): void {
    const flow = this.flows[node.id] as Float64Array;
    const inputs = this.#gather(node), weights = this.#sources.weights(node.parameter);
    const width = inputs.length / node.groups, height = node.units / node.groups;
    const linear = this.#linear, into = this.#inputFlows;
    into.fill(0, 0, inputs.length);
    for (let group = 0; group < node.groups; group++) {
      const from = group * width;
      const most = this.#relative(inputs, from, width);
      for (let unit = group * height; unit < (group + 1) * height; unit++) {
        const f = flow[unit] as number, at = unit * width;
        if (f === 0) continue;
        // Recomputed: the unit's logarithm has no digits left for the weights where it is very large.
        let value = 0;
        for (let i = 0; i < width; i++) value += (weights[at + i] as number) * (linear[i] as number);
        const near = value > TRUSTED, share = near ? f / value : 0;
        const own = near ? 0 : inLogs(weights, at, inputs, from, width, "sum", most);
        for (let i = 0; i < width; i++) {
          const w = weights[at + i] as number;
          const edge = near
            ? share * w * (linear[i] as number)
            : w === 0
            ? 0
            : f * Math.exp(Math.log(w) + ((inputs[from + i] as number) - most) - own);
          if (edge === 0) continue;
          into[from + i] = (into[from + i] as number) + edge;
          count?.(node.parameter, at + i, edge);
        }
      }
    }
    let offset = 0;
    for (const child of childrenOf(node)) {
      const target = this.flows[child as NodeId] as Float64Array;
      addTo(target, into, offset);
      offset += target.length;
    }
  }
}

function addTo(target: Float64Array, values: Float64Array, from: number): void {
  for (let u = 0; u < target.length; u++) target[u] = (target[u] as number) + (values[from + u] as number);
}

/** One row of a sum in the log domain, relative to `origin`. */
function inLogs(
  weights: Float32Array,
  at: number,
  inputs: Float64Array,
  from: number,
  width: number,
  semiring: Semiring,
  origin = 0,
): number {
  let most = -Infinity;
  const term = (i: number) => {
    const w = weights[at + i] as number, x = inputs[from + i] as number;
    return w === 0 || x === -Infinity ? -Infinity : Math.log(w) + (x - origin);
  };
  for (let i = 0; i < width; i++) most = Math.max(most, term(i));
  if (semiring === "max" || most === -Infinity) return most;
  let total = 0;
  for (let i = 0; i < width; i++) total += Math.exp(term(i) - most);
  return most + Math.log(total);
}
