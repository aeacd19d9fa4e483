import {
  type Circuit,
  describeNode,
  type InputNode,
  type Node,
  type ParameterArray,
  type ProductNode,
} from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireCircuit, requireNumber, requireSeed, requireWhole } from "../guards.ts";
import { philox } from "../random.ts";
import { DROP_STATES } from "./purposes.ts";

/** The weights of sums over next states, and what their columns stand for. */
interface StateSum {
  readonly parameter: string;
  /** By column: a state, -1 for a unit of another sum. */
  readonly states: Int32Array;
  /** By column that is no state: the parameter of that sum, and its row. */
  readonly through: ReadonlyMap<number, { readonly parameter: string; readonly row: number }>;
}

/**
 * Dropout of states (after Chiu and Rush, "Scaling Hidden Markov Language Models", EMNLP 2020): each state of a hidden Markov
 * model is switched off with a probability, at least one of each block stays. What is left is a smaller model whose inference is
 * exact: initial and transition probabilities of the states that stay, as they were relative to each other.
 *
 * States are the units of a leaf; a block is the units that share a leaf parameter. So a dense model is one block, and
 * one whose positions have parameters of their own has a block for each.
 */
export class StateDropout {
  readonly #rate: number;
  readonly #seed: number;
  /** By block: its first state; then the number of all. */
  readonly #first: readonly number[];
  readonly #sums: readonly StateSum[];

  /**
   * Dropout of the states of a circuit.
   *
   * @param circuit a hidden Markov model, such as `hmm` and `blockedHmm` make: each product is a leaf and a sum over what follows
   * @param rate probability with which a state is switched off; with 1 one of each block stays
   * @param seed determines which ones
   * @throws {CircuitError} on another circuit, rate or seed
   */
  constructor(circuit: Circuit, rate: number, seed: number) {
    requireCircuit(circuit);
    requireNumber("the rate of state dropout", rate, 0, 1);
    requireSeed(seed);
    this.#rate = rate;
    this.#seed = seed;
    const { first, sums } = statesOfChain(circuit);
    this.#first = first;
    this.#sums = sums;
  }

  /**
   * Which states stay for a batch: a function of the seed, the epoch and the batch. The batches of an epoch that drop a state are
   * spread evenly over it: with a rate up to 0.38 never two in succession.
   * @returns `[states]`, 1 for those that stay, block by block in the order of the circuit's nodes
   */
  kept(epoch: number, batch: number): Uint8Array {
    requireWhole("epoch", epoch, 0);
    requireWhole("batch", batch, 0);
    const first = this.#first, states = first.at(-1)!, kept = new Uint8Array(states);
    const key = [this.#seed >>> 0, Math.floor(this.#seed / 0x100000000)] as const;
    const place = new Float64Array(states), turn = turned(batch);
    for (let z = 0; z < states; z++) {
      if (z % 4 === 0) place.set(philox([z >>> 2, epoch, 0, DROP_STATES], key).slice(0, states - z), z);
      place[z] = (place[z]! / 0x100000000 + turn) % 1;
      if (place[z]! >= this.#rate) kept[z] = 1;
    }
    for (let b = 0; b + 1 < first.length; b++) {
      let last = first[b]!;
      for (let z = last; z < first[b + 1]!; z++) if (place[z]! > place[last]!) last = z;
      kept[last] = 1;
    }
    return kept;
  }

  /**
   * Weights under which the states that do not stay are never reached. A row of which nothing is left is uniform over the rest.
   *
   * @param values all parameters of the circuit, by id
   * @param kept see {@link StateDropout.kept}
   * @returns new values of those that change, by id
   */
  without(values: ReadonlyMap<string, ParameterArray>, kept: Uint8Array): Map<string, ParameterArray> {
    const changed = new Map<string, ParameterArray>();
    /** By parameter: how much of each row stays. */
    const stays = new Map<string, Float64Array>();
    for (const { parameter, states, through } of this.#sums) {
      const share = Float64Array.from(states, (z, i) => {
        if (z >= 0) return kept[z]!;
        const { parameter, row } = through.get(i)!;
        return stays.get(parameter)![row]!;
      });
      const old = values.get(parameter)!,
        fresh = old.slice(),
        left = new Float64Array(old.length / share.length);
      for (let u = 0, at = 0; u < left.length; u++, at += share.length) {
        let sum = 0;
        for (let i = 0; i < share.length; i++) sum += old[at + i]! * share[i]!;
        left[u] = sum;
        if (sum > 0) {
          for (let i = 0; i < share.length; i++) fresh[at + i] = old[at + i]! * share[i]! / sum;
          continue;
        }
        const open = states.map((z) => z < 0 ? 1 : kept[z]!), count = open.reduce((a, n) => a + n, 0);
        for (let i = 0; i < share.length; i++) fresh[at + i] = open[i]! / count;
      }
      changed.set(parameter, fresh);
      stays.set(parameter, left);
    }
    return changed;
  }
}

/** Where a batch of an epoch turns a place in [0, 1): multiples of the golden ratio, of which any number lie evenly there. */
function turned(batch: number): number {
  return batch * (Math.sqrt(5) - 1) / 2 % 1;
}

/**
 * Whether so many successive batches of an epoch have each state at least once: two with a rate up to 0.38, three up to 0.61, one only
 * without dropout.
 */
export function keepsEach(rate: number, batches: number): boolean {
  requireNumber("the rate of state dropout", rate, 0, 1);
  requireWhole("the number of batches", batches, 1);
  // A state misses all of them if the batches' places lie together in less than the rate.
  const places = Array.from({ length: Math.min(batches, 100) }, (_, b) => turned(b)).sort((a, b) => a - b);
  const gaps = places.map((place, i) => (places[i + 1] ?? 1 + places[0]!) - place);
  return rate <= 1 - Math.max(...gaps);
}

/** The states of a hidden Markov model, and the sums over them, those that others go through first. @throws {CircuitError} on another circuit */
function statesOfChain(circuit: Circuit): { first: number[]; sums: StateSum[] } {
  const { nodes } = circuit, first = [0], blockOf = new Map<string, number>();
  const sums = new Map<string, StateSum>();
  /** By node: the leaf whose units its own are. */
  const leaves: (InputNode | undefined)[] = [];
  for (const node of nodes) {
    if (node.kind !== "sum") {
      const leaf = leafOf(circuit, node), id = leaf?.parameter;
      if (id === undefined) refuse(node);
      leaves[node.id] = leaf;
      if (blockOf.has(id)) continue;
      blockOf.set(id, blockOf.size);
      first.push(first.at(-1)! + node.units);
      continue;
    }
    if (node.groups !== 1) refuse(node);
    const states: number[] = [], through: [number, { parameter: string; row: number }][] = [];
    for (const id of node.children) {
      const child = nodes[id]!, leaf = leaves[id];
      for (let u = 0; u < child.units; u++) {
        if (child.kind === "sum") through.push([states.length, { parameter: child.parameter, row: u }]);
        states.push(leaf === undefined ? -1 : first[blockOf.get(leaf.parameter!)!]! + u);
      }
    }
    const sum = { parameter: node.parameter, states: Int32Array.from(states), through: new Map(through) };
    const known = sums.get(node.parameter);
    if (known === undefined) sums.set(node.parameter, sum);
    else if (!isSame(known, sum)) refuse(node);
  }
  return { first, sums: [...sums.values()] };
}

/** The leaf itself or, of a product of a leaf and a sum, its leaf; undefined for other products. */
function leafOf({ nodes }: Circuit, node: InputNode | ProductNode): InputNode | undefined {
  if (node.kind === "input") return node;
  const [leaf, after, ...more] = node.children.map((id) => nodes[id]!)
    .sort((a, b) => Number(b.kind === "input") - Number(a.kind === "input"));
  return leaf?.kind === "input" && after?.kind === "sum" && more.length === 0 ? leaf : undefined;
}

function isSame(a: StateSum, b: StateSum): boolean {
  const others = ({ through }: StateSum) => JSON.stringify([...through]);
  return a.states.every((z, i) => z === b.states[i]) && others(a) === others(b);
}

function refuse(node: Node): never {
  throw new CircuitError(
    "circuit/argument",
    `${describeNode(node)} is in no hidden Markov model, whose states alone can be dropped`,
    { hint: "`hmm` and `blockedHmm` make such circuits; for others leave `stateDropout` out." },
  );
}
