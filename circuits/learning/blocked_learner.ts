import { type Circuit, type NodeId, type ParameterArray, replaceValues } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import type { Activations, Flows, Semiring } from "../evaluator.ts";
import { requireEvaluator } from "../guards.ts";
import {
  type Accumulated,
  checkRule,
  type Learner,
  parameterOwners,
  settingsFor,
  type UpdateRule,
} from "../learner.ts";
import { LearnerState } from "../learner_state.ts";
import type { Tensor } from "../safetensors.ts";
import type { Samples } from "../samples.ts";
import type { BlockedHmmOptions } from "../structures/blocked_hmm.ts";
import { blockedHmmOptions } from "../structures/blocked_options.ts";
import { Turns } from "../turns.ts";
import { BlockedHmmCounts, type BlockedSmoothing, requireSmoothing } from "./blocked_counts.ts";

/**
 * The M-step of a blocked HMM that is smoothed by levels, as counting is: its parameters, by id.
 *
 * @param options those of a blocked HMM with one unit of backoff
 * @param counts expected counts under it, see `Evaluator.flows`
 * @throws {CircuitError} on other options, and on smoothing below 0
 */
export function stepByLevels(
  options: BlockedHmmOptions,
  counts: Pick<Flows, "weights" | "statistics">,
  smoothing: BlockedSmoothing,
): ReadonlyMap<string, ParameterArray> {
  const sums = new BlockedHmmCounts(options);
  sums.addExpected(counts);
  return new Map([...sums.circuit(smoothing).parameters].map(([id, { values }]) => [id, values]));
}

/**
 * Learns a blocked HMM by EM whose M-step smooths by levels, from the general to the particular, as counting does: expected
 * counts take the place of those of known states ({@link BlockedHmmCounts}). Another learner makes the E-step; counts are
 * kept here.
 */
export class BlockedHmmLearner implements Learner {
  /** See {@link Learner.smooths}. */
  readonly smooths = true;
  readonly #engine: Learner;
  readonly #options: BlockedHmmOptions;
  readonly #smoothing: BlockedSmoothing;
  #state: LearnerState;
  readonly #turns = new Turns("learner");

  /**
   * Learns the circuit of an engine, from its parameters.
   * @param engine a learner of a blocked HMM with one unit of backoff, closed with this one
   * @param smoothing virtual samples of each level
   * @throws {CircuitError} on another circuit, and on smoothing below 0
   */
  constructor(engine: Learner, smoothing: BlockedSmoothing = {}) {
    requireEvaluator(engine);
    requireSmoothing(smoothing);
    this.#engine = engine;
    this.#options = blockedHmmOptions(engine.circuit);
    // Refuses what cannot be counted before any sample is read.
    new BlockedHmmCounts(this.#options);
    this.#smoothing = smoothing;
    this.#state = new LearnerState(engine.circuit);
  }

  /** See {@link Evaluator.circuit}. */
  get circuit(): Circuit {
    return this.#engine.circuit;
  }

  /** See {@link Learner.accumulate}. */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Accumulated> {
    return this.#turns.take(async () => {
      const flows = await this.#engine.flows(samples, sampleWeights);
      this.#state.add(flows);
      this.#state.addWeight(samples, flows.logLikelihoods, sampleWeights);
      return { logLikelihoods: flows.logLikelihoods, impossible: flows.impossible };
    });
  }

  /**
   * See {@link Learner.update}. Of the settings of a rule `frozen` counts; the levels are in the place of all others.
   * @throws {CircuitError} on another step than `em`
   */
  update(rule: UpdateRule): Promise<void> {
    return this.#turns.take(async () => {
      const { circuit } = this.#state;
      checkRule(circuit, rule);
      requireEm(rule.step);
      const fresh = new Map<string, ParameterArray>();
      const owners = parameterOwners(circuit);
      for (const [id, values] of stepByLevels(this.#options, this.#state.counts, this.#smoothing)) {
        if (!settingsFor(rule, id, owners.get(id)!.kind).frozen) fresh.set(id, values);
      }
      await this.#engine.setParameters(fresh);
      this.#state = new LearnerState(replaceValues(circuit, new Map([...this.#state.copies(), ...fresh])));
    });
  }

  /** See {@link Learner.parameters}. */
  parameters(): Promise<ReadonlyMap<string, ParameterArray>> {
    return this.#turns.take(() => this.#engine.parameters());
  }

  /** See {@link Learner.setParameters}. */
  setParameters(values: ReadonlyMap<string, ParameterArray>): Promise<void> {
    return this.#turns.take(async () => {
      await this.#engine.setParameters(values);
      this.#state.setParameters(values);
    });
  }

  /** See {@link Learner.state}. */
  state(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#turns.take(() => this.#state.save());
  }

  /** See {@link Learner.restore}. */
  restore(state: ReadonlyMap<string, Tensor>): Promise<void> {
    return this.#turns.take(async () => {
      this.#state.restore(state);
      await this.#engine.setParameters(this.#state.copies());
    });
  }

  /** See {@link Learner.close}. */
  close(): Promise<void> {
    return this.#turns.close(() => this.#engine.close());
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** See {@link Evaluator.logLikelihoods}. */
  logLikelihoods(samples: Samples): Promise<Float64Array> {
    return this.#turns.take(() => this.#engine.logLikelihoods(samples));
  }

  /** See {@link Evaluator.activations}. */
  activations(samples: Samples, semiring?: Semiring): Promise<Activations> {
    return this.#turns.take(() => this.#engine.activations(samples, semiring));
  }

  /** See {@link Evaluator.leafFlows}. */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>> {
    return this.#turns.take(() => this.#engine.leafFlows(samples, nodes));
  }

  /** See {@link Evaluator.flows}; the accumulators are unchanged. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return this.#turns.take(() => this.#engine.flows(samples, sampleWeights));
  }
}

/** Checks that a step is one that counts alone decide. @throws {CircuitError} naming another */
export function requireEm({ kind }: { readonly kind: string }): void {
  if (kind === "em") return;
  throw new CircuitError(
    "circuit/argument",
    `the step is \`${kind}\`, expected \`em\`: smoothing by levels is of the counts of all samples`,
  );
}
