import { CircuitError, type Fault } from "../errors.ts";

/** A factor of a graphical model: a non-negative table, with the last variable of the scope varying fastest. */
export interface Factor {
  /** Variables, all distinct. */
  readonly scope: readonly number[];
  /** One number per joint state of the scope. */
  readonly values: Float64Array;
}

/** A discrete graphical model: the product of its factors. */
export interface FactorGraph {
  /** Number of states of every variable. */
  readonly states: readonly number[];
  /** The factors. */
  readonly factors: readonly Factor[];
}

/** Number of joint states of the variables in a scope. */
export function sizeOfScope(scope: readonly number[], states: readonly number[]): number {
  return scope.reduce((size, v) => size * (states[v] as number), 1);
}

/** @throws {CircuitError} with every fault of a graph: numbers of states, scopes and tables that make no sense */
export function checkFactors({ states, factors }: FactorGraph): void {
  const faults: Fault[] = [];
  if (states.length === 0) faults.push({ where: "model", problem: "it has no variables" });
  states.forEach((k, v) => {
    if (!(Number.isSafeInteger(k) && k >= 1)) {
      faults.push({ where: `variable ${v}`, problem: `it has ${k} states, expected a whole number from 1` });
    }
  });
  if (faults.length === 0) {
    factors.forEach(({ scope, values }, f) => {
      const add = (problem: string) => faults.push({ where: `factor ${f}`, problem });
      const unknown = scope.find((v) => states[v] === undefined);
      const size = sizeOfScope(scope, states), bad = values.findIndex((x) => !(x >= 0 && x < Infinity));
      if (unknown !== undefined) add(`there is no variable ${unknown}`);
      else if (new Set(scope).size < scope.length) add("it names a variable twice");
      else if (values.length !== size) add(`its table has ${values.length} numbers, expected ${size}`);
      else if (bad >= 0) add(`entry ${bad} is ${values[bad]}, expected a number from 0`);
    });
  }
  if (faults.length > 0) {
    throw CircuitError.of("model-file/invalid", "this is not a valid graphical model", faults);
  }
}
