import { CircuitBuilder } from "../builder.ts";
import type { Circuit, NodeId } from "../circuit.ts";
import { CircuitError } from "../errors.ts";

/** A factor of a graphical model: a non-negative table, last variable of the scope fastest. */
export interface Factor {
  /** Variables, all different. */
  readonly scope: readonly number[];
  /** As many numbers as the scope has joint states. */
  readonly values: Float64Array;
}

/** A discrete graphical model: the product of its factors. */
export interface FactorGraph {
  /** States of every variable. */
  readonly states: readonly number[];
  /** The factors. */
  readonly factors: readonly Factor[];
}

/** What {@link compileFactors} returns. */
export interface CompiledFactors {
  /** The normalised model: deterministic, so exact MAP works on it. Variable `v` is variable `v` of the model. */
  readonly circuit: Circuit;
  /** Logarithm of the sum of the product of the factors over all states: 0 for a Bayesian network. */
  readonly logPartition: number;
}

/** Most numbers in one table of a compilation. */
const LIMIT = 1 << 22;

/**
 * Reads the text of a `.uai` file (the format of the UAI inference competitions): `BAYES` or `MARKOV`, the
 * variables' numbers of states, the scopes of the factors, their tables. @throws {CircuitError} saying which
 * factor
 */
export function parseUai(text: string): FactorGraph {
  const words = text.trim().split(/\s+/);
  const kind = words[0];
  if (kind !== "BAYES" && kind !== "MARKOV") {
    throw new CircuitError(`This is no .uai file: it begins with \`${kind}\`, expected BAYES or MARKOV.`);
  }
  let at = 1;
  const next = (what: string, good: (x: number) => boolean): number => {
    const word = words[at++];
    const value = Number(word);
    if (word === undefined) throw new CircuitError(`.uai: the file ends before ${what}.`);
    if (!good(value)) throw new CircuitError(`.uai: ${what} is \`${word}\`.`);
    return value;
  };
  const whole = (least: number) => (x: number) => Number.isInteger(x) && x >= least;
  const count = next("the number of variables", whole(1));
  const states = Array.from(
    { length: count },
    (_, v) => next(`the number of states of variable ${v}`, whole(1)),
  );
  const factorCount = next("the number of factors", whole(0));
  const scopes = Array.from({ length: factorCount }, (_, f) => {
    const size = next(`the size of factor ${f}`, whole(0));
    const scope = Array.from(
      { length: size },
      () => next(`a variable of factor ${f}`, (v) => Number.isInteger(v) && v >= 0 && v < count),
    );
    if (new Set(scope).size < size) throw new CircuitError(`.uai: factor ${f} names a variable twice.`);
    return scope;
  });
  const factors = scopes.map((scope, f): Factor => {
    const size = sizeOfScope(scope, states);
    next(`the number of entries of factor ${f} (expected ${size})`, (n) => n === size);
    const values = Float64Array.from(
      { length: size },
      (_, i) => next(`entry ${i} of factor ${f}`, (x) => x >= 0 && x < Infinity),
    );
    return { scope, values };
  });
  if (at < words.length) {
    throw new CircuitError(`.uai: ${words.length - at} words follow after the last factor.`);
  }
  return { states, factors };
}

/** A vector node whose unit number is a joint state of `scope`; each unit is a normalised distribution. */
interface Message {
  readonly scope: readonly number[];
  readonly node: NodeId;
}

/**
 * Compiles a graphical model to a circuit by variable elimination with symbolic messages (Darwiche, "Modeling
 * and Reasoning with Bayesian Networks", chapter 12). Eliminating a variable makes one sum node over
 * indicators of its states, normalised for every joint state of its neighbours; what the normalisation takes
 * out goes on as a table. The order is greedy: the variable with the smallest table next. For small models:
 * tables grow exponentially with the treewidth.
 * @throws {CircuitError} when a table would be too large, or the model has no possible state
 */
export function compileFactors({ states, factors }: FactorGraph): CompiledFactors {
  const b = new CircuitBuilder();
  states.forEach((k, v) => b.categorical(`x${v}`, k));
  let tables: Factor[] = [...factors], messages: Message[] = [];
  const remaining = new Set(states.keys());
  const done: NodeId[] = [];
  let logPartition = 0;
  for (const { scope, values } of factors) {
    if (scope.length === 0) logPartition += Math.log(values[0] as number);
  }

  while (remaining.size > 0) {
    const [v, scope] = cheapest(remaining, [...tables, ...messages], states);
    remaining.delete(v);
    const cells = [...scope, v];
    const size = sizeOfScope(cells, states);
    if (size > LIMIT) {
      throw new CircuitError(
        `Eliminating variable ${v} needs a table of ${size} numbers, more than ${LIMIT}.`,
        {
          hint:
            "The model is too densely connected for this compiler: use a knowledge compiler and import its .psdd.",
        },
      );
    }
    const here = tables.filter((table) => table.scope.includes(v));
    tables = tables.filter((table) => !table.scope.includes(v));
    const weights = new Float64Array(size).fill(1);
    for (const table of here) {
      projection(cells, table.scope, states).forEach((cell, i) => {
        weights[i] = (weights[i] as number) * (table.values[cell] as number);
      });
    }
    const { rest, log } = normaliseRows(weights, states[v] as number);
    logPartition += log;

    const inputs = [b.input({
      variable: v,
      family: "indicator",
      units: size,
      settings: { values: Array.from({ length: size }, (_, i) => i % (states[v] as number)) },
    })];
    for (const message of messages.filter((message) => message.scope.includes(v))) {
      inputs.push(spread(b, message, projection(cells, message.scope, states), LIMIT));
    }
    messages = messages.filter((message) => !message.scope.includes(v));
    const groups = rest.length;
    const node = b.sum([b.product(inputs)], { units: groups, groups, weights, id: `x${v}`, name: `x${v}` });
    if (scope.length === 0) {
      logPartition += Math.log(rest[0] as number);
      done.push(node);
    } else {
      tables.push({ scope, values: rest });
      messages.push({ scope, node });
    }
  }
  if (logPartition === -Infinity) {
    throw new CircuitError("The model has no state with a probability above 0.");
  }
  return { circuit: b.build(b.product(done)), logPartition };
}

/** The variable whose elimination makes the smallest table (the first of equals), with its neighbours. */
function cheapest(
  remaining: ReadonlySet<number>,
  scoped: readonly { readonly scope: readonly number[] }[],
  states: readonly number[],
): [number, number[]] {
  let best: [number, number[]] | undefined, bestSize = Infinity;
  for (const v of remaining) {
    const near = new Set(scoped.filter(({ scope }) => scope.includes(v)).flatMap(({ scope }) => scope));
    near.delete(v);
    const scope = [...near].sort((a, b) => a - b);
    const size = sizeOfScope(scope, states);
    if (size < bestSize) {
      best = [v, scope];
      bestSize = size;
    }
  }
  return best as [number, number[]];
}

/** For every joint state of `from`, the number of the joint state of `to`, a subset of its variables. */
function projection(from: readonly number[], to: readonly number[], states: readonly number[]): Int32Array {
  const stride = new Map<number, number>();
  let step = 1;
  for (const v of [...to].reverse()) {
    stride.set(v, step);
    step *= states[v] as number;
  }
  return Int32Array.from({ length: sizeOfScope(from, states) }, (_, cell) => {
    let result = 0;
    for (let i = from.length - 1; i >= 0; i--) {
      const v = from[i] as number;
      result += cell % (states[v] as number) * (stride.get(v) ?? 0);
      cell = Math.floor(cell / (states[v] as number));
    }
    return result;
  });
}

/** Repeats the units of a message for all cells, by a sum node whose rows each pick one unit. */
function spread(b: CircuitBuilder, { node }: Message, cells: Int32Array, limit: number): NodeId {
  const units = b.units(node);
  if (cells.length === units && cells.every((unit, i) => unit === i)) return node;
  if (cells.length * units > limit) {
    throw new CircuitError(
      `A message of ${units} units to a table of ${cells.length} is too large to compile.`,
    );
  }
  const weights = new Float32Array(cells.length * units);
  cells.forEach((unit, i) => weights[i * units + unit] = 1);
  return b.sum([node], { units: cells.length, weights });
}

/**
 * Normalises rows in place; `rest` is what each summed to, divided by the largest of them, whose logarithm is
 * `log`. A row of zeros, which only impossible states reach, becomes uniform.
 */
function normaliseRows(weights: Float64Array, width: number): { rest: Float64Array; log: number } {
  const rest = new Float64Array(weights.length / width);
  for (let row = 0; row < rest.length; row++) {
    const cells = weights.subarray(row * width, (row + 1) * width);
    const total = rest[row] = cells.reduce((a, b) => a + b, 0);
    cells.forEach((w, i) => cells[i] = total > 0 ? w / total : 1 / width);
  }
  const most = rest.reduce((a, b) => Math.max(a, b), 0);
  if (most === 0) return { rest, log: 0 };
  return { rest: rest.map((x) => x / most), log: Math.log(most) };
}

function sizeOfScope(scope: readonly number[], states: readonly number[]): number {
  return scope.reduce((size, v) => size * (states[v] as number), 1);
}
