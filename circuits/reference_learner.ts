import type { Circuit, NodeId, ParameterArray } from "./circuit.ts";
import type { Activations, Flows, Semiring } from "./evaluator.ts";
import type { Accumulated, Learner, UpdateRule } from "./learner.ts";
import { LearnerState } from "./learner_state.ts";
import { ReferenceEvaluator, requireSingleRoot } from "./reference.ts";
import { checkSampleWeights, type Samples } from "./samples.ts";
import type { Tensor } from "./safetensors.ts";
import { Turns } from "./turns.ts";

/**
 * The slow, exact {@link Learner}: {@link ReferenceEvaluator} with accumulators in float64. Engines are
 * tested against it.
 */
export class ReferenceLearner implements Learner {
  /** The structure, with the parameters of the last `parameters`, `setParameters` or `restore`. */
  circuit: Circuit;
  readonly #state: LearnerState;
  readonly #turns = new Turns("learner");

  /** A learner that starts from the parameters of `circuit`. @throws {CircuitError} for a vector root */
  constructor(circuit: Circuit) {
    requireSingleRoot(circuit);
    this.circuit = circuit;
    this.#state = new LearnerState(circuit);
  }

  /** See {@link Learner.accumulate}. */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Accumulated> {
    return this.#turns.take(async () => {
      checkSampleWeights(samples, sampleWeights);
      const flows = await this.#evaluator().flows(samples, sampleWeights);
      this.#state.add(flows);
      this.#state.addWeight(samples, flows.logLikelihoods, sampleWeights);
      return { logLikelihoods: flows.logLikelihoods, impossible: flows.impossible };
    });
  }

  /** See {@link Learner.update}. */
  update(rule: UpdateRule): Promise<void> {
    return this.#turns.take(() => this.#state.update(rule));
  }

  /** See {@link Learner.parameters}. */
  parameters(): Promise<ReadonlyMap<string, ParameterArray>> {
    return this.#turns.take(() => {
      this.circuit = this.#state.circuit;
      return this.#state.copies();
    });
  }

  /** See {@link Learner.setParameters}. */
  setParameters(values: ReadonlyMap<string, ParameterArray>): Promise<void> {
    return this.#turns.take(() => {
      this.#state.setParameters(values);
      this.circuit = this.#state.circuit;
    });
  }

  /** See {@link Learner.state}. */
  state(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#turns.take(() => this.#state.save());
  }

  /** See {@link Learner.restore}. */
  restore(state: ReadonlyMap<string, Tensor>): Promise<void> {
    return this.#turns.take(() => {
      this.#state.restore(state);
      this.circuit = this.#state.circuit;
    });
  }

  /** See {@link Learner.close}; there is nothing to release. */
  close(): Promise<void> {
    return this.#turns.close(() => {});
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** See {@link Evaluator.logLikelihoods}. */
  logLikelihoods(samples: Samples): Promise<Float64Array> {
    return this.#turns.take(() => this.#evaluator().logLikelihoods(samples));
  }

  /** See {@link Evaluator.activations}. */
  activations(samples: Samples, semiring?: Semiring): Promise<Activations> {
    return this.#turns.take(() => this.#evaluator().activations(samples, semiring));
  }

  /** See {@link Evaluator.leafFlows}. */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>> {
    return this.#turns.take(() => this.#evaluator().leafFlows(samples, nodes));
  }

  /** See {@link Evaluator.flows}; the accumulators are unchanged. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return this.#turns.take(() => this.#evaluator().flows(samples, sampleWeights));
  }

  #evaluator(): ReferenceEvaluator {
    return new ReferenceEvaluator(this.#state.circuit);
  }
}
