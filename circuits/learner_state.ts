import { type Circuit, type ParameterArray, parameterOf, replaceValues } from "./circuit.ts";
import { CircuitError } from "./errors.ts";
import type { Flows } from "./evaluator.ts";
import { CountedWeight } from "./evidence.ts";
import { checkRule, type UpdateRule } from "./learner.ts";
import { withParameters } from "./parameters.ts";
import { emptyFlows } from "./reference.ts";
import type { Tensor } from "./safetensors.ts";
import type { Samples } from "./samples.ts";
import { applyUpdate, recentreStatistics } from "./update.ts";

/** Expected counts by parameter id. */
export interface ExpectedCounts {
  /** Expected uses of edges, in the shape of the weights. */
  readonly weights: Map<string, Float64Array>;
  /** Statistics of leaves. */
  readonly statistics: Map<string, Float64Array>;
}

const PARTS = ["weights", "statistics"] as const;

/** The state of a learner on the host: current parameters, and counts accumulated in float64. */
export class LearnerState {
  #circuit: Circuit;
  #counts: ExpectedCounts;
  readonly #weight: CountedWeight;

  /** Starts from the parameters of `circuit`, without counts. */
  constructor(circuit: Circuit) {
    this.#circuit = circuit;
    this.#counts = emptyFlows(circuit);
    this.#weight = new CountedWeight(circuit);
  }

  /** The circuit with the current parameters; a new object after every change. */
  get circuit(): Circuit {
    return this.#circuit;
  }

  /** The accumulated counts; new objects after an update or a restore. */
  get counts(): ExpectedCounts {
    return this.#counts;
  }

  /** Adds counts to the accumulated ones. */
  add(flows: Pick<Flows, "weights" | "statistics">): void {
    for (const part of PARTS) {
      for (const [id, counts] of this.#counts[part]) {
        const more = flows[part].get(id);
        if (more === undefined) continue;
        for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + (more[i] as number);
      }
    }
  }

  /** Adds the weight of counted samples. */
  addWeight(samples: Samples, logLikelihoods: Float64Array, sampleWeights?: ArrayLike<number>): void {
    this.#weight.add(samples, logLikelihoods, sampleWeights);
  }

  /** The M-step: new parameters from the counts, which are then reset. @throws {CircuitError} see {@link checkRule} */
  update(rule: UpdateRule): void {
    checkRule(this.#circuit, rule);
    const values = this.copies();
    applyUpdate(this.#circuit, values, { ...this.#counts, weight: this.#weight }, rule);
    this.#circuit = replaceValues(this.#circuit, values);
    this.#counts = emptyFlows(this.#circuit);
    this.#weight.clear();
  }

  /** Copies of the current values of all parameters. */
  copies(): Map<string, ParameterArray> {
    return new Map([...this.#circuit.parameters].map(([id, { values }]) => [id, values.slice()]));
  }

  /** Replaces values of parameters (copied). @throws {CircuitError} for unknown ids, wrong lengths and values */
  setParameters(values: ReadonlyMap<string, ParameterArray>): void {
    const given = new Map([...values].map(([id, array]) => [id, array.slice()]));
    const changed = withParameters(this.#circuit, given);
    recentreStatistics(changed, this.#counts.statistics, this.copies(), given);
    this.#circuit = changed;
  }

  /** Copies of parameters, counts and weight as tensors by name; see {@link Learner.state}. */
  save(): ReadonlyMap<string, Tensor> {
    const weight = this.#weight.save();
    const tensors = new Map<string, Tensor>([["weight", { shape: [weight.length], values: weight }]]);
    for (const part of PARTS) {
      for (const [id, counts] of this.#counts[part]) {
        tensors.set(`${part}/${id}`, { shape: [counts.length], values: counts.slice() });
      }
    }
    for (const [id, values] of this.copies()) {
      tensors.set(`parameters/${id}`, { shape: parameterOf(this.#circuit, id).shape, values });
    }
    return tensors;
  }

  /** Restores the result of {@link save}. @throws {CircuitError} when it does not fit; nothing has changed then */
  restore(state: ReadonlyMap<string, Tensor>): void {
    const { weights, statistics } = emptyFlows(this.#circuit);
    const refuse = (name: string): never => {
      throw new CircuitError(
        "learning/state",
        `the state is of another circuit or engine: \`${name}\` does not fit`,
      );
    };
    const take = <T extends Float64Array | Float32Array>(name: string, like: T): T => {
      const values = state.get(name)?.values;
      if (values?.constructor !== like.constructor || values.length !== like.length) refuse(name);
      return (values as T).slice() as T;
    };
    const parameters = new Map(
      [...this.#circuit.parameters].map(([id, { values }]) => [id, take(`parameters/${id}`, values)]),
    );
    for (const [id, counts] of weights) weights.set(id, take(`weights/${id}`, counts));
    for (const [id, counts] of statistics) statistics.set(id, take(`statistics/${id}`, counts));
    // Must come last, because it changes the state.
    if (!this.#weight.restore(state.get("weight")?.values)) refuse("weight");
    this.#counts = { weights, statistics };
    this.#circuit = replaceValues(this.#circuit, parameters);
  }
}
