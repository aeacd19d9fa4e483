import {
  type Accumulated,
  type Activations,
  checkRule,
  checkSamples,
  checkSampleWeights,
  type Circuit,
  type Flows,
  type InputNode,
  type NodeId,
  nodeOf,
  type ParameterArray,
  parameterOf,
  parameterOwners,
  replaceValues,
  requireSingleRoot,
  rootUnits,
  type Samples,
  type Semiring,
  sliceSamples,
  type StateCounts,
  type StateFlows,
  type Tensor,
  Turns,
  type UpdateRule,
  withParameters,
} from "../../circuits/mod.ts";
import type { Engine, EngineOptions } from "../engine.ts";
import { DEFAULT_MEMORY, largestBatch, type PassKind } from "../memory.ts";
import type { OnnxSessionOptions } from "../onnx/session.ts";
import { ExactSamples } from "./exact_samples.ts";
import { CpuModel } from "./model.ts";
import { CertifiedPasses } from "./passes.ts";
import { readActivations, readFlows } from "./results.ts";
import { type GraphBatch, GraphRunner } from "./graph_runner.ts";
import { type CountState, restoreState, saveState } from "./state.ts";
import { updateParameters } from "./update.ts";

/**
 * The CPU engine: runs the plan as ONNX graphs in ONNX Runtime, in float32 with a scale per row. Results that are not
 * certified are recomputed in float64, one sample at a time; see docs/engines.md.
 */
export class CpuEngine implements Engine {
  readonly name = "cpu";
  readonly adapter: string;
  /** The structure, with the parameters as of the last `parameters`, `setParameters` or `restore`. */
  circuit: Circuit;
  readonly #model: CpuModel;
  readonly #memory: number;
  readonly #runner: GraphRunner;
  readonly #counts: CountState;
  readonly #exact: ExactSamples;
  readonly #passes: CertifiedPasses;
  readonly #turns = new Turns("engine");

  /** Creates an engine for a circuit; graphs are loaded on demand. */
  constructor(circuit: Circuit, options: EngineOptions & Pick<OnnxSessionOptions, "profile"> = {}) {
    const { memory = DEFAULT_MEMORY, threads = navigator.hardwareConcurrency, profile, graphs } = options;
    this.circuit = circuit;
    this.#memory = memory;
    this.#model = new CpuModel(circuit);
    this.#runner = new GraphRunner(this.#model, {
      threads,
      ...(profile !== undefined && { profile }),
    }, graphs);
    this.#exact = new ExactSamples(this.#model);
    this.#passes = new CertifiedPasses(this.#runner, this.#exact);
    this.#counts = this.#model.newCounts();
    this.adapter = `ONNX Runtime, ${threads} thread${threads === 1 ? "" : "s"}`;
  }

  /** Number of samples recomputed exactly so far. */
  get recomputed(): number {
    return this.#exact.recomputed;
  }

  /** See `Evaluator.logLikelihoods`. */
  logLikelihoods(samples: Samples): Promise<Float64Array> {
    return this.#turns.take(async () => {
      checkSamples(this.circuit, samples);
      const units = rootUnits(this.circuit);
      const out = new Float64Array(samples.count * units);
      await this.#inBatches(samples, "forward", async (batch, first) => {
        out.set(await this.#passes.likelihoods(batch), first * units);
      });
      return out;
    });
  }

  /**
   * See `Evaluator.activations`. Even in samples with a certified likelihood, units so far below others of their node
   * that they do not affect that likelihood may be inaccurate, or -Infinity.
   */
  activations(samples: Samples, semiring: Semiring = "sum"): Promise<Activations> {
    return this.#turns.take(async () => {
      checkSamples(this.circuit, samples);
      const values = this.circuit.nodes.map((node) => new Float64Array(samples.count * node.units));
      const exactly = (s: number) => {
        this.#exact.pass(samples).up(s, semiring);
        this.#exact.pass(samples).logs.forEach((logs, id) => values[id]?.set(logs, s * logs.length));
      };
      if (semiring === "max") { for (let s = 0; s < samples.count; s++) exactly(s); }
      else {
        await this.#inBatches(samples, "training", async (batch, first) => {
          const uncertified: number[] = [];
          await this.#passes.likelihoods(batch, uncertified);
          const results = await this.#runner.run("activations", batch, false);
          readActivations(
            this.#model.plan,
            this.#runner.segmentation,
            results,
            batch.samples.count,
            first,
            values,
          );
          for (const node of this.circuit.nodes) {
            if (node.kind !== "input") continue;
            const all = values[node.id] as Float64Array;
            for (let s = 0; s < batch.samples.count; s++) {
              const at = (first + s) * node.units;
              this.#model.leaves.logs(node, batch.samples, s, "sum", all.subarray(at, at + node.units));
            }
          }
          for (const s of uncertified) exactly(first + s);
        });
      }
      return { of: (node) => values[nodeOf(this.circuit, node).id] as Float64Array };
    });
  }

  /** See `Evaluator.leafFlows`. */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>> {
    return this.#turns.take(async () => {
      checkSamples(this.circuit, samples);
      requireSingleRoot(this.circuit);
      const out = new Map(
        nodes.map((id) => [id, new Float64Array(samples.count * nodeOf(this.circuit, id).units)]),
      );
      await this.#inBatches(samples, "training", async (batch, first) => {
        const { uncertified, results } = await this.#passes.down("leaves", batch, undefined);
        for (const [id, array] of out) {
          readFlows(
            this.#model.plan,
            this.#runner.segmentation,
            results,
            id,
            batch.samples.count,
            first,
            array,
          );
        }
        for (const s of uncertified) {
          if (this.#exact.up(batch.samples, s)[0] === -Infinity) continue;
          const exact = this.#exact.pass(batch.samples);
          exact.down();
          for (const [id, array] of out) {
            const flow = exact.flows[id] as Float64Array;
            array.set(flow, (first + s) * flow.length);
          }
        }
      });
      return out;
    });
  }

  /** See `Evaluator.flows`; the accumulators are not changed. */
  async flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return await this.#flows(samples, sampleWeights, (node, { leaves }) => leaves.statisticsOf(node));
  }

  /** See `Evaluator.stateFlows`; the accumulators are not changed. */
  async stateFlows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<StateFlows> {
    return await this.#flows<StateCounts | Float64Array>(
      samples,
      sampleWeights,
      (node, { leaves }) => leaves.statesOf(node) ?? leaves.statisticsOf(node),
    );
  }

  /** Expected counts of a batch, those of leaves as `statisticsOf` gives them. */
  #flows<T>(
    samples: Samples,
    sampleWeights: ArrayLike<number> | undefined,
    statisticsOf: (node: InputNode, counts: CountState) => T,
  ): Promise<Omit<Flows, "statistics"> & { readonly statistics: ReadonlyMap<string, T> }> {
    return this.#turns.take(async () => {
      const counts = this.#model.newCounts();
      // Shards come whole. Large batches are no quicker, and the memory that they touch first takes its time.
      const memory = this.#memory / 4;
      const { logLikelihoods, impossible } = await this.#count(samples, sampleWeights, counts, memory);
      const weights = new Map<string, Float64Array>(), statistics = new Map<string, T>();
      for (const [id, node] of parameterOwners(this.circuit)) {
        if (node.kind === "input") statistics.set(id, statisticsOf(node, counts));
        else {
          const { length } = parameterOf(this.circuit, id).values;
          weights.set(id, counts.weights.countsOf(id, this.#model.weights, new Float64Array(length)));
        }
      }
      return { logLikelihoods, weights, statistics, impossible };
    });
  }

  /** See `Learner.accumulate`. */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Accumulated> {
    return this.#turns.take(() => this.#count(samples, sampleWeights, this.#counts));
  }

  /** See `Learner.update`. */
  update(rule: UpdateRule): Promise<void> {
    return this.#turns.take(() => {
      checkRule(this.circuit, rule);
      updateParameters({
        circuit: this.circuit,
        weights: this.#model.weights,
        leaves: this.#model.leaves,
        weightCounts: this.#counts.weights,
        leafCounts: this.#counts.leaves,
        weight: this.#counts.weight,
      }, rule);
      this.#counts.weights.clear();
      this.#counts.leaves.clear();
      this.#counts.weight.clear();
    });
  }

  /** See `Learner.parameters`. */
  parameters(): Promise<ReadonlyMap<string, ParameterArray>> {
    return this.#turns.take(() => {
      this.circuit = replaceValues(this.circuit, this.#model.values());
      return this.#model.values();
    });
  }

  /** See `Learner.setParameters`. */
  setParameters(values: ReadonlyMap<string, ParameterArray>): Promise<void> {
    return this.#turns.take(() => {
      withParameters(this.circuit, values);
      this.#counts.leaves.recentre(values);
      const { weights } = this.#model;
      for (const id of values.keys()) if (weights.has(id)) this.#counts.weights.settle(id, weights);
      this.#model.setValues(values);
      this.circuit = replaceValues(this.circuit, this.#model.values());
    });
  }

  /** See `Learner.state`. */
  state(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#turns.take(() =>
      saveState(this.circuit, this.#model.values(), this.#model.weights, this.#counts)
    );
  }

  /** See `Learner.restore`. */
  restore(state: ReadonlyMap<string, Tensor>): Promise<void> {
    return this.#turns.take(() => {
      const values = restoreState(this.circuit, state, this.#model.weights, this.#counts);
      this.#model.setValues(values);
      this.circuit = replaceValues(this.circuit, this.#model.values());
    });
  }

  /** See `Learner.close`. */
  close(): Promise<void> {
    return this.#turns.close(() => this.#runner.close());
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The E-step: adds to `counts`. */
  async #count(
    samples: Samples,
    sampleWeights: ArrayLike<number> | undefined,
    counts: CountState,
    memory = this.#memory,
  ): Promise<Accumulated> {
    const { circuit } = this;
    requireSingleRoot(circuit);
    checkSamples(circuit, samples);
    checkSampleWeights(samples, sampleWeights);
    const logLikelihoods = new Float64Array(samples.count);
    let impossible = 0;
    await this.#inBatches(samples, "training", async (batch, first) => {
      const own = sampleWeights &&
        Float64Array.from({ length: batch.samples.count }, (_, s) => sampleWeights[first + s] as number);
      const logs = await this.#passes.count(batch, own, counts);
      for (const log of logs) if (log === -Infinity) impossible++;
      counts.weight.add(batch.samples, logs, own);
      logLikelihoods.set(logs, first);
    }, memory);
    return { logLikelihoods, impossible };
  }

  async #inBatches(
    samples: Samples,
    passes: PassKind,
    run: (batch: GraphBatch, first: number) => Promise<void>,
    memory = this.#memory,
  ): Promise<void> {
    const most = largestBatch(this.#model.plan, memory, passes);
    // Batches of equal size: a small last one would be inefficient.
    const parts = Math.ceil(samples.count / most), size = Math.ceil(samples.count / parts);
    for (let first = 0; first < samples.count; first += size) {
      const part = sliceSamples(samples, first, Math.min(samples.count, first + size));
      await run(this.#runner.prepare(part), first);
    }
  }
}
