import { getOrMake } from "../foundation/newer.ts";
import { type Circuit, type InputNode, leafStates, type Parameter, type SumNode } from "../circuits/mod.ts";
import type { Draft } from "./grouping.ts";

/**
 * Sum weights of one shape, stacked: slot `i` is a row-major matrix `[units, inputs]`. A parameter
 * `[groups, units, inputs]` takes `groups` consecutive slots, so its values are contiguous in the table.
 */
export interface WeightTable {
  /** Rows of a matrix. */
  readonly units: number;
  /** Columns of a matrix. */
  readonly inputs: number;
  /** Number of matrices. */
  readonly slots: number;
  /** Parameters in this table, with the first slot of each. */
  readonly parameters: readonly StackedParameter[];
}

/**
 * Leaf parameters of one family and shape, stacked: slot `i` is one parameter, `[units, ...]` in the family's layout.
 * An engine may store them differently, for example with a state's likelihoods under all units contiguous.
 */
export interface LeafTable {
  /** Name of the family. */
  readonly family: string;
  /** Units of a parameter. */
  readonly units: number;
  /** Number of states of the leaves; 0 where every value has a likelihood of its own. */
  readonly states: number;
  /** Numbers in a parameter. */
  readonly size: number;
  /** Number of parameters. */
  readonly slots: number;
  /** Parameters in this table, with the slot of each. */
  readonly parameters: readonly StackedParameter[];
}

/** A parameter in a table. */
export interface StackedParameter {
  /** Its id. */
  readonly id: string;
  /** Its (first) slot. */
  readonly slot: number;
}

/** Location of a node's parameter. */
export interface Slot {
  /** Index of the table; -1 for a leaf without a parameter. */
  readonly table: number;
  /** The (first) slot. */
  readonly slot: number;
}

/** Stacks weights by shape, in the order in which groups first use them. */
export function stackWeights(
  circuit: Circuit,
  drafts: readonly Draft[],
): { weightTables: WeightTable[]; slotsOf: (node: SumNode) => Slot } {
  const stacks = new Stacks<{ units: number; inputs: number }>();
  for (const id of drafts.flatMap((draft) => draft.nodes)) {
    const node = circuit.nodes[id];
    if (node?.kind !== "sum") continue;
    const { shape } = circuit.parameters.get(node.parameter) as Parameter;
    const [groups = 1, units = 1, inputs = 1] = shape;
    stacks.add(node.parameter, `${units} ${inputs}`, groups, { units, inputs });
  }
  return { weightTables: stacks.tables, slotsOf: (node) => stacks.slotOf(node.parameter) };
}

/** Stacks leaf parameters by family and shape. */
export function stackLeaves(
  circuit: Circuit,
): { leafTables: LeafTable[]; leafSlotsOf: (node: InputNode) => Slot } {
  const stacks = new Stacks<{ family: string; units: number; states: number; size: number }>();
  for (const node of circuit.nodes) {
    if (node.kind !== "input" || node.parameter === undefined) continue;
    const { family, units } = node;
    const states = leafStates(circuit, node);
    const size = (circuit.parameters.get(node.parameter) as Parameter).values.length;
    stacks.add(node.parameter, `${family} ${units} ${states}`, 1, { family, units, states, size });
  }
  return {
    leafTables: stacks.tables,
    leafSlotsOf: (node) => stacks.slotOf(node.parameter),
  };
}

/** Tables under construction: parameters with the same key are stacked. */
class Stacks<Shape extends object> {
  readonly tables: (Shape & { slots: number; parameters: StackedParameter[] })[] = [];
  readonly #byKey = new Map<string, number>();
  readonly #slots = new Map<string, Slot>();

  add(parameter: string, key: string, slots: number, shape: Shape): void {
    if (this.#slots.has(parameter)) return;
    const table = getOrMake(
      this.#byKey,
      key,
      () => this.tables.push({ ...shape, slots: 0, parameters: [] }) - 1,
    );
    const stack = this.tables[table] as Shape & { slots: number; parameters: StackedParameter[] };
    this.#slots.set(parameter, { table, slot: stack.slots });
    stack.parameters.push({ id: parameter, slot: stack.slots });
    stack.slots += slots;
  }

  slotOf(parameter: string | undefined): Slot {
    return (parameter === undefined ? undefined : this.#slots.get(parameter)) ?? { table: -1, slot: 0 };
  }
}
