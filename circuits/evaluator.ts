import type { Circuit, NodeId } from "./circuit.ts";
import type { Samples } from "./samples.ts";

/**
 * How sum nodes combine their inputs: `sum` for likelihoods, `max` for max-product (the best weighted input; a missing
 * value counts as its leaf's mode).
 */
export type Semiring = "sum" | "max";

/** The result of the upward pass over a batch of samples. */
export interface Activations {
  /** Natural logarithms of the units of a node, `[samples, units]`; -Infinity for impossible, never NaN. */
  of(node: NodeId): Float64Array | Float32Array;
}

/** The expected counts of a batch of samples: the result of the E-step. */
export interface Flows {
  /** Log-likelihood of every sample, `[samples]`. */
  readonly logLikelihoods: Float64Array;
  /**
   * Expected number of uses of each edge, by id of the parameters of sum nodes, in the parameter's shape; uses of a tied
   * parameter are summed. Samples with nothing observed below a node use none of its edges.
   */
  readonly weights: ReadonlyMap<string, Float64Array>;
  /**
   * Expected sufficient statistics `[units, width]`, by id of the parameters of leaves; `width` is defined by the family.
   * Only observed values count.
   */
  readonly statistics: ReadonlyMap<string, Float64Array>;
  /** Number of samples with likelihood zero: they add nothing to weights and statistics. */
  readonly impossible: number;
}

/** Statistics of a leaf parameter that counts states: `[units]` by state, without the states that nothing was counted of. */
export type StateCounts = ReadonlyMap<number, Float64Array>;

/** {@link Flows} in which states without counts take no room: most words of a large vocabulary do not occur in a batch. */
export interface StateFlows extends Omit<Flows, "statistics"> {
  /** By id of the parameters of leaves: counts by state, or statistics `[units, width]`. */
  readonly statistics: ReadonlyMap<string, StateCounts | Float64Array>;
}

/**
 * Evaluates one circuit. All queries are written against this interface; the reference evaluator is the slow, exact
 * implementation, engines are the fast ones. Missing values are always marginalised.
 */
export interface Evaluator {
  /** The circuit that it evaluates. */
  readonly circuit: Circuit;
  /** Log-likelihoods of the observed values, `[samples, units of the root]`. */
  logLikelihoods(samples: Samples): Promise<Float64Array>;
  /** The upward pass, keeping the value of every node. */
  activations(samples: Samples, semiring?: Semiring): Promise<Activations>;
  /**
   * For the given input nodes: the posterior probability `[samples, units]` that each unit generated the sample, given
   * the observed values. Needs a root with one unit. Zero for impossible samples.
   */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>>;
  /**
   * Expected counts of all parameters over the batch; `sampleWeights`, `[samples]`, gives the multiplicity of each
   * sample. Needs a root with one unit.
   */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows>;
  /** What {@link flows} gives, in less room; engines may lack it. */
  stateFlows?(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<StateFlows>;
}
