import type { Circuit } from "./circuit.ts";
import { requireCircuit } from "./guards.ts";

/** The set of variables that a node depends on, as bits: variable `v` is bit `v % 32` of word `v / 32`. */
export type Scope = Uint32Array;

/** Whether variable `v` is in the scope. */
export function inScope(scope: Scope, v: number): boolean {
  return ((scope[v >>> 5] as number) >>> (v & 31) & 1) === 1;
}

/** The variables in a scope, ascending. */
export function scopeVariables(scope: Scope): number[] {
  const variables: number[] = [];
  scope.forEach((word, w) => {
    for (let bits = word; bits !== 0; bits &= bits - 1) {
      variables.push(w * 32 + 31 - Math.clz32(bits & -bits));
    }
  });
  return variables;
}

/** The first variable in both scopes, or -1. */
export function firstShared(a: Scope, b: Scope): number {
  return firstBit(a, (word, w) => word & (b[w] as number));
}

/** The first variable in exactly one of the two scopes, or -1 if they are equal. */
export function firstDifferent(a: Scope, b: Scope): number {
  return firstBit(a, (word, w) => word ^ (b[w] as number));
}

function firstBit(a: Scope, combine: (word: number, w: number) => number): number {
  for (let w = 0; w < a.length; w++) {
    const bits = combine(a[w] as number, w);
    if (bits !== 0) return w * 32 + 31 - Math.clz32(bits & -bits);
  }
  return -1;
}

/**
 * The scope of every node, by id. Children that do not precede their parent are ignored, so that the checks can call this
 * on an unchecked circuit.
 */
export function scopesOf(circuit: Circuit): Scope[] {
  requireCircuit(circuit);
  const words = Math.ceil(circuit.variables.length / 32);
  const scopes: Scope[] = [];
  circuit.nodes.forEach((node, id) => {
    const scope = new Uint32Array(words);
    if (node.kind === "input") {
      if (node.variable < circuit.variables.length) scope[node.variable >>> 5] = 1 << (node.variable & 31);
    } else {
      for (const child of node.children) {
        if (!(child < id)) continue;
        (scopes[child] as Scope | undefined)?.forEach((bits, w) => scope[w] = (scope[w] as number) | bits);
      }
    }
    scopes.push(scope);
  });
  return scopes;
}
