import {
  type Circuit,
  type InputNode,
  leafFamily,
  type Node,
  parameterOf,
  shapeOf,
  statesOf,
  type SumNode,
} from "../../circuits/mod.ts";
import { RetortError } from "../../foundation/errors.ts";

/** States that emit the same symbols, and what may come after them. */
interface Block {
  readonly states: number;
  /** By symbol: its place among those of the block, -1 for others. */
  readonly places: Int32Array;
  /** `[symbols of the block, states]`: probabilities. */
  readonly emission: Float64Array;
  /** `[states, width]`: the distribution over next states and units of mixtures of them. */
  readonly rows: ArrayLike<number>;
  readonly width: number;
  /** By block: its first column in `rows`, -1 if it may not follow. */
  readonly columns: Int32Array;
  readonly mixtures: readonly Mixture[];
}

/** Distributions over all next states that the states of a block share. */
interface Mixture {
  /** First column in the rows of the block. */
  readonly column: number;
  readonly units: number;
  /** `[units, width]`, and by block its first column in it. */
  readonly rows: ArrayLike<number>;
  readonly width: number;
  readonly columns: Int32Array;
}

/**
 * A homogeneous hidden Markov model step by step, read from the circuit that `hmm` (one block) or `blockedHmm` makes: only the
 * states of the block of each symbol are ever touched.
 */
export class HiddenSteps {
  /** By symbol: its block. */
  readonly blockOf: Int32Array;
  /** By block: the distribution of the state at any position, nothing observed. */
  readonly #marginals: Float64Array[];
  readonly #blocks: readonly Block[];
  readonly #initial: ArrayLike<number>;
  readonly #firsts: Int32Array;

  /** @throws {RetortError} on a circuit that is no such model, or has a symbol in several blocks */
  constructor(circuit: Circuit) {
    const { nodes, variables } = circuit, root = nodes[circuit.root] as Node;
    if (root.kind !== "sum" || root.units !== 1 || variables.length < 2) throw noModel("its root is no sum");
    const begins = root.children.map((id) => partsOf(circuit, id));
    const ids = begins.map(({ leaf }) => leaf.parameter as string);
    /** First columns by block of children, the width of rows, and children that are sums. */
    const layout = (sum: SumNode) => {
      const columns = new Int32Array(ids.length).fill(-1), sums: { node: SumNode; column: number }[] = [];
      let width = 0;
      for (const child of sum.children) {
        const node = nodes[child] as Node;
        if (node.kind === "sum") sums.push({ node, column: width });
        else {
          const { leaf } = partsOf(circuit, child);
          columns[ids.indexOf(leaf.parameter as string)] = width;
        }
        width += node.units;
      }
      return { columns, width, sums };
    };
    const rowsOf = (sum: SumNode) => parameterOf(circuit, sum.parameter).values;
    const known = new Set([root.parameter, ...ids]);
    this.#blocks = begins.map(({ leaf, after }): Block => {
      if (after === undefined) throw noModel("nothing comes after its first states");
      const { columns, width, sums } = layout(after);
      const mixtures = sums.map(({ node, column }): Mixture => {
        known.add(node.parameter);
        const inner = layout(node);
        return { column, units: node.units, rows: rowsOf(node), width: inner.width, columns: inner.columns };
      });
      known.add(after.parameter);
      return {
        states: leaf.units,
        ...emissionOf(circuit, leaf),
        rows: rowsOf(after),
        width,
        columns,
        mixtures,
      };
    });
    const other = [...circuit.parameters.keys()].find((id) => !known.has(id));
    if (other !== undefined) {
      throw noModel(`it has a parameter \`${other}\` beside those of its first two positions`);
    }
    this.#initial = rowsOf(root);
    this.#firsts = layout(root).columns;
    this.blockOf = new Int32Array((this.#blocks[0] as Block).places.length).fill(-1);
    this.#blocks.forEach(({ places }, b) =>
      places.forEach((place, symbol) => {
        if (place < 0) return;
        if (this.blockOf[symbol] !== -1) throw noModel(`symbol ${symbol} is in several blocks`);
        this.blockOf[symbol] = b;
      })
    );
    this.#marginals = this.#averages(Math.min(variables.length, 8));
  }

  /** Number of symbols. */
  get symbols(): number {
    return this.blockOf.length;
  }

  /** States of the block of a symbol. */
  statesOf(symbol: number): number {
    return this.#of(symbol).states;
  }

  /** Probabilities of a symbol under the states of its block. */
  emission(symbol: number): Float64Array {
    const { places, emission, states } = this.#of(symbol), at = (places[symbol] as number) * states;
    return emission.subarray(at, at + states);
  }

  /** The distribution of the first state, of the block of a symbol. */
  initial(symbol: number): Float64Array {
    const first = this.#firsts[this.blockOf[symbol] as number] as number;
    return Float64Array.from({ length: this.statesOf(symbol) }, (_, j) => this.#initial[first + j] as number);
  }

  /** The distribution of the state of a symbol that was seen somewhere, and nothing else. */
  stateOf(symbol: number): Float64Array {
    const marginal = this.#marginals[this.blockOf[symbol] as number] as Float64Array;
    const joint = this.emission(symbol).map((p, j) => p * (marginal[j] as number));
    const sum = joint.reduce((a, p) => a + p, 0);
    return joint.map((p) => sum > 0 ? p / sum : 1 / joint.length);
  }

  /** From weights of the states of one symbol's block to those of the next symbol's, emissions not counted. */
  forward(from: number, weights: Float64Array, to: number): Float64Array {
    return this.#forward(this.#of(from), weights, this.blockOf[to] as number);
  }

  /** The expectation of values of the next symbol's states, by state of the block of `from`. */
  backward(from: number, to: number, values: Float64Array): Float64Array {
    const { states, rows, width, columns, mixtures } = this.#of(from), b = this.blockOf[to] as number;
    const out = new Float64Array(states), column = columns[b] as number;
    if (column >= 0) {
      for (let z = 0, at = column; z < states; z++, at += width) {
        let sum = 0;
        for (let j = 0; j < values.length; j++) sum += (rows[at + j] as number) * (values[j] as number);
        out[z] = sum;
      }
    }
    for (const mixture of mixtures) {
      const first = mixture.columns[b] as number;
      if (first < 0) continue;
      for (let r = 0; r < mixture.units; r++) {
        let sum = 0;
        for (let j = 0, at = r * mixture.width + first; j < values.length; j++) {
          sum += (mixture.rows[at + j] as number) * (values[j] as number);
        }
        for (let z = 0, at = mixture.column + r; z < states; z++, at += width) {
          out[z] = (out[z] as number) + (rows[at] as number) * sum;
        }
      }
    }
    return out;
  }

  #of(symbol: number): Block {
    return this.#blocks[this.blockOf[symbol] as number] as Block;
  }

  #forward(
    { states, rows, width, columns, mixtures }: Block,
    weights: Float64Array,
    b: number,
  ): Float64Array {
    const out = new Float64Array((this.#blocks[b] as Block).states), column = columns[b] as number;
    if (column >= 0) {
      for (let z = 0, at = column; z < states; z++, at += width) {
        const weight = weights[z] as number;
        if (weight === 0) continue;
        for (let j = 0; j < out.length; j++) {
          out[j] = (out[j] as number) + weight * (rows[at + j] as number);
        }
      }
    }
    for (const mixture of mixtures) {
      const first = mixture.columns[b] as number;
      if (first < 0) continue;
      for (let r = 0; r < mixture.units; r++) {
        let sum = 0;
        for (let z = 0, at = mixture.column + r; z < states; z++, at += width) {
          sum += (weights[z] as number) * (rows[at] as number);
        }
        for (let j = 0, at = r * mixture.width + first; j < out.length; j++) {
          out[j] = (out[j] as number) + sum * (mixture.rows[at + j] as number);
        }
      }
    }
    return out;
  }

  /** Mean distributions of the states of the first positions, by block. */
  #averages(positions: number): Float64Array[] {
    let now = this.#blocks.map(({ states }, b) =>
      Float64Array.from(
        { length: states },
        (_, j) => this.#initial[(this.#firsts[b] as number) + j] as number,
      )
    );
    const sums = now.map((part) => part.slice());
    for (let t = 1; t < positions; t++) {
      const next = this.#blocks.map(({ states }) => new Float64Array(states));
      this.#blocks.forEach((block, a) =>
        next.forEach((part, b) =>
          this.#forward(block, now[a] as Float64Array, b).forEach((p, j) => part[j] = (part[j] as number) + p)
        )
      );
      now = next;
      sums.forEach((sum, b) => now[b]?.forEach((p, j) => sum[j] = (sum[j] as number) + p));
    }
    return sums;
  }
}

/** The leaf of a state block, and the sum over what comes after it. */
function partsOf(circuit: Circuit, id: number): { leaf: InputNode; after?: SumNode } {
  const node = circuit.nodes[id] as Node;
  const parts = node.kind === "product" ? node.children.map((child) => circuit.nodes[child] as Node) : [node];
  const leaf = parts.find((part) => part.kind === "input"), after = parts.find((part) => part.kind === "sum");
  if (leaf?.kind !== "input" || leaf.parameter === undefined || parts.length > 2) {
    throw noModel("a product is not of one leaf and one sum");
  }
  return { leaf, ...(after?.kind === "sum" && { after }) };
}

function emissionOf(circuit: Circuit, leaf: InputNode): Pick<Block, "places" | "emission"> {
  const family = leafFamily(leaf.family), shape = shapeOf(circuit, leaf);
  if (!family.rows || shape.variable.kind !== "categorical") throw noModel("a leaf has no table of symbols");
  const symbols = statesOf(shape.variable), { values } = parameterOf(circuit, leaf.parameter as string);
  const support = family.support?.(shape) ?? Array.from({ length: symbols }, (_, k) => k);
  const places = new Int32Array(symbols).fill(-1), width = support.length;
  support.forEach((symbol, i) => places[symbol] = i);
  const emission = new Float64Array(width * leaf.units);
  for (let z = 0; z < leaf.units; z++) {
    for (let i = 0; i < width; i++) emission[i * leaf.units + z] = values[z * width + i] as number;
  }
  return { places, emission };
}

function noModel(why: string): RetortError {
  return new RetortError("text/no-hmm", `the circuit is no homogeneous hidden Markov model: ${why}`, {
    hint: "`blockedHmm` and `hmm` make such circuits, and so do the stages that train text.",
  });
}
