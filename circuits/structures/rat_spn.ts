import type { Circuit, Variable } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireList, requireObject, requireWhole } from "../guards.ts";
import { RandomStream } from "../random.ts";
import { circuitOfRegions, type Region, type RegionOptions } from "./region_graph.ts";

/** Options of {@link ratSpn}. */
export interface RatSpnOptions extends RegionOptions {
  /** How often the variables are split in two; at most log2 of the number of variables. */
  readonly depth: number;
  /** Number of random trees mixed at the root. */
  readonly replicas: number;
}

/**
 * A random tensorised circuit (Peharz et al., "Random Sum-Product Networks", UAI 2019): each replica splits the variables
 * into random balanced halves `depth` times. Products are elementwise; see {@link circuitOfRegions}.
 * @throws {CircuitError} when the variables cannot be split `depth` times
 */
export function ratSpn(variables: readonly Variable[], options: RatSpnOptions): Circuit {
  requireList("the variables", variables);
  requireObject("the options of `ratSpn`", options);
  const { depth, replicas } = options;
  requireWhole("depth", depth, 0);
  if (!(2 ** depth <= variables.length)) {
    throw new CircuitError(
      "circuit/argument",
      `depth is ${depth}: ${variables.length} variables cannot be halved that often`,
    );
  }
  requireWhole("replicas", replicas, 1);
  const random = new RandomStream(options.seed ?? 0, 0, 0, 0x72617473);
  const split = (scope: readonly number[], left: number): Region => {
    if (left === 0) return { variables: scope, partitions: [] };
    const order = random.permutation(scope.length).map((i) => scope[i] as number);
    const half = Math.ceil(order.length / 2);
    const parts = [order.slice(0, half), order.slice(half)].map((part) =>
      split(part.sort((a, b) => a - b), left - 1)
    );
    return { variables: scope, partitions: [parts] };
  };
  const all = variables.map((_, v) => v);
  const trees = Array.from({ length: replicas }, () => split(all, depth));
  // Depth 0: each replica is one product of leaves, a component of a plain mixture.
  const root: Region = {
    variables: all,
    partitions: trees.flatMap((tree) => tree.partitions.length === 0 ? [[tree]] : tree.partitions),
  };
  return circuitOfRegions(variables, root, options);
}
