import type { Circuit, NodeId } from "./circuit.ts";
import type { Samples } from "./samples.ts";

/**
 * How sum nodes combine: `sum` for likelihoods, `max` for max-product (the best weighted input; a missing
 * value counts as its leaf's mode).
 */
export type Semiring = "sum" | "max";

/** The upward pass of a batch of samples. */
export interface Activations {
  /** Natural logarithms of the units of a node, `[samples, units]`; -Infinity for impossible, never NaN. */
  of(node: NodeId): Float64Array | Float32Array;
}

/** What a batch of samples says about the parameters: the E-step. */
export interface Flows {
  /** Log-likelihood of every sample, `[samples]`. */
  readonly logLikelihoods: Float64Array;
  /**
   * By id, for the parameters of sum nodes: the expected number of times each edge is taken, of the shape of
   * the parameter; uses of a tied parameter are added up. A sample of which nothing below a node was observed takes none of
   * its edges.
   */
  readonly weights: ReadonlyMap<string, Float64Array>;
  /**
   * By id, for the parameters of leaves: expected sufficient statistics `[units, width]`, the width being the
   * family's. Only observed values count.
   */
  readonly statistics: ReadonlyMap<string, Float64Array>;
  /** Samples of likelihood zero: they add nothing to weights and statistics. */
  readonly impossible: number;
}

/**
 * Runs one circuit. All queries are written against this interface; the reference evaluator is the slow,
 * exact implementation, engines are the fast ones. A missing value is always marginalised.
 */
export interface Evaluator {
  /** The circuit it runs. */
  readonly circuit: Circuit;
  /** Log-likelihoods of the observed values, `[samples, units of the root]`. */
  logLikelihoods(samples: Samples): Promise<Float64Array>;
  /** The upward pass with the value of every node kept. */
  activations(samples: Samples, semiring?: Semiring): Promise<Activations>;
  /**
   * For the given input nodes: the posterior probability `[samples, units]` that the sample was made by each
   * unit, given what is observed. Needs a root of one unit. Zero for impossible samples.
   */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>>;
  /**
   * Expected counts of all parameters over the batch; `sampleWeights`, `[samples]`, counts a sample that many
   * times. Needs a root of one unit.
   */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows>;
}
