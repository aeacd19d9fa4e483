import { type Circuit, type NodeId, type ParameterArray, parameterOf, replaceValues } from "./circuit.ts";
import { CircuitError } from "./errors.ts";
import type { Activations, Flows, Semiring } from "./evaluator.ts";
import { CountedWeight } from "./evidence.ts";
import { type Accumulated, checkRule, type Learner, type UpdateRule } from "./learner.ts";
import { withParameters } from "./parameters.ts";
import { emptyFlows, ReferenceEvaluator, requireSingleRoot } from "./reference.ts";
import { checkSampleWeights, type Samples } from "./samples.ts";
import type { Tensor } from "./safetensors.ts";
import { Turns } from "./turns.ts";
import { applyUpdate, recentreStatistics } from "./update.ts";

/**
 * The slow, exact {@link Learner}: {@link ReferenceEvaluator} with accumulators in float64. Engines are
 * tested against it.
 */
export class ReferenceLearner implements Learner {
  /** The structure, with the parameters of the last `parameters`, `setParameters` or `restore`. */
  circuit: Circuit;
  /** The circuit with the parameters as they are now. */
  #now: Circuit;
  #counts: { weights: Map<string, Float64Array>; statistics: Map<string, Float64Array> };
  /** Weight of the samples that are in them. */
  readonly #weight: CountedWeight;
  readonly #turns = new Turns("learner");

  /** A learner that starts from the parameters of `circuit`. @throws {CircuitError} for a vector root */
  constructor(circuit: Circuit) {
    requireSingleRoot(circuit);
    this.circuit = this.#now = circuit;
    this.#counts = emptyFlows(circuit);
    this.#weight = new CountedWeight(circuit);
  }

  /** See {@link Learner.accumulate}. */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Accumulated> {
    return this.#turns.take(async () => {
      checkSampleWeights(samples, sampleWeights);
      const flows = await this.#evaluator().flows(samples, sampleWeights);
      for (const part of ["weights", "statistics"] as const) {
        for (const [id, counts] of this.#counts[part]) {
          flows[part].get(id)?.forEach((x, i) => counts[i] = (counts[i] as number) + x);
        }
      }
      this.#weight.add(samples, flows.logLikelihoods, sampleWeights);
      return { logLikelihoods: flows.logLikelihoods, impossible: flows.impossible };
    });
  }

  /** See {@link Learner.update}. */
  update(rule: UpdateRule): Promise<void> {
    return this.#turns.take(() => {
      checkRule(this.#now, rule);
      const values = copies(this.#now);
      applyUpdate(this.#now, values, { ...this.#counts, weight: this.#weight }, rule);
      this.#now = replaceValues(this.#now, values);
      this.#counts = emptyFlows(this.#now);
      this.#weight.clear();
    });
  }

  /** See {@link Learner.parameters}. */
  parameters(): Promise<ReadonlyMap<string, ParameterArray>> {
    return this.#turns.take(() => {
      this.circuit = this.#now;
      return copies(this.#now);
    });
  }

  /** See {@link Learner.setParameters}. */
  setParameters(values: ReadonlyMap<string, ParameterArray>): Promise<void> {
    return this.#turns.take(() => {
      const given = new Map([...values].map(([id, array]) => [id, array.slice()]));
      const changed = withParameters(this.#now, given);
      recentreStatistics(changed, this.#counts.statistics, copies(this.#now), given);
      this.circuit = this.#now = changed;
    });
  }

  /** See {@link Learner.state}. */
  state(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#turns.take(() => {
      const weight = this.#weight.save();
      const tensors = new Map<string, Tensor>([["weight", {
        shape: [weight.length],
        values: weight,
      }]]);
      for (const part of ["weights", "statistics"] as const) {
        for (const [id, counts] of this.#counts[part]) {
          tensors.set(`${part}/${id}`, { shape: [counts.length], values: counts.slice() });
        }
      }
      for (const [id, values] of copies(this.#now)) {
        tensors.set(`parameters/${id}`, { shape: parameterOf(this.#now, id).shape, values });
      }
      return tensors;
    });
  }

  /** See {@link Learner.restore}. */
  restore(state: ReadonlyMap<string, Tensor>): Promise<void> {
    return this.#turns.take(() => {
      const { weights, statistics } = emptyFlows(this.#now);
      const refuse = (name: string): never => {
        throw new CircuitError(`The state is of another circuit or engine: \`${name}\` does not fit.`);
      };
      const take = <T extends Float64Array | Float32Array>(name: string, like: T): T => {
        const values = state.get(name)?.values;
        if (values?.constructor !== like.constructor || values.length !== like.length) refuse(name);
        return (values as T).slice() as T;
      };
      const parameters = new Map(
        [...this.#now.parameters].map(([id, { values }]) => [id, take(`parameters/${id}`, values)]),
      );
      for (const [id, counts] of weights) weights.set(id, take(`weights/${id}`, counts));
      for (const [id, counts] of statistics) statistics.set(id, take(`statistics/${id}`, counts));
      // Last: it changes something.
      if (!this.#weight.restore(state.get("weight")?.values)) refuse("weight");
      this.#counts = { weights, statistics };
      this.circuit = this.#now = replaceValues(this.#now, parameters);
    });
  }

  /** See {@link Learner.close}: nothing to give back. */
  close(): Promise<void> {
    return this.#turns.close(() => {});
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

  /** See {@link Evaluator.flows}; the accumulators stay as they are. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return this.#turns.take(() => this.#evaluator().flows(samples, sampleWeights));
  }

  #evaluator(): ReferenceEvaluator {
    return new ReferenceEvaluator(this.#now);
  }
}

function copies(circuit: Circuit): Map<string, ParameterArray> {
  return new Map([...circuit.parameters].map(([id, { values }]) => [id, values.slice()]));
}
