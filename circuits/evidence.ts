import { childrenOf, type Circuit, type Node, type NodeId } from "./circuit.ts";
import type { Samples } from "./samples.ts";
import { scopesOf } from "./scope.ts";

/** By the nodes of a circuit, which all circuits of a structure share whatever their parameters. */
const known = new WeakMap<readonly Node[], Evidence>();

/**
 * Where samples say anything. A node of whose scope nothing was observed has the likelihood 1 whatever the parameters
 * below it are: nothing is counted there, or a sequence that was padded to a length would teach what its padding is.
 */
export class Evidence {
  /** By node: the number of its scope. Nodes over the same variables share one. */
  readonly scopeOf: Int32Array;
  /** How many different scopes there are. */
  readonly scopes: number;
  /** By scope: its variable, of those of leaves; -1 for others. */
  readonly #variables: Int32Array;
  /** By scope: the scopes that it is put together from, all of smaller numbers. */
  readonly #parts: readonly (readonly number[])[];

  private constructor(circuit: Circuit) {
    const numbers = new Map<string, number>(), variables: number[] = [], parts: number[][] = [];
    const scopes = scopesOf(circuit);
    this.scopeOf = new Int32Array(circuit.nodes.length);
    for (const node of circuit.nodes) {
      const scope = numbers.getOrInsertComputed((scopes[node.id] as Uint32Array).join(), () => {
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
    return known.getOrInsertComputed(circuit.nodes, () => new Evidence(circuit));
  }

  /**
   * `[scopes, samples]`: 1 where some variable of the scope was observed; undefined where that is so everywhere because no
   * value is missing.
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

/** The weight of counted samples: of all of them, and of those that say anything about each node. */
export class CountedWeight {
  readonly #evidence: Evidence;
  /** Weight of all possible samples. */
  #total = 0;
  /** By scope: weight of those with something observed in it. */
  readonly #byScope: Float64Array;

  /** No samples yet. */
  constructor(circuit: Circuit) {
    this.#evidence = Evidence.of(circuit);
    this.#byScope = new Float64Array(this.#evidence.scopes);
  }

  /** Weight of all possible samples. */
  get total(): number {
    return this.#total;
  }

  /** Weight of the samples that say anything about a node. */
  of(node: NodeId): number {
    return this.#byScope[this.#evidence.scopeOf[node] as number] as number;
  }

  /** Adds samples but for impossible ones. `sampleWeights`: as of `Learner.accumulate`. */
  add(samples: Samples, logLikelihoods: ArrayLike<number>, sampleWeights?: ArrayLike<number>): void {
    const weights = new Float64Array(samples.count);
    for (let s = 0; s < samples.count; s++) {
      if ((logLikelihoods[s] as number) > -Infinity) weights[s] = sampleWeights?.[s] ?? 1;
    }
    // Added up alike, so that a scope with evidence in all samples has the weight of all to the bit.
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

  /** Back to no samples. */
  clear(): void {
    this.#total = 0;
    this.#byScope.fill(0);
  }

  /** The weight of all samples, then that of each scope: what {@link CountedWeight.restore} takes. */
  save(): Float64Array {
    const saved = new Float64Array(1 + this.#byScope.length);
    saved[0] = this.#total;
    saved.set(this.#byScope, 1);
    return saved;
  }

  /** Goes back to what was saved; false, and nothing is changed, where that is of another circuit. */
  restore(saved: ArrayLike<number> | undefined): boolean {
    if (!(saved instanceof Float64Array) || saved.length !== 1 + this.#byScope.length) return false;
    this.#total = saved[0] as number;
    this.#byScope.set(saved.subarray(1));
    return true;
  }
}
