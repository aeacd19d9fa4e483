import { getOrMake } from "../foundation/newer.ts";
import { childrenOf, type Circuit, type Node, type NodeId } from "./circuit.ts";
import type { Samples } from "./samples.ts";
import { scopesOf } from "./scope.ts";

/** Keyed by the nodes, which are shared by all circuits of one structure whatever their parameters. */
const known = new WeakMap<readonly Node[], Evidence>();

/**
 * Tells where samples contain evidence. A node whose scope is entirely unobserved has likelihood 1 whatever the
 * parameters below it. Nothing is counted there; otherwise padded sequences would teach the model the padding.
 */
export class Evidence {
  /** By node: the number of its scope. Nodes over the same variables share a scope. */
  readonly scopeOf: Int32Array;
  /** Number of distinct scopes. */
  readonly scopes: number;
  /** By scope: its variable if it is a leaf scope, otherwise -1. */
  readonly #variables: Int32Array;
  /** By scope: the scopes it is composed of, all with smaller numbers. */
  readonly #parts: readonly (readonly number[])[];

  private constructor(circuit: Circuit) {
    const numbers = new Map<string, number>(), variables: number[] = [], parts: number[][] = [];
    const scopes = scopesOf(circuit);
    this.scopeOf = new Int32Array(circuit.nodes.length);
    for (const node of circuit.nodes) {
      const scope = getOrMake(numbers, (scopes[node.id] as Uint32Array).join(), () => {
        variables.push(node.kind === "input" ? node.variable : -1);
        return parts.push([...new Set(childrenOf(node).map((child) => this.scopeOf[child] as number))]) - 1;
      });
      this.scopeOf[node.id] = scope;
    }
    this.scopes = parts.length;
    this.#variables = Int32Array.from(variables);
    this.#parts = parts;
  }

  /** The evidence of a circuit's structure. */
  static of(circuit: Circuit): Evidence {
    return getOrMake(known, circuit.nodes, () => new Evidence(circuit));
  }

  /**
   * `[scopes, samples]`: 1 where any variable of the scope was observed; undefined if all are, because no value is
   * missing.
   */
  seen({ observed, count, variables }: Samples): Uint8Array | undefined {
    if (observed === undefined || !observed.includes(0)) return undefined;
    const seen = new Uint8Array(this.scopes * count);
    for (let scope = 0, at = 0; scope < this.scopes; scope++, at += count) {
      const variable = this.#variables[scope] as number;
      if (variable >= 0) {
        for (let s = 0; s < count; s++) seen[at + s] = observed[s * variables + variable] === 0 ? 0 : 1;
        continue;
      }
      for (const part of this.#parts[scope] as readonly number[]) {
        for (let s = 0; s < count; s++) {
          seen[at + s] = (seen[at + s] as number) | (seen[part * count + s] as number);
        }
      }
    }
    return seen;
  }
}

/** The weight of counted samples: in total, and for each node of those with evidence in its scope. */
export class CountedWeight {
  readonly #evidence: Evidence;
  #total = 0;
  /** By scope: weight of the possible samples with something observed in it. */
  readonly #byScope: Float64Array;

  /** Starts without samples. */
  constructor(circuit: Circuit) {
    this.#evidence = Evidence.of(circuit);
    this.#byScope = new Float64Array(this.#evidence.scopes);
  }

  /** Weight of all possible samples. */
  get total(): number {
    return this.#total;
  }

  /** Weight of the samples with evidence in the scope of a node. */
  of(node: NodeId): number {
    return this.#byScope[this.#evidence.scopeOf[node] as number] as number;
  }

  /** Adds the possible samples. `sampleWeights`: as in `Learner.accumulate`. */
  add(samples: Samples, logLikelihoods: ArrayLike<number>, sampleWeights?: ArrayLike<number>): void {
    const weights = new Float64Array(samples.count);
    for (let s = 0; s < samples.count; s++) {
      if ((logLikelihoods[s] as number) > -Infinity) weights[s] = sampleWeights?.[s] ?? 1;
    }
    // Summed in the same order, so that a scope observed in all samples has exactly the total weight.
    const all = weights.reduce((a, b) => a + b, 0), seen = this.#evidence.seen(samples);
    this.#total += all;
    for (let scope = 0; scope < this.#byScope.length; scope++) {
      let weight = all;
      if (seen !== undefined) {
        weight = 0;
        const at = scope * samples.count;
        for (let s = 0; s < samples.count; s++) if (seen[at + s] === 1) weight += weights[s] as number;
      }
      this.#byScope[scope] = (this.#byScope[scope] as number) + weight;
    }
  }

  /** Resets to no samples. */
  clear(): void {
    this.#total = 0;
    this.#byScope.fill(0);
  }

  /** The weight of all samples, then that of each scope; the argument of {@link CountedWeight.restore}. */
  save(): Float64Array {
    const saved = new Float64Array(1 + this.#byScope.length);
    saved[0] = this.#total;
    saved.set(this.#byScope, 1);
    return saved;
  }

  /** Restores saved weights; returns false and changes nothing if they belong to another circuit. */
  restore(saved: ArrayLike<number> | undefined): boolean {
    if (!(saved instanceof Float64Array) || saved.length !== 1 + this.#byScope.length) return false;
    this.#total = saved[0] as number;
    this.#byScope.set(saved.subarray(1));
    return true;
  }
}
