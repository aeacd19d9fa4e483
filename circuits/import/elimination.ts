import { CircuitError } from "../errors.ts";
import { type FactorGraph, sizeOfScope } from "./factors.ts";

/** A variable to eliminate and the scope of its resulting table: its neighbours at that moment. */
export interface Elimination {
  /** The variable. */
  readonly variable: number;
  /** Its neighbours, with the one eliminated next last, so that tables of one clique have matching layouts. */
  readonly scope: readonly number[];
}

/** Maximum size of one table or matrix of a compilation, in numbers. */
const MOST_NUMBERS = 1 << 22;
/** Maximum total size of all of them. */
const MOST_TOGETHER = 1 << 25;

const HINT =
  "The model is too densely connected for this compiler: use a knowledge compiler and import its .psdd.";

/**
 * A greedy elimination order for all variables: next comes the one whose neighbours have the fewest joint states. The
 * whole order is computed first, which is cheap, so that tables are only built if everything fits.
 * @throws {CircuitError} naming the width, when a table would be too large or all of them together
 */
export function eliminationOrder(graph: FactorGraph): Elimination[] {
  const { states } = graph;
  const near = states.map(() => new Set<number>());
  for (const { scope } of graph.factors) join(near, scope.filter((v) => states[v] !== 1));
  const queue = new SizeQueue(states, near);
  const order: { variable: number; near: readonly number[] }[] = [];
  for (let v = queue.next(); v !== undefined; v = queue.next()) {
    const neighbours = [...near[v] as Set<number>];
    order.push({ variable: v, near: neighbours });
    for (const u of neighbours) (near[u] as Set<number>).delete(v);
    join(near, neighbours);
    for (const u of neighbours) queue.changed(u);
  }
  const position = new Map(order.map(({ variable }, i) => [variable, i]));
  const at = (v: number) => position.get(v) as number;
  const result = order.map(({ variable, near }) => ({
    variable,
    scope: [...near].sort((a, b) => at(b) - at(a)),
  }));
  checkCost(result, states);
  return result;
}

function join(near: readonly Set<number>[], clique: readonly number[]): void {
  for (const v of clique) {
    for (const u of clique) if (u !== v) (near[v] as Set<number>).add(u);
  }
}

/** Queue of variables by the joint states of their neighbours; ties go to the one that has waited longest. */
class SizeQueue {
  readonly #states: readonly number[];
  readonly #near: readonly ReadonlySet<number>[];
  readonly #sizes = new Map<number, number>();
  /** There are few distinct sizes: products of numbers of states up to the limit. */
  readonly #waiting = new Map<number, Set<number>>();

  constructor(states: readonly number[], near: readonly ReadonlySet<number>[]) {
    this.#states = states;
    this.#near = near;
    for (const v of states.keys()) this.changed(v);
  }

  changed(v: number): void {
    const size = this.#sizeOf(v), old = this.#sizes.get(v);
    if (size === old) return;
    this.#leave(v);
    this.#sizes.set(v, size);
    let equals = this.#waiting.get(size);
    if (equals === undefined) this.#waiting.set(size, equals = new Set());
    equals.add(v);
  }

  next(): number | undefined {
    if (this.#waiting.size === 0) return undefined;
    const size = Math.min(...this.#waiting.keys());
    const [v] = this.#waiting.get(size) as Set<number>;
    if (size === Infinity) return this.#refuse();
    this.#leave(v as number);
    return v;
  }

  #leave(v: number): void {
    const old = this.#sizes.get(v);
    const equals = old === undefined ? undefined : this.#waiting.get(old);
    if (equals === undefined) return;
    equals.delete(v);
    if (equals.size === 0) this.#waiting.delete(old as number);
  }

  /** Joint states of the variable and its neighbours; Infinity if they are too many for a table. */
  #sizeOf(v: number): number {
    let size = this.#states[v] as number;
    for (const u of this.#near[v] as Set<number>) {
      size *= this.#states[u] as number;
      if (size > MOST_NUMBERS) return Infinity;
    }
    return size > MOST_NUMBERS ? Infinity : size;
  }

  #refuse(): never {
    const left = [...this.#waiting.get(Infinity) as Set<number>];
    const width = left.reduce((least, v) => Math.min(least, (this.#near[v] as Set<number>).size), Infinity);
    throw tooWide(width, `a table over ${width + 1} variables has more than ${MOST_NUMBERS} numbers`);
  }
}

/** Checks the size of the tables and of the matrices that repeat messages for them. */
function checkCost(order: readonly Elimination[], states: readonly number[]): void {
  const incoming = new Map<number, Elimination[]>();
  let together = 0;
  for (const step of order) {
    const { variable, scope } = step;
    const size = sizeOfScope(scope, states) * (states[variable] as number);
    together += size;
    for (const message of incoming.get(variable) ?? []) {
      // A message over the same variables is used unchanged.
      const units = sizeOfScope(message.scope, states);
      const numbers = message.scope.length === scope.length + 1 ? 0 : units * size;
      if (numbers > MOST_NUMBERS) {
        throw tooWide(scope.length, `a message of ${units} units is repeated for a table of ${size} numbers`);
      }
      together += numbers;
    }
    // The first of its variables to be eliminated receives the message.
    const next = scope[scope.length - 1];
    if (next !== undefined) incoming.set(next, [...incoming.get(next) ?? [], step]);
    if (together > MOST_TOGETHER) {
      const width = order.reduce((most, { scope }) => Math.max(most, scope.length), 0);
      throw tooWide(width, `all tables together have more than ${MOST_TOGETHER} numbers`);
    }
  }
}

function tooWide(width: number, why: string): CircuitError {
  return new CircuitError(
    "model-file/too-large",
    `the model is too wide to compile: the elimination order found for it has the width ${width} or more, and ${why}`,
    { hint: HINT },
  );
}
