import { CircuitError } from "./errors.ts";
import { kindOf, requireCircuit } from "./guards.ts";

/** Index of a node in {@link Circuit.nodes}. Children have smaller ids than their parents. */
export type NodeId = number;

/** Leaf settings that are not learned, as stored in the JSON file. */
export type LeafSettings = Readonly<Record<string, number | readonly number[]>>;

/**
 * What a column of the data holds.
 * - `categorical`: integers `0 .. states - 1`;
 * - `count`: non-negative integers without an upper bound (up to 2^24, the exact range of float32);
 * - `real`: any finite number;
 * - `external`: no values; the data supply log-likelihoods instead ({@link Samples.externals}).
 */
export type Variable =
  | { readonly kind: "categorical"; readonly name: string; readonly states: number }
  | { readonly kind: "count"; readonly name: string }
  | { readonly kind: "real"; readonly name: string }
  | { readonly kind: "external"; readonly name: string };

/** Number of states of a categorical variable; 0 for the other kinds. */
export function statesOf(variable: Variable): number {
  return variable.kind === "categorical" ? variable.states : 0;
}

/** A vector of `units` leaves over one variable. Unit `u` has the likelihood `p_u(x[variable])`. */
export interface InputNode {
  /** Discriminates the three kinds of node. */
  readonly kind: "input";
  /** Index in {@link Circuit.nodes}. */
  readonly id: NodeId;
  /** A name for messages and drawings; nothing else depends on it. */
  readonly name?: string;
  /** Length of the node's vector. */
  readonly units: number;
  /** Index into {@link Circuit.variables}. */
  readonly variable: number;
  /** Name of the leaf family; see `leafFamilies`. */
  readonly family: string;
  /** Family settings that are not learned. */
  readonly settings: LeafSettings;
  /** Id of the parameter `[units, ...]`; absent for families without parameters. */
  readonly parameter?: string;
}

/** Unit `u` is the product of unit `u` of every child. The children's scopes are disjoint. */
export interface ProductNode {
  /** Discriminates the three kinds of node. */
  readonly kind: "product";
  /** Index in {@link Circuit.nodes}. */
  readonly id: NodeId;
  /** A name for messages and drawings; nothing else depends on it. */
  readonly name?: string;
  /** Length of the node's vector. */
  readonly units: number;
  /** Ids of the children, all smaller than this node's. */
  readonly children: readonly NodeId[];
}

/**
 * Mixtures over the concatenated units of the children (`in` of them), which all have the same scope. The weights are
 * `[groups, units / groups, in / groups]`: group `g` sees only the `g`-th slice of the concatenation and produces the
 * `g`-th slice of the units (block-diagonal). Every row sums to one.
 */
export interface SumNode {
  /** Discriminates the three kinds of node. */
  readonly kind: "sum";
  /** Index in {@link Circuit.nodes}. */
  readonly id: NodeId;
  /** A name for messages and drawings; nothing else depends on it. */
  readonly name?: string;
  /** Length of the node's vector. */
  readonly units: number;
  /** Ids of the children, all smaller than this node's. */
  readonly children: readonly NodeId[];
  /** Number of blocks of the block-diagonal weights; 1 for a dense matrix. */
  readonly groups: number;
  /** Id of the weights in {@link Circuit.parameters}. Nodes with the same id are tied. */
  readonly parameter: string;
}

/** A vector node. */
export type Node = InputNode | ProductNode | SumNode;

/** Values of a parameter: float64 for families that need it (`LeafFamily.double`), otherwise float32. */
export type ParameterArray = Float32Array | Float64Array;

/**
 * A tensor in the parameter table. Nodes that name the same id share it; this is the only form of tying. `values` is
 * linear (not log), row-major. Treat it as read-only; see `withParameters`.
 */
export interface Parameter {
  /** Its key in {@link Circuit.parameters}. */
  readonly id: string;
  /** Sizes of the dimensions, slowest-varying first. */
  readonly shape: readonly number[];
  /** Row-major values; their number is the product of the shape. */
  readonly values: ParameterArray;
}

/**
 * An immutable directed acyclic graph of vector nodes, smooth and decomposable. Created by {@link CircuitBuilder}, the
 * functions in `structures/` or `loadCircuit`, all of which check it.
 */
export interface Circuit {
  /** What the columns of the data hold. */
  readonly variables: readonly Variable[];
  /** Children before parents; `nodes[i].id === i`. */
  readonly nodes: readonly Node[];
  /** The node whose value is the likelihood of a sample. */
  readonly root: NodeId;
  /** The parameter table, by id. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  /**
   * Facts about the training samples that users of the circuit need but no query does, by name. Preserved on disk and by
   * functions that only change parameters; absent if there are none.
   */
  readonly notes?: Readonly<Record<string, string>>;
}

/** The same circuit with additional notes, if any; new notes override old ones of the same name. */
export function withNotes(circuit: Circuit, notes: Circuit["notes"]): Circuit {
  requireCircuit(circuit);
  return notes === undefined ? circuit : { ...circuit, notes: { ...circuit.notes, ...notes } };
}

/** Children of a node; none for an input. */
export function childrenOf(node: Node): readonly NodeId[] {
  return node.kind === "input" ? [] : node.children;
}

/** The node with this id. @throws {CircuitError} when there is none. */
export function nodeOf(circuit: Circuit, id: NodeId): Node {
  requireCircuit(circuit);
  // A string of digits would index the array, but equals no id.
  const node = typeof id === "number" ? circuit.nodes[id] : undefined;
  if (node === undefined) {
    throw new CircuitError(
      "circuit/unknown-node",
      `the circuit has no node ${typeof id === "number" ? id : kindOf(id)}: its ids are 0 to ${
        circuit.nodes.length - 1
      }`,
    );
  }
  return node;
}

/** The id of the node with this name. @throws {CircuitError} when there is none, or more than one */
export function nodeNamed(circuit: Circuit, name: string): NodeId {
  requireCircuit(circuit);
  const found = circuit.nodes.filter((node) => node.name === name);
  if (found.length !== 1) {
    throw new CircuitError(
      "circuit/unknown-node",
      `the circuit has ${found.length} nodes named \`${name}\`, expected one`,
    );
  }
  return (found[0] as Node).id;
}

/** The parameter with this id. @throws {CircuitError} when there is none. */
export function parameterOf(circuit: Circuit, id: string): Parameter {
  requireCircuit(circuit);
  const parameter = circuit.parameters.get(id);
  if (parameter === undefined) {
    throw new CircuitError(
      "circuit/unknown-parameter",
      `the circuit has no parameter \`${id}\`; it has ${
        [...circuit.parameters.keys()].slice(0, 8).join(", ")
      }`,
    );
  }
  return parameter;
}

/** The variable at this index. @throws {CircuitError} when there is none. */
export function variableOf(circuit: Circuit, index: number): Variable {
  requireCircuit(circuit);
  const variable = typeof index === "number" ? circuit.variables[index] : undefined;
  if (variable === undefined) {
    throw new CircuitError(
      "circuit/unknown-variable",
      `the circuit has no variable ${
        typeof index === "number" ? index : kindOf(index)
      }: it has ${circuit.variables.length}, numbered from 0`,
    );
  }
  return variable;
}

/** Total units of all children of a sum node: the length of one row of its weights times its groups. */
export function unitsInto(circuit: Circuit, node: SumNode): number {
  return node.children.reduce((total, child) => total + nodeOf(circuit, child).units, 0);
}

/** Units of the root: 1 for a single distribution, more for a vector of distributions (class-conditional circuits). */
export function rootUnits(circuit: Circuit): number {
  requireCircuit(circuit);
  return nodeOf(circuit, circuit.root).units;
}

/** How a message names a node: ``sum node 12 `z3` ``. */
export function describeNode(node: Node): string {
  return `${node.kind} node ${node.id}${node.name === undefined ? "" : ` \`${node.name}\``}`;
}

/** How a message names a variable: ``variable 3 `pixel 0,3` ``. */
export function describeVariable(circuit: Circuit, index: number): string {
  const name = circuit.variables[index]?.name;
  return `variable ${index}${name === undefined ? "" : ` \`${name}\``}`;
}

/**
 * The same structure with new values for some parameters, unchecked: only for values that were just created or checked;
 * otherwise use `withParameters`. Arrays of the right type are kept, not copied; others are converted.
 */
export function replaceValues(circuit: Circuit, values: ReadonlyMap<string, ParameterArray>): Circuit {
  requireCircuit(circuit);
  const parameters = new Map(circuit.parameters);
  for (const [id, array] of values) {
    const old = parameterOf(circuit, id);
    parameters.set(id, { ...old, values: inPrecision(array, old.values) });
  }
  return { ...circuit, parameters };
}

/** `values` converted to the array type of `like`; the same array if it already has that type. */
export function inPrecision(values: ParameterArray, like: ParameterArray): ParameterArray {
  if (values.constructor === like.constructor) return values;
  return like instanceof Float64Array ? Float64Array.from(values) : Float32Array.from(values);
}

/** Size of a circuit in comparable numbers. */
export interface CircuitSize {
  /** Vector nodes. */
  readonly nodes: number;
  /** Units of all nodes: the numbers that evaluation stores per sample. */
  readonly units: number;
  /** Sum edges, with tied ones counted at each use: proportional to the cost of an evaluation. */
  readonly edges: number;
  /** Numbers in the parameter table, with tied ones counted once. */
  readonly parameters: number;
}

/** Counts nodes, units, edges and parameters. */
export function sizeOf(circuit: Circuit): CircuitSize {
  requireCircuit(circuit);
  let units = 0, edges = 0, parameters = 0;
  for (const node of circuit.nodes) {
    units += node.units;
    if (node.kind === "sum") edges += parameterOf(circuit, node.parameter).values.length;
  }
  for (const parameter of circuit.parameters.values()) parameters += parameter.values.length;
  return { nodes: circuit.nodes.length, units, edges, parameters };
}
