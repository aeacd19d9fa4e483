import {
  type Circuit,
  CircuitError,
  describeNode,
  type InputNode,
  leafStates,
  type Node,
  type NodeId,
  nodeOf,
  type SumNode,
} from "../circuits/mod.ts";
import { blocksOf, slicesOf } from "./blocks.ts";
import { type Draft, draftsOf } from "./grouping.ts";
import { type LeafTable, stackLeaves, stackWeights, type WeightTable } from "./tables.ts";
import { requireCircuit } from "../circuits/guards.ts";

export type { LeafTable, StackedParameter, WeightTable } from "./tables.ts";

/**
 * Fields of all groups. A group is a set of equally shaped vectors ("folds") that are computed together; its
 * activations are one tensor `[folds, batch, units]`, or `folds * units` consecutive unit offsets from `offset` on.
 */
export interface GroupShape {
  /** Position in {@link Plan.groups}. */
  readonly index: number;
  /** Position in {@link Plan.levels}. */
  readonly level: number;
  /** Number of vectors (folds). */
  readonly folds: number;
  /** Length of each vector. */
  readonly units: number;
  /** Offset of unit 0 of fold 0 among the units of all groups; see {@link Plan.units}. */
  readonly offset: number;
  /** The group's nodes, in the order of their first folds. */
  readonly nodes: readonly NodeId[];
}

/** Leaves of one family with equally many states. */
export interface InputGroup extends GroupShape {
  /** Discriminates the kinds of group. */
  readonly kind: "input";
  /** Name of the leaf family. */
  readonly family: string;
  /** Number of states of the leaves; 0 where every value has a likelihood of its own. See `LeafFamily.states`. */
  readonly states: number;
  /** Index into {@link Plan.leafTables}, or -1 for a family without parameters. */
  readonly table: number;
  /** `[folds]`: variable of each fold. */
  readonly variables: Int32Array;
  /** `[folds]`: table slot that each fold reads; 0 without a table. */
  readonly slots: Int32Array;
  /** `[folds]`: the unit of the node that is unit 0 of the fold; not 0 in later blocks of a node. */
  readonly firstUnits: Int32Array;
}

/** Fields of product and sum groups: the location of their inputs. */
export interface InnerShape extends GroupShape {
  /** Pieces that each fold reads; equal for all folds of the group. */
  readonly arity: number;
  /** `[arity]`: number of units of each piece. */
  readonly widths: readonly number[];
  /**
   * `[folds, arity, 3]`: group, fold and first unit of each piece; the groups precede this one. Piece `j` of a fold is
   * units `unit .. unit + widths[j] - 1` of a single fold.
   */
  readonly sources: Int32Array;
}

/** Element-wise products of `arity` pieces, each as wide as the fold. */
export interface ProductGroup extends InnerShape {
  /** Discriminates the kinds of group. */
  readonly kind: "product";
}

/**
 * Dense sums: the concatenated pieces of a fold (`inputs` units) times a matrix `[units, inputs]` of the weight table.
 * A node with `groups` blocks takes that many folds.
 */
export interface SumGroup extends InnerShape {
  /** Discriminates the kinds of group. */
  readonly kind: "sum";
  /** Total units of all pieces. */
  readonly inputs: number;
  /** Index into {@link Plan.weightTables}. */
  readonly table: number;
  /** Number of consecutive folds that share a matrix: tied nodes of one level are consecutive. */
  readonly uses: number;
  /** `[folds / uses]`: slots of the table; fold `f` uses `slots[floor(f / uses)]`. Slots are distinct. */
  readonly slots: Int32Array;
  /** Whether `slots` are consecutive, so that the group's matrices are contiguous in the table. */
  readonly contiguous: boolean;
}

/** Equally shaped vectors that are computed together. */
export type Group = InputGroup | ProductGroup | SumGroup;

/** Location of a node: unit `u` is unit `u % w` of fold `fold + floor(u / w) * stride`, with `w = units / blocks`. */
export interface Place {
  /** Index of the group. */
  readonly group: number;
  /** Fold of the node's first block. */
  readonly fold: number;
  /** Number of folds of the node. */
  readonly blocks: number;
  /** Distance between its folds; more than 1 only for block-diagonal sums that are tied within a level. */
  readonly stride: number;
}

/**
 * A circuit laid out for engines. Made by {@link planOf}; depends only on the structure, never on values.
 *
 * Engines may rely on the following:
 * - Every unit of every node is in exactly one place ({@link Place}), and every fold belongs to one node.
 * - `groups` is in evaluation order; the groups of a level do not depend on each other. All inputs are on level 0. A
 *   node is as high as its parents allow (levels count from the root), so an engine that goes up the levels and down
 *   again keeps as few as possible alive; groups of level 0 may be computed on demand.
 * - Nodes next to block-diagonal sums are cut into `blocks`: units of different blocks only meet in a dense sum above.
 *   Engines with one scale per row therefore keep one per block; in a stack of circuits, one circuit's likelihoods may
 *   be many orders of magnitude below another's.
 * - All pieces of a product fold are as wide as the fold. The pieces of a sum fold are in the order of the weights'
 *   columns. A piece lies within one fold.
 * - Folds are ordered as their (first) consumers read them, so that the `j`-th pieces of consecutive folds are mostly
 *   consecutive folds of one group. Engines for which copies are expensive can look for such runs.
 * - A fold may be read by several folds, and twice by one (a shared node): the backward pass adds up their flows.
 * - The root is in the last group. It has one fold for every block of the root.
 */
export interface Plan {
  /** The circuit. */
  readonly circuit: Circuit;
  /** All groups, children before parents. */
  readonly groups: readonly Group[];
  /** Indices of the groups of each level, level 0 first. */
  readonly levels: readonly (readonly number[])[];
  /** Location of each node, by id. */
  readonly places: readonly Place[];
  /** Weights of sums, stacked by shape. */
  readonly weightTables: readonly WeightTable[];
  /** Parameters of leaves, stacked by family and shape. */
  readonly leafTables: readonly LeafTable[];
  /** Units of all groups: numbers in one sample's activations. */
  readonly units: number;
  /** Folds of all groups: rows in one sample's activations. */
  readonly rows: number;
}

/** Plans a circuit: groups its nodes into levels of equally shaped work. */
export function planOf(circuit: Circuit): Plan {
  requireCircuit(circuit);
  const blocks = blocksOf(circuit);
  const levels = draftsOf(circuit, blocks);
  const drafts = levels.flat();
  const places = placesOf(circuit, blocks, drafts);
  const { weightTables, slotsOf } = stackWeights(circuit, drafts);
  const { leafTables, leafSlotsOf } = stackLeaves(circuit);
  const groups: Group[] = [];
  let units = 0, rows = 0;
  const indices = levels.map((level, height) =>
    level.map((draft): number => {
      const node = circuit.nodes[draft.nodes[0] as NodeId] as Node;
      const shape: GroupShape = {
        index: groups.length,
        level: height,
        folds: draft.nodes.reduce((total, id) => total + (blocks[id] as number), 0),
        units: node.units / (blocks[node.id] as number),
        offset: units,
        nodes: draft.nodes,
      };
      units += shape.folds * shape.units;
      rows += shape.folds;
      if (node.kind === "input") groups.push(inputGroup(circuit, places, shape, node, leafSlotsOf));
      else {
        const inner = { ...shape, ...piecesOf(circuit, blocks, places, shape) };
        groups.push(
          node.kind === "product" ? { kind: "product", ...inner } : sumGroup(circuit, inner, draft, slotsOf),
        );
      }
      return shape.index;
    })
  );
  return { circuit, groups, levels: indices, places, weightTables, leafTables, units, rows };
}

/** The fold and unit, within its group, of a unit of a node. @throws {CircuitError} when there is no such node or unit */
export function foldOf(plan: Plan, node: NodeId, unit: number): { fold: number; unit: number } {
  if (!(Number.isInteger(unit) && unit >= 0 && unit < nodeOf(plan.circuit, node).units)) {
    throw new CircuitError(
      "circuit/unknown-node",
      `${describeNode(nodeOf(plan.circuit, node))} has no unit ${unit}`,
    );
  }
  const place = plan.places[node] as Place, { units } = plan.groups[place.group] as Group;
  const block = Math.floor(unit / units);
  return { fold: place.fold + block * place.stride, unit: unit - block * units };
}

/** `[folds]`: the node of each fold of a group. */
export function nodesOfFolds(plan: Plan, group: Group): NodeId[] {
  const nodes = new Array<NodeId>(group.folds);
  for (const id of group.nodes) {
    const { fold, blocks, stride } = plan.places[id] as Place;
    for (let block = 0; block < blocks; block++) nodes[fold + block * stride] = id;
  }
  return nodes;
}

function placesOf(circuit: Circuit, blocks: Int32Array, drafts: readonly Draft[]): Place[] {
  const places: Place[] = new Array(circuit.nodes.length);
  drafts.forEach(({ nodes, uses }, group) => {
    let first = 0;
    nodes.forEach((id, i) => {
      const count = blocks[id] as number, use = i % uses;
      // Folds that share a matrix are consecutive: ordered by matrix, then use.
      places[id] = { group, fold: first + use, blocks: count, stride: uses };
      if (use === uses - 1) first += count * uses;
    });
  });
  return places;
}

function piecesOf(
  circuit: Circuit,
  blocks: Int32Array,
  places: readonly Place[],
  shape: GroupShape,
): Pick<InnerShape, "arity" | "widths" | "sources"> {
  let widths: number[] = [];
  let sources = new Int32Array(0);
  for (const id of shape.nodes) {
    const place = places[id] as Place;
    slicesOf(circuit, blocks, circuit.nodes[id] as Node).forEach((slices, block) => {
      if (widths.length === 0) {
        widths = slices.map((slice) => slice.units);
        sources = new Int32Array(shape.folds * widths.length * 3);
      }
      slices.forEach((slice, j) => {
        const from = places[slice.node] as Place;
        const at = ((place.fold + block * place.stride) * widths.length + j) * 3;
        sources[at] = from.group;
        sources[at + 1] = from.fold + slice.block * from.stride;
        sources[at + 2] = slice.unit;
      });
    });
  }
  return { arity: widths.length, widths, sources };
}

function inputGroup(
  circuit: Circuit,
  places: readonly Place[],
  shape: GroupShape,
  node: InputNode,
  slotOf: (node: InputNode) => { table: number; slot: number },
): InputGroup {
  const variables = new Int32Array(shape.folds);
  const slots = new Int32Array(shape.folds);
  const firstUnits = new Int32Array(shape.folds);
  for (const id of shape.nodes) {
    const leaf = circuit.nodes[id] as InputNode, place = places[id] as Place;
    for (let block = 0; block < place.blocks; block++) {
      variables[place.fold + block] = leaf.variable;
      slots[place.fold + block] = slotOf(leaf).slot;
      firstUnits[place.fold + block] = block * shape.units;
    }
  }
  const states = leafStates(circuit, node);
  const { table } = slotOf(node);
  return { kind: "input", ...shape, family: node.family, states, table, variables, slots, firstUnits };
}

function sumGroup(
  circuit: Circuit,
  shape: InnerShape,
  draft: Draft,
  slotsOf: (node: SumNode) => { table: number; slot: number },
): SumGroup {
  const slots: number[] = [];
  for (let i = 0; i < draft.nodes.length; i += draft.uses) {
    const node = circuit.nodes[draft.nodes[i] as NodeId] as SumNode;
    for (let block = 0; block < node.groups; block++) slots.push(slotsOf(node).slot + block);
  }
  const [first = 0] = slots;
  return {
    kind: "sum",
    ...shape,
    inputs: shape.widths.reduce((a, b) => a + b, 0),
    table: slotsOf(circuit.nodes[draft.nodes[0] as NodeId] as SumNode).table,
    uses: draft.uses,
    slots: Int32Array.from(slots),
    contiguous: slots.every((slot, i) => slot === first + i),
  };
}
