import { CircuitBuilder } from "../builder.ts";
import type { Circuit, NodeId } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { eliminationOrder } from "./elimination.ts";
import { checkFactors, type FactorGraph, sizeOfScope } from "./factors.ts";
import { requireObject } from "../guards.ts";

/** Result of {@link compileFactors}. */
export interface CompiledFactors {
  /**
   * The normalised model: deterministic, so exact MAP works on it. Its variables are those of the model, with the same
   * indices.
   */
  readonly circuit: Circuit;
  /** Logarithm of the partition function, the sum over all states of the product of the factors: 0 for a Bayesian network. */
  readonly logPartition: number;
}

/** Logarithms of the numbers of a factor: the product of thousands of factors would exceed the range of a double. */
interface Table {
  readonly scope: readonly number[];
  readonly logs: Float64Array;
}

/** A vector node with one unit per joint state of `scope`; each unit is a normalised distribution. */
interface Message {
  readonly scope: readonly number[];
  readonly node: NodeId;
}

/**
 * Compiles a graphical model to a circuit by variable elimination with symbolic messages (Darwiche, "Modeling and
 * Reasoning with Bayesian Networks", chapter 12). Eliminating a variable creates one sum node over indicators of its
 * states, normalised for every joint state of its neighbours; the normalisation constants are passed on as a table. Time
 * and size are linear in the number of variables for models of bounded width, and exponential in the width.
 * @throws {CircuitError} naming the width when the model is too wide; when it has no possible state; when its tables make
 *   no sense
 */
export function compileFactors(graph: FactorGraph): CompiledFactors {
  requireObject("the factors", graph, ["states", "factors"]);
  checkFactors(graph);
  const { states, factors } = graph;
  const order = eliminationOrder(graph);
  const position = new Int32Array(states.length);
  order.forEach(({ variable }, i) => position[variable] = i);
  /** Tables and messages, by the variable in their scope that is eliminated first. */
  const tables = states.map((): Table[] => []), messages = states.map((): Message[] => []);
  const b = new CircuitBuilder();
  states.forEach((k, v) => b.categorical(`x${v}`, k));
  const done: NodeId[] = [];
  let logPartition = 0;
  for (const { scope, values } of factors) {
    // Variables with a single state do not affect a table.
    const told = scope.filter((v) => states[v] !== 1);
    const logs = values.map(Math.log);
    if (told.length === 0) logPartition += logs[0] as number;
    else (tables[earliest(told, position)] as Table[]).push({ scope: told, logs });
  }

  for (const { variable: v, scope } of order) {
    const cells = [...scope, v];
    const size = sizeOfScope(cells, states);
    const weights = new Float64Array(size);
    for (const { scope, logs } of tables[v] as Table[]) {
      projection(cells, scope, states).forEach((cell, i) => {
        weights[i] = (weights[i] as number) + (logs[cell] as number);
      });
    }
    const rest = normaliseRows(weights, states[v] as number);

    const inputs = [b.input({
      variable: v,
      family: "indicator",
      units: size,
      settings: { values: Array.from({ length: size }, (_, i) => i % (states[v] as number)) },
    })];
    for (const message of messages[v] as Message[]) {
      inputs.push(spread(b, message, projection(cells, message.scope, states)));
    }
    tables[v] = messages[v] = [];
    const groups = rest.length;
    const node = b.sum([b.product(inputs)], { units: groups, groups, weights, id: `x${v}`, name: `x${v}` });
    const next = scope[scope.length - 1];
    if (next === undefined) {
      logPartition += rest[0] as number;
      done.push(node);
    } else {
      (tables[next] as Table[]).push({ scope, logs: rest });
      (messages[next] as Message[]).push({ scope, node });
    }
  }
  if (logPartition === -Infinity) {
    throw new CircuitError("model-file/invalid", "the model has no state with a probability above 0");
  }
  return { circuit: b.build(b.product(done)), logPartition };
}

function earliest(scope: readonly number[], position: Int32Array): number {
  return scope.reduce((a, b) => (position[b] as number) < (position[a] as number) ? b : a);
}

/** For every joint state of `from`, the index of the joint state of `to`, a subset of its variables. */
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

/** Repeats the units of a message for all cells, through a sum node whose rows each select one unit. */
function spread(b: CircuitBuilder, { node }: Message, cells: Int32Array): NodeId {
  const units = b.units(node);
  if (cells.length === units && cells.every((unit, i) => unit === i)) return node;
  const weights = new Float32Array(cells.length * units);
  cells.forEach((unit, i) => weights[i * units + unit] = 1);
  return b.sum([node], { units: cells.length, weights });
}

/**
 * Normalises log-values to distributions, row by row and in place; returns the logarithms of the row sums. A row of
 * zeros, which only impossible states reach, becomes uniform.
 */
function normaliseRows(weights: Float64Array, width: number): Float64Array {
  return Float64Array.from({ length: weights.length / width }, (_, row) => {
    const cells = weights.subarray(row * width, (row + 1) * width);
    const most = cells.reduce((a, b) => Math.max(a, b), -Infinity);
    if (most === -Infinity) {
      cells.fill(1 / width);
      return -Infinity;
    }
    const total = cells.reduce((sum, log) => sum + Math.exp(log - most), 0);
    cells.forEach((log, i) => cells[i] = Math.exp(log - most) / total);
    return most + Math.log(total);
  });
}
