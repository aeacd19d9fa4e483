import type { GraphNode } from "./graph.ts";
import type { NodePolicy } from "./policy.ts";
import type { Capacity } from "./pool.ts";
import type { Policies } from "./profile.ts";

/**
 * How the next attempt of each node of one run runs. What shares the pool and what executes nodes ask here alone, so that neither
 * counts with other demands than the other.
 */
export class AttemptPolicies {
  readonly #run: { readonly policies: Policies; readonly capacity: Capacity; readonly elsewhere?: boolean };
  /** How often an attempt of a node ended for want of memory. */
  readonly #short = new Map<GraphNode, number>();

  /**
   * @param run.policies what was said of the nodes before the run.
   * @param run.capacity what they share.
   * @param run.elsewhere whether they run on other machines, which may have more memory than a node asked for.
   */
  constructor(
    run: { readonly policies: Policies; readonly capacity: Capacity; readonly elsewhere?: boolean },
  ) {
    this.#run = run;
  }

  /** How a node runs; on other machines each attempt after one that ended for want of memory has twice as much, up to the pool's. */
  of(node: GraphNode): NodePolicy {
    const policy = this.#run.policies.of(node);
    const short = this.#short.get(node) ?? 0;
    if (policy.memory === undefined || short === 0 || !this.#run.elsewhere) return policy;
    return { ...policy, memory: Math.min(this.#run.capacity.memory, policy.memory * 2 ** short) };
  }

  /** An attempt of a node ended for want of memory. */
  fellShort(node: GraphNode): void {
    this.#short.set(node, (this.#short.get(node) ?? 0) + 1);
  }
}
