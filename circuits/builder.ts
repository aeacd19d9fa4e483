import { checkCircuit, MOST_STATES } from "./checks.ts";
import type {
  Circuit,
  InputNode,
  LeafSettings,
  Node,
  NodeId,
  Parameter,
  ParameterArray,
  ProductNode,
  SumNode,
  Variable,
} from "./circuit.ts";
import { conformed } from "./conform.ts";
import { CircuitError } from "./errors.ts";
import { requireList, requireObject, requireSeed, requireShape, requireWhole } from "./guards.ts";
import { randomRows } from "./leaves/family.ts";
import { leafFamily } from "./leaves/mod.ts";
import { flatten, isFlat, type NestedNumbers } from "./nested.ts";
import { RandomStream } from "./random.ts";

/** Values of a parameter: numbers, row-major or as nested lists, or the id of an existing parameter (tying). */
export type ParameterValues = string | NestedNumbers;

/** Options of {@link CircuitBuilder.input}. */
export interface InputOptions {
  /** Index of a variable added before. */
  readonly variable: number;
  /** Name of the leaf family. */
  readonly family: string;
  /** Length of the node's vector. */
  readonly units: number;
  /** Settings of the family; none if omitted. */
  readonly settings?: LeafSettings;
  /** Values `[units, ...]`, or the id of a parameter to tie to; random if omitted. */
  readonly parameter?: ParameterValues;
  /** Id of the new parameter; `leaf<node id>` if omitted. */
  readonly id?: string;
  /** A name for messages. */
  readonly name?: string;
}

/** Options of {@link CircuitBuilder.sum}. */
export interface SumOptions {
  /** Length of the node's vector. */
  readonly units: number;
  /** Number of blocks of the block-diagonal weights; 1 if omitted. */
  readonly groups?: number;
  /**
   * Values `[groups, units / groups, in / groups]`, rows summing to one, or the id of a parameter to tie to; random if
   * omitted.
   */
  readonly weights?: ParameterValues;
  /** Id of the new weights; `sum<node id>` if omitted. */
  readonly id?: string;
  /** A name for messages. */
  readonly name?: string;
}

/**
 * Builds a circuit bottom-up. Methods return ids to pass to later calls; {@link CircuitBuilder.build} checks the whole
 * circuit.
 *
 * ```ts
 * import { CircuitBuilder } from "./builder.ts";
 *
 * const b = new CircuitBuilder();
 * const [rain, wet] = [b.categorical("rain", 2), b.categorical("wet", 2)];
 * const leaf = (variable: number, p: number[]) =>
 *   b.input({ variable, family: "bernoulli", units: 2, parameter: p });
 * const both = b.product([leaf(rain, [0.9, 0.1]), leaf(wet, [0.8, 0.2])]);
 * const circuit = b.build(b.sum([both], { units: 1, weights: [0.3, 0.7] }));
 * ```
 */
export class CircuitBuilder {
  readonly #variables: Variable[] = [];
  readonly #nodes: Node[] = [];
  readonly #parameters = new Map<string, Parameter>();
  readonly #seed: number;

  /** An empty circuit. `seed` decides every parameter that is not given. @throws {CircuitError} when it is none */
  constructor(options: { seed?: number } = {}) {
    requireObject("the options of a builder", options);
    const { seed = 0 } = options;
    requireSeed(seed);
    this.#seed = seed;
  }

  /** Adds a variable; returns its index. @throws {CircuitError} on a number of states that is not whole */
  variable(variable: Variable): number {
    if (variable.kind === "categorical") {
      requireWhole(`the number of states of \`${variable.name}\``, variable.states, 1, MOST_STATES);
    }
    return this.#variables.push(variable) - 1;
  }

  /** Adds a categorical variable with states `0 .. states - 1`; returns its index. */
  categorical(name: string, states: number): number {
    return this.variable({ kind: "categorical", name, states });
  }

  /** Adds a count variable (non-negative integers without an upper bound); returns its index. */
  count(name: string): number {
    return this.variable({ kind: "count", name });
  }

  /** Adds a real variable; returns its index. */
  real(name: string): number {
    return this.variable({ kind: "real", name });
  }

  /** Adds a variable described only by log-likelihoods in the data; returns its index. */
  external(name: string): number {
    return this.variable({ kind: "external", name });
  }

  /** Number of units of an existing node. */
  units(id: NodeId): number {
    return this.#node(id).units;
  }

  /**
   * Adds a parameter that several nodes can share; returns its id.
   * @throws {CircuitError} when the id is taken or the values do not fit the shape
   */
  parameter(id: string, shape: readonly number[], values: NestedNumbers): string {
    if (this.#parameters.has(id)) {
      throw new CircuitError("circuit/duplicate-parameter", `there is already a parameter \`${id}\``);
    }
    const numbers = flatten(`Parameter \`${id}\``, shape, values);
    this.#parameters.set(id, { id, shape: [...shape], values: numbers });
    return id;
  }

  /** Whether a parameter with this id exists. */
  hasParameter(id: string): boolean {
    return this.#parameters.has(id);
  }

  /** Adds a vector of leaves over one variable; returns the node's id. */
  input(options: InputOptions): NodeId {
    const { variable, units, settings = {} } = options;
    const id = this.#nodes.length;
    const described = this.#variables[variable];
    if (described === undefined) {
      throw new CircuitError(
        "circuit/unknown-variable",
        `there is no variable ${variable}; add it with \`variable\` first`,
      );
    }
    const family = leafFamily(options.family);
    requireWhole(`units of input node ${id}`, units, 1, MOST_STATES);
    const shape = { variable: described, units, settings };
    // Checked before drawing values, which would fail less clearly on invalid settings.
    const problem = family.checkSettings(shape);
    if (problem !== undefined) {
      throw CircuitError.of("circuit/invalid", "this leaf is not valid", [{
        where: `input node ${id}`,
        problem,
      }]);
    }
    const parameterShape = family.parameterShape(shape);
    const given = options.parameter;
    const parameter = parameterShape === undefined ? undefined : this.#parameter(
      options.id ?? `leaf${id}`,
      parameterShape,
      given === undefined || typeof given === "string" || family.expand === undefined || !isFlat(given)
        ? given
        : family.expand(shape, Float64Array.from(given)),
      () => family.initialise(shape, this.#random(id)),
    );
    const node: InputNode = {
      kind: "input",
      id,
      ...(options.name !== undefined && { name: options.name }),
      units,
      variable,
      family: options.family,
      settings,
      ...(parameter !== undefined && { parameter }),
    };
    return this.#nodes.push(node) - 1;
  }

  /**
   * Adds an elementwise product of nodes with equal numbers of units; returns its id. A single child is returned
   * unchanged.
   */
  product(children: readonly NodeId[], options: { name?: string } = {}): NodeId {
    requireList("the children of a product", children);
    const [first] = children;
    if (first === undefined) throw new CircuitError("circuit/invalid", "a product needs at least one child");
    for (const child of children) this.#node(child);
    if (children.length === 1) return first;
    const node: ProductNode = {
      kind: "product",
      id: this.#nodes.length,
      ...(options.name !== undefined && { name: options.name }),
      units: this.#node(first).units,
      children: [...children],
    };
    return this.#nodes.push(node) - 1;
  }

  /** Adds mixtures over the concatenated units of `children`; returns the node's id. */
  sum(children: readonly NodeId[], options: SumOptions): NodeId {
    const id = this.#nodes.length;
    const { units, groups = 1 } = options;
    requireWhole(`units of sum node ${id}`, units, 1, MOST_STATES);
    requireWhole(`groups of sum node ${id}`, groups, 1, MOST_STATES);
    requireList(`the children of sum node ${id}`, children);
    const into = children.reduce((total, child) => total + this.#node(child).units, 0);
    if (units % groups !== 0 || into % groups !== 0) {
      throw new CircuitError(
        "circuit/invalid",
        `sum node ${id}: ${groups} groups do not divide its ${units} units and the ${into} units of its children`,
      );
    }
    const shape = [groups, units / groups, into / groups];
    const node: SumNode = {
      kind: "sum",
      id,
      ...(options.name !== undefined && { name: options.name }),
      units,
      children: [...children],
      groups,
      parameter: this.#parameter(
        options.id ?? `sum${id}`,
        shape,
        options.weights,
        () => randomRows(units, into / groups, this.#random(id)),
      ),
    };
    return this.#nodes.push(node) - 1;
  }

  /**
   * The circuit with this root. @throws {CircuitError} with all faults when the nodes make no valid circuit:
   * see `checkCircuit`.
   */
  build(root: NodeId): Circuit {
    const circuit = conformed({
      variables: [...this.#variables],
      nodes: [...this.#nodes],
      root,
      parameters: new Map(this.#parameters),
    });
    checkCircuit(circuit);
    return circuit;
  }

  #node(id: NodeId): Node {
    const node = this.#nodes[id];
    if (node === undefined) {
      throw new CircuitError(
        "circuit/unknown-node",
        `there is no node ${id} yet; children come before parents`,
      );
    }
    return node;
  }

  #random(node: NodeId): RandomStream {
    return new RandomStream(this.#seed, node, 0, 0x696e6974);
  }

  #parameter(
    id: string,
    shape: readonly number[],
    given: ParameterValues | undefined,
    random: () => ParameterArray,
  ): string {
    // If the shape does not fit the existing id, `build` reports it and names both nodes.
    if (typeof given === "string") return given;
    requireShape(`parameter \`${id}\``, shape);
    return this.parameter(id, shape, given ?? random());
  }
}
