import { getOrMake } from "../../foundation/newer.ts";
import type { Circuit, InputNode, Node, NodeId, SumNode } from "../../circuits/circuit.ts";
import { Evidence } from "../../circuits/evidence.ts";
import { isObserved, type Samples } from "../../circuits/samples.ts";
import { type GateLayout, type GateLeaf, supportOf, wide } from "./layout.ts";

/** A list of whole numbers that grows. */
export class GrowingList {
  /** The numbers, and room for more. */
  values = new Int32Array(1024);
  /** How many there are. */
  length = 0;

  /** Adds one. */
  push(x: number): void {
    if (this.length === this.values.length) {
      const wider = new Int32Array(2 * this.length);
      wider.set(this.values);
      this.values = wider;
    }
    this.values[this.length++] = x;
  }
}

/** A leaf as gates see it. */
interface Gate {
  readonly node: InputNode;
  readonly rows: GateLeaf;
  /** By value of the variable: the row of the table, -1 where the leaf is shut. */
  readonly rowOf: Int32Array;
  /** Its number among the leaves over the variable. */
  readonly rank: number;
}

/** How a sum finds its open inputs. */
interface Inputs {
  readonly children: Int32Array;
  readonly tiles: Int32Array;
  /** The variable whose value decides which of the gated inputs are open; -1 if none are gated. */
  readonly variable: number;
  /** By rank of a leaf over that variable: the input behind it, -1 if none. */
  readonly behind: Int32Array;
  /** Inputs that are not behind one of those leaves. */
  readonly others: Int32Array;
  /** By input: whether it has other leaves that may be shut. */
  readonly guarded: Uint8Array;
}

/** The structure of a circuit, ready for {@link Trace}; the same for all batches. */
export class GateStructure {
  /** By node: 0 for leaves, above all children for others. */
  readonly levels: Int32Array;
  readonly circuit: Circuit;
  readonly layout: GateLayout;
  readonly evidence: Evidence;
  readonly gates: readonly (Gate | undefined)[];
  readonly inputs: readonly (Inputs | undefined)[];
  /** By variable and value: ranks of the leaves that are open; by variable: leaves by rank. */
  readonly #open: Int32Array[][];
  readonly #all: Int32Array[];
  readonly leavesOver: NodeId[][];
  /** By node: wide units. */
  readonly lengths: Int32Array;
  /** By row of all leaves: the address of its counts. */
  readonly countsOfRow: Float64Array;

  /** Prepares a circuit. */
  constructor(circuit: Circuit, layout: GateLayout) {
    this.circuit = circuit;
    this.layout = layout;
    this.evidence = Evidence.of(circuit);
    const { nodes } = circuit;
    this.levels = new Int32Array(nodes.length);
    for (const node of nodes) {
      if (node.kind === "input") continue;
      for (const child of node.children) {
        this.levels[node.id] = Math.max(this.levels[node.id] as number, (this.levels[child] as number) + 1);
      }
    }
    this.lengths = Int32Array.from(circuit.nodes, ({ units }) => wide(units));
    const tables = [...layout.leaves.values()];
    this.countsOfRow = Float64Array.from(
      tables.flatMap(({ states, counts, stride }) =>
        Array.from({ length: states }, (_, k) => counts + k * stride)
      ),
    );
    this.leavesOver = circuit.variables.map(() => []);
    const rowsOf = new Map<string, Int32Array>();
    this.gates = nodes.map((node): Gate | undefined => {
      if (node.kind !== "input") return undefined;
      const own = this.leavesOver[node.variable] as NodeId[];
      const { states } = circuit.variables[node.variable] as { states: number };
      const parameter = node.parameter as string;
      const rowOf = getOrMake(rowsOf, parameter, () => {
        const list = new Int32Array(states).fill(-1);
        supportOf(circuit, node).forEach((value, row) => list[value] = row);
        return list;
      });
      return { node, rows: layout.leaves.get(parameter) as GateLeaf, rowOf, rank: own.push(node.id) - 1 };
    });
    // Positions of a sequence have the same leaves, so their lists are made once.
    const lists = new Map<string, Int32Array[]>();
    this.#open = this.leavesOver.map((ids) => {
      const key = ids.map((id) => (nodes[id] as InputNode).parameter).join("\n");
      return getOrMake(lists, key, () => openByValue(ids.map((id) => this.gates[id] as Gate)));
    });
    this.#all = this.leavesOver.map((ids) => Int32Array.from(ids.keys()));
    this.inputs = nodes.map((node) => node.kind === "sum" ? this.#inputsOf(node) : undefined);
  }

  /** Ranks of the leaves over a variable that are open for a sample. */
  openLeaves(samples: Samples, s: number, variable: number): Int32Array {
    return isObserved(samples, s, variable)
      ? this.#open[variable]?.[samples.values[s * samples.variables + variable] as number] as Int32Array
      : this.#all[variable] as Int32Array;
  }

  #inputsOf(node: SumNode): Inputs {
    const { nodes } = this.circuit;
    const gateOf = (child: NodeId): readonly Gate[] => {
      const one = nodes[child] as Node;
      if (one.kind === "input") return [this.gates[child] as Gate];
      if (one.kind === "sum") return [];
      return one.children.flatMap((id) => this.gates[id] ?? []);
    };
    // The variable that most inputs have a leaf over.
    const uses = new Map<number, number>();
    for (const child of node.children) {
      for (const { node: { variable } } of gateOf(child)) uses.set(variable, (uses.get(variable) ?? 0) + 1);
    }
    const [variable] = [...uses].reduce((best, use) => use[1] > best[1] ? use : best, [-1, 0]);
    const behind = new Int32Array(variable < 0 ? 0 : (this.leavesOver[variable] as NodeId[]).length).fill(-1);
    const others: number[] = [];
    node.children.forEach((child, i) => {
      const gate = gateOf(child).find((leaf) => leaf.node.variable === variable);
      if (gate === undefined || behind[gate.rank] !== -1) others.push(i);
      else behind[gate.rank] = i;
    });
    const tiles = Int32Array.from(this.layout.tilesOf(node), ({ index }) => index);
    const guarded = Uint8Array.from(node.children, (child) => {
      const gates = gateOf(child).filter(({ rowOf }) => rowOf.includes(-1));
      return gates.some((leaf) => leaf.node.variable !== variable) || gates.length > 1 ? 1 : 0;
    });
    for (const i of others) if (gateOf(node.children[i] as NodeId).length > 0) guarded[i] = 1;
    return {
      children: Int32Array.from(node.children),
      tiles,
      variable,
      behind,
      others: Int32Array.from(others),
      guarded,
    };
  }
}

function openByValue(gates: readonly Gate[]): Int32Array[] {
  const open: number[][] = Array.from(gates[0]?.rowOf ?? [], () => []);
  for (const { rowOf, rank } of gates) {
    rowOf.forEach((row, value) => {
      if (row >= 0) (open[value] as number[]).push(rank);
    });
  }
  return open.map((ranks) => Int32Array.from(ranks));
}

/** What an item is; see {@link Trace}. */
export const LEAF = 0, PRODUCT = 1, SUM = 2, ONES = 3;

/**
 * What evidence leaves open of a batch of samples: an item for every node of every sample whose value is needed, from the
 * root on, and an edge for every open input of a sum. Where nothing was observed below a node its value is one.
 */
export class Trace {
  readonly structure: GateStructure;
  /** By item: kind, node, sample within the batch, and addresses of the value and of the flow, in units of 8 bytes. */
  readonly kinds = new GrowingList();
  readonly nodes = new GrowingList();
  readonly owners = new GrowingList();
  readonly values = new GrowingList();
  readonly flows = new GrowingList();
  /** By item: of products, where their factors begin; of leaves, the row of counts or -1. */
  readonly places = new GrowingList();
  /** Factors of products: for a sum its item; for a leaf -1 less its address of values in units of 8 bytes, and its row of counts. */
  readonly factors = new GrowingList();
  /** By edge: sum, input (items) and tile. */
  readonly parents = new GrowingList();
  readonly inputs = new GrowingList();
  readonly tiles = new GrowingList();
  /** By sample: the item of the root. */
  readonly roots = new GrowingList();
  /** First address behind the rows. */
  end = 0;
  readonly #from: number;
  readonly #most: number;
  readonly #seenBy: Int32Array;
  readonly #itemOf: Int32Array;
  #stamp = 0;

  /** An empty trace, whose rows take the addresses from `from` to `most`. */
  constructor(structure: GateStructure, from: number, most: number) {
    this.structure = structure;
    this.#from = from;
    this.#most = most;
    const { length } = structure.circuit.nodes;
    this.#seenBy = new Int32Array(length);
    this.#itemOf = new Int32Array(length);
    this.clear();
  }

  /** Forgets all samples. */
  clear(): void {
    for (
      const list of [
        this.kinds,
        this.nodes,
        this.owners,
        this.values,
        this.flows,
        this.places,
        this.factors,
        this.parents,
        this.inputs,
        this.tiles,
        this.roots,
      ]
    ) list.length = 0;
    this.end = this.#from;
  }

  /**
   * Adds samples from `first` to before `last` as long as there is room, at least one; returns the first that was not added.
   * `seen`: see `Evidence.seen`; if it is undefined, everything is computed.
   */
  add(samples: Samples, first: number, last: number, seen: Uint8Array | undefined): number {
    let most = 0, s = first;
    while (s < last && (s === first || this.end + most <= this.#most)) {
      const before = this.end;
      this.#stamp++;
      this.roots.push(this.#item(samples, s, s - first, this.structure.circuit.root, seen));
      most = Math.max(most, this.end - before);
      s++;
    }
    return s;
  }

  /** The item of a node for the present sample. */
  #item(samples: Samples, s: number, own: number, id: NodeId, seen: Uint8Array | undefined): number {
    if (this.#seenBy[id] === this.#stamp) return this.#itemOf[id] as number;
    const { structure } = this, { layout } = structure;
    const node = structure.circuit.nodes[id] as Node;
    const scope = structure.evidence.scopeOf[id] as number;
    let kind = node.kind === "input" ? LEAF : node.kind === "product" ? PRODUCT : SUM;
    let value = 0, place = -1;
    if (seen !== undefined && seen[scope * samples.count + s] === 0) {
      kind = ONES;
      value = layout.ones(node.units);
    } else if (node.kind === "input") {
      const { rows, rowOf } = structure.gates[id] as Gate;
      if (isObserved(samples, s, node.variable)) {
        const row = rowOf[samples.values[s * samples.variables + node.variable] as number] as number;
        place = rows.row + row;
        value = rows.values + row * rows.stride;
      } else value = layout.ones(node.units);
    } else if (node.kind === "product") {
      const { children } = node;
      // Sums first: the factors of one product stand together.
      for (let i = 0; i < children.length; i++) {
        const child = children[i] as NodeId;
        if (structure.gates[child] === undefined) this.#item(samples, s, own, child, seen);
      }
      place = this.factors.length;
      for (let i = 0; i < children.length; i++) {
        const child = children[i] as NodeId;
        this.#factor(
          samples,
          s,
          child,
          structure.gates[child] === undefined ? this.#itemOf[child] as number : -1,
        );
      }
    }
    const bytes = 8 * (structure.lengths[id] as number);
    const item = this.kinds.length;
    if (value === 0) {
      value = this.end;
      this.end += bytes;
    }
    let flow = layout.trash;
    if (kind !== ONES) {
      flow = this.end;
      this.end += bytes;
    }
    this.kinds.push(kind);
    this.nodes.push(id);
    this.owners.push(own);
    this.values.push(value / 8);
    this.flows.push(flow / 8);
    this.places.push(place);
    this.#seenBy[id] = this.#stamp;
    this.#itemOf[id] = item;
    if (kind === SUM) this.#edges(samples, s, own, id, item, seen);
    return item;
  }

  #factor(samples: Samples, s: number, child: NodeId, item: number): void {
    if (item >= 0) {
      this.factors.push(item);
      this.factors.push(-1);
      return;
    }
    const { rows, rowOf, node } = this.structure.gates[child] as Gate;
    if (!isObserved(samples, s, node.variable)) {
      this.factors.push(-1 - this.structure.layout.ones(node.units) / 8);
      this.factors.push(-1);
      return;
    }
    const row = rowOf[samples.values[s * samples.variables + node.variable] as number] as number;
    this.factors.push(-1 - (rows.values + row * rows.stride) / 8);
    this.factors.push(rows.row + row);
  }

  #edges(
    samples: Samples,
    s: number,
    own: number,
    id: NodeId,
    item: number,
    seen: Uint8Array | undefined,
  ): void {
    const inputs = this.structure.inputs[id] as Inputs, { variable, behind, others } = inputs;
    if (variable >= 0) {
      const open = this.structure.openLeaves(samples, s, variable);
      for (let k = 0; k < open.length; k++) {
        const i = behind[open[k] as number] as number;
        if (i >= 0) this.#edge(samples, s, own, inputs, i, item, seen);
      }
    }
    for (let k = 0; k < others.length; k++) {
      this.#edge(samples, s, own, inputs, others[k] as number, item, seen);
    }
  }

  #edge(
    samples: Samples,
    s: number,
    own: number,
    { children, tiles, guarded }: Inputs,
    i: number,
    item: number,
    seen: Uint8Array | undefined,
  ): void {
    const child = children[i] as NodeId;
    if (guarded[i] === 1 && !this.#isOpen(samples, s, child)) return;
    const input = this.#item(samples, s, own, child, seen);
    this.parents.push(item);
    this.inputs.push(input);
    this.tiles.push(tiles[i] as number);
  }

  /** Whether no leaf of an input is shut. */
  #isOpen(samples: Samples, s: number, id: NodeId): boolean {
    const node = this.structure.circuit.nodes[id] as Node;
    if (node.kind === "sum") return true;
    if (node.kind === "product") {
      return node.children.every((child) =>
        this.structure.gates[child] === undefined || this.#isOpen(samples, s, child)
      );
    }
    return !isObserved(samples, s, node.variable) ||
      ((this.structure.gates[id] as Gate)
          .rowOf[samples.values[s * samples.variables + node.variable] as number] as number) >= 0;
  }
}
