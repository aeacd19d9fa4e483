import { getOrMake } from "../../foundation/newer.ts";
import type { NodeId } from "../../circuits/circuit.ts";
import { isObserved, type Samples } from "../../circuits/samples.ts";
import type { GateLeaf } from "./layout.ts";
import { Order } from "./order.ts";
import { PRODUCT, SUM, type Trace } from "./trace.ts";
import type { Views } from "./views.ts";

/** Max-product over what evidence leaves open: logarithms of the best completion and choices, in float64. */
export class BestPass {
  readonly #trace: Trace;
  readonly #views: Views;
  readonly #order = new Order();
  /** By parameter of a leaf: logarithms of the modes of its units. */
  readonly #modes = new Map<string, Float64Array>();

  /** A pass over the present parameters. */
  constructor(trace: Trace, views: Views) {
    this.#trace = trace;
    this.#views = views;
  }

  /** Calls `visit` with the logarithms of every open node for sample `s`, the only one of the trace. */
  run(samples: Samples, s: number, visit: (node: NodeId, logs: Float64Array) => void): void {
    const trace = this.#trace, { nodes } = trace.structure.circuit;
    this.#order.sort(trace);
    const levels = this.#order.edgeStarts.length - 1, logs = new Map<NodeId, Float64Array>();
    const itemNodes = trace.nodes.values;
    const leafOf = (id: NodeId) => {
      const own = logs.get(id) ?? this.#leaf(samples, s, id);
      logs.set(id, own);
      return own;
    };
    for (let level = 0; level < levels; level++) {
      for (let i = this.#order.itemStarts[level]!; i < this.#order.itemStarts[level + 1]!; i++) {
        const item = this.#order.items[i]!, id = itemNodes[item]!, node = nodes[id]!;
        const kind = trace.kinds.values[item];
        if (kind === SUM) logs.set(id, new Float64Array(node.units).fill(-Infinity));
        else if (kind === PRODUCT && node.kind === "product") {
          const out = new Float64Array(node.units);
          for (const child of node.children) {
            const own = logs.get(child) ?? leafOf(child);
            for (let u = 0; u < out.length; u++) out[u] = out[u]! + own[u]!;
          }
          logs.set(id, out);
        } else leafOf(id);
      }
      for (let e = this.#order.edgeStarts[level]!; e < this.#order.edgeStarts[level + 1]!; e++) {
        const edge = this.#order.edges[e]!;
        this.#edge(
          edge,
          logs.get(itemNodes[trace.parents.values[edge]!]!)!,
          logs.get(itemNodes[trace.inputs.values[edge]!]!)!,
        );
      }
    }
    for (const [id, own] of logs) visit(id, own);
  }

  /** `out = max(out, weights * input)` along an edge. */
  #edge(edge: number, out: Float64Array, input: Float64Array): void {
    const tile = this.#trace.structure.layout.tiles[this.#trace.tiles.values[edge]!]!,
      { floats } = this.#views;
    for (let row = 0; row < tile.rows; row++) {
      const at = tile.weights / 4 + row * tile.paddedColumns;
      let best = out[row]!;
      for (let i = 0; i < tile.columns; i++) {
        const log = Math.log(floats[at + i]!) + input[i]!;
        if (log > best) best = log;
      }
      out[row] = best;
    }
  }

  #leaf(samples: Samples, s: number, id: NodeId): Float64Array {
    const { rows, rowOf, node } = this.#trace.structure.gates[id]!;
    if (!isObserved(samples, s, node.variable)) {
      return getOrMake(this.#modes, rows.parameter, () => this.#modesOf(rows));
    }
    const row = rowOf[samples.values[s * samples.variables + node.variable] as number]!;
    return this.#row(rows, row);
  }

  #modesOf(leaf: GateLeaf): Float64Array {
    const modes = new Float64Array(leaf.units).fill(-Infinity);
    for (let state = 0; state < leaf.states; state++) {
      this.#row(leaf, state).forEach((log, u) => modes[u] = Math.max(modes[u]!, log));
    }
    return modes;
  }

  #row({ values, stride, units }: GateLeaf, row: number): Float64Array {
    const at = (values + row * stride) / 8;
    return Float64Array.from({ length: units }, (_, u) => Math.log(this.#views.doubles[at + u]!));
  }
}
