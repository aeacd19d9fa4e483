import {
  type Accumulated,
  type Activations,
  checkRule,
  checkSamples,
  checkSampleWeights,
  type Circuit,
  emptyFlows,
  type Flows,
  type NodeId,
  nodeOf,
  requireSingleRoot,
  rootUnits,
  type Samples,
  type Semiring,
  sliceSamples,
  takeSamples,
  type Tensor,
  type UpdateRule,
  withParameters,
} from "../../circuits/mod.ts";
import type { Engine, EngineOptions } from "../engine.ts";
import { DEFAULT_MEMORY, largestBatch, type Passes } from "../memory.ts";
import type { SessionOptions } from "../onnx/session.ts";
import { type InputGroup, type Plan, planOf } from "../plan.ts";
import { ExactSamples } from "./exact_samples.ts";
import { LeafCounts, type LeafRows, LeafStore } from "./leaf_store.ts";
import type { Program } from "./programs.ts";
import { readActivations, readFlows } from "./results.ts";
import { type Batch, type Results, Runner } from "./runner.ts";
import type { Segment } from "./segments.ts";
import { type CountState, restoreState, saveState } from "./state.ts";
import { updateParameters } from "./update.ts";
import { findLosses, judgeRoot, judgeRows, shortfalls } from "./verdicts.ts";
import { WeightCounts, WeightStore } from "./weight_store.ts";

/** Nats that likelihoods with and without raised weights may differ by. */
const SAME = 1e-5;

/**
 * The engine on the processor: the plan as ONNX graphs, run by ONNX Runtime in float32 with a scale for every
 * row. Results that float32 cannot vouch for are computed again, exactly, sample by sample: see
 * docs/engines.md.
 */
export class CpuEngine implements Engine {
  readonly name = "cpu";
  readonly adapter: string;
  /** The structure, with the parameters of the last `parameters`, `setParameters` or `restore`. */
  circuit: Circuit;
  readonly #plan: Plan;
  readonly #memory: number;
  readonly #weights: WeightStore;
  readonly #leaves: LeafStore;
  readonly #runner: Runner;
  readonly #counts: CountState;
  readonly #exact: ExactSamples;
  #last: Promise<unknown> = Promise.resolve();

  /** An engine for a circuit; nothing is loaded before it is needed. */
  constructor(circuit: Circuit, options: EngineOptions & Pick<SessionOptions, "profile"> = {}) {
    const { memory = DEFAULT_MEMORY, threads = navigator.hardwareConcurrency, profile } = options;
    this.circuit = circuit;
    this.#memory = memory;
    this.#plan = planOf(circuit);
    this.#weights = new WeightStore(this.#plan);
    this.#leaves = new LeafStore(this.#plan);
    this.#runner = new Runner(this.#plan, this.#weights, this.#leaves, {
      threads,
      ...(profile !== undefined && { profile }),
    });
    this.#exact = new ExactSamples(this.#plan, this.#weights, this.#leaves);
    this.#counts = this.#newCounts();
    this.adapter = `ONNX Runtime, ${threads} thread${threads === 1 ? "" : "s"}`;
  }

  /** How many samples so far had to be computed again, exactly. */
  get recomputed(): number {
    return this.#exact.recomputed;
  }

  /** See `Evaluator.logLikelihoods`. */
  logLikelihoods(samples: Samples): Promise<Float64Array> {
    return this.#inTurn(async () => {
      checkSamples(this.circuit, samples);
      const units = rootUnits(this.circuit);
      const out = new Float64Array(samples.count * units);
      await this.#inBatches(samples, "forward", async (batch, first) => {
        out.set(await this.#likelihoods(batch), first * units);
      });
      return out;
    });
  }

  /**
   * See `Evaluator.activations`. Of a sample whose likelihood float32 vouches for, units that are so far below
   * others of their node that they have no part in that likelihood may be off, or -Infinity.
   */
  activations(samples: Samples, semiring: Semiring = "sum"): Promise<Activations> {
    return this.#inTurn(async () => {
      checkSamples(this.circuit, samples);
      const values = this.circuit.nodes.map((node) => new Float64Array(samples.count * node.units));
      const exactly = (s: number) => {
        this.#exact.pass(samples).up(s, semiring);
        this.#exact.pass(samples).logs.forEach((logs, id) => values[id]?.set(logs, s * logs.length));
      };
      if (semiring === "max") { for (let s = 0; s < samples.count; s++) exactly(s); }
      else {
        await this.#inBatches(samples, "training", async (batch, first) => {
          const doubtful: number[] = [];
          await this.#likelihoods(batch, doubtful);
          const results = await this.#runner.run("activations", batch, false);
          readActivations(this.#plan, this.#runner.segmentation, results, batch.samples.count, first, values);
          for (const node of this.circuit.nodes) {
            if (node.kind !== "input") continue;
            const all = values[node.id] as Float64Array;
            for (let s = 0; s < batch.samples.count; s++) {
              const at = (first + s) * node.units;
              this.#leaves.logs(node, batch.samples, s, "sum", all.subarray(at, at + node.units));
            }
          }
          for (const s of doubtful) exactly(first + s);
        });
      }
      return { of: (node) => values[nodeOf(this.circuit, node).id] as Float64Array };
    });
  }

  /** See `Evaluator.leafFlows`. */
  leafFlows(samples: Samples, nodes: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Float64Array>> {
    return this.#inTurn(async () => {
      checkSamples(this.circuit, samples);
      requireSingleRoot(this.circuit);
      const out = new Map(
        nodes.map((id) => [id, new Float64Array(samples.count * nodeOf(this.circuit, id).units)]),
      );
      await this.#inBatches(samples, "training", async (batch, first) => {
        const { flows } = await this.#runner.program("leaves");
        const { doubtful, results } = await this.#down("leaves", batch, undefined);
        for (const [id, array] of out) {
          readFlows(
            this.#plan,
            this.#runner.segmentation,
            flows,
            results,
            id,
            batch.samples.count,
            first,
            array,
          );
        }
        for (const s of doubtful) {
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

  /** See `Evaluator.flows`; the accumulators stay as they are. */
  flows(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Flows> {
    return this.#inTurn(async () => {
      const counts = this.#newCounts();
      const { logLikelihoods, impossible } = await this.#count(samples, sampleWeights, counts);
      const { weights, statistics } = emptyFlows(this.circuit);
      for (const [id, out] of weights) counts.weights.countsOf(id, this.#weights, out);
      for (const node of this.circuit.nodes) {
        if (node.kind !== "input" || node.parameter === undefined) continue;
        if (statistics.has(node.parameter)) {
          statistics.set(node.parameter, counts.leaves.statisticsOf(node));
        }
      }
      return { logLikelihoods, weights, statistics, impossible };
    });
  }

  /** See `Learner.accumulate`. */
  accumulate(samples: Samples, sampleWeights?: ArrayLike<number>): Promise<Accumulated> {
    return this.#inTurn(() => this.#count(samples, sampleWeights, this.#counts));
  }

  /** See `Learner.update`. */
  update(rule: UpdateRule): Promise<void> {
    return this.#inTurn(() => {
      checkRule(this.circuit, rule);
      updateParameters({
        circuit: this.circuit,
        weights: this.#weights,
        leaves: this.#leaves,
        weightCounts: this.#counts.weights,
        leafCounts: this.#counts.leaves,
        weight: this.#counts.weight,
      }, rule);
      this.#counts.weights.clear();
      this.#counts.leaves.clear();
      this.#counts.weight = 0;
    });
  }

  /** See `Learner.parameters`. */
  parameters(): Promise<ReadonlyMap<string, Float32Array>> {
    return this.#inTurn(() => {
      this.circuit = withParameters(this.circuit, this.#values());
      return this.#values();
    });
  }

  /** See `Learner.setParameters`. */
  setParameters(values: ReadonlyMap<string, Float32Array>): Promise<void> {
    return this.#inTurn(() => {
      withParameters(this.circuit, values);
      this.#set(values);
      this.circuit = withParameters(this.circuit, this.#values());
    });
  }

  /** See `Learner.state`. */
  state(): Promise<ReadonlyMap<string, Tensor>> {
    return this.#inTurn(() => saveState(this.circuit, this.#values(), this.#weights, this.#counts));
  }

  /** See `Learner.restore`. */
  restore(state: ReadonlyMap<string, Tensor>): Promise<void> {
    return this.#inTurn(() => {
      const values = restoreState(this.circuit, state, this.#weights, this.#counts);
      this.#set(values);
      this.circuit = withParameters(this.circuit, this.#values());
    });
  }

  /** See `Learner.close`. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#runner.close());
  }

  /** Root log-likelihoods of a batch, `[samples, units]`; with `doubtful`, those are only listed there. */
  async #likelihoods(batch: Batch, doubtful?: number[]): Promise<Float64Array> {
    if (!this.#isQuick) return await this.#boundedLikelihoods(batch, doubtful);
    const root = this.#runner.segmentation.segments.at(-1) as Segment;
    const results = await this.#runner.run("quick likelihoods", batch, false);
    const { logs } = judgeRows(root, results, batch.samples.count);
    const rest = shortfalls(results), restDoubtful: number[] = [];
    if (rest.length === 0) return logs;
    const part = this.#runner.prepare(takeSamples(batch.samples, rest));
    const found = await this.#boundedLikelihoods(part, doubtful && restDoubtful);
    const units = rootUnits(this.circuit);
    rest.forEach((s, i) => logs.set(found.subarray(i * units, (i + 1) * units), s * units));
    doubtful?.push(...restDoubtful.map((i) => rest[i] as number));
    return logs;
  }

  /** The same with error bounds for all samples. */
  async #boundedLikelihoods(batch: Batch, doubtful?: number[]): Promise<Float64Array> {
    const { count } = batch.samples, units = rootUnits(this.circuit);
    const root = this.#runner.segmentation.segments.at(-1) as Segment;
    const judged = () => judgeRows(root, results, count);
    let results = await this.#runner.run("likelihoods", batch, true);
    const { logs, unsure } = judged();
    if (this.#weights.isRaised) {
      // What is missing without the raised weights is what they added.
      results = await this.#runner.run("likelihoods", batch, false);
      judged().logs.forEach((low, i) => {
        const high = logs[i] as number;
        if (high !== -Infinity && !(high - low < SAME)) unsure.add(Math.floor(i / units));
        else logs[i] = low;
      });
    }
    for (const s of unsure) {
      if (doubtful !== undefined) doubtful.push(s);
      else logs.set(this.#exact.up(batch.samples, s), s * units);
    }
    return logs;
  }

  /** Runs a program with a way down and judges its samples; doubtful ones are not in the results. */
  async #down(
    kind: "leaves" | "training",
    batch: Batch,
    sampleWeights: ArrayLike<number> | undefined,
  ): Promise<{ logs: Float64Array; doubtful: number[]; results: Results }> {
    const weights = Float32Array.from(
      { length: batch.samples.count },
      (_, s) => sampleWeights === undefined ? 1 : sampleWeights[s] as number,
    );
    let results = await this.#runner.run(kind, batch, true, weights);
    const { logs, doubtful } = judgeRoot(results);
    if (this.#weights.isRaised) {
      const expected = weights.map((w, s) => logs[s] === -Infinity ? 0 : w);
      const program = await this.#runner.program(kind);
      const lost = findLosses(this.#plan, this.#runner.segmentation, program, results, expected);
      if (lost.length > 0) {
        for (const s of lost) weights[s] = 0;
        doubtful.push(...lost);
        results = await this.#runner.run(kind, batch, true, weights);
      }
      // Without weight nothing gets lost that could be noticed.
      const unweighted = [...expected.keys()].filter((s) => sampleWeights?.[s] === 0);
      if (unweighted.length > 0) {
        const part = this.#runner.prepare(takeSamples(batch.samples, unweighted));
        (await this.#likelihoods(part)).forEach((log, i) => logs[unweighted[i] as number] = log);
      }
    }
    return { logs, doubtful, results };
  }

  /** The E-step: adds to `counts`. */
  async #count(
    samples: Samples,
    sampleWeights: ArrayLike<number> | undefined,
    counts: CountState,
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
      const logs = await this.#countBatch(batch, own, counts);
      logs.forEach((log, s) => {
        if (log === -Infinity) impossible++;
        else counts.weight += own?.[s] ?? 1;
      });
      logLikelihoods.set(logs, first);
    });
    return { logLikelihoods, impossible };
  }

  /** Adds the expected counts of a batch; returns its log-likelihoods. */
  async #countBatch(
    batch: Batch,
    sampleWeights: Float64Array | undefined,
    counts: CountState,
  ): Promise<Float64Array> {
    if (!this.#isQuick) return await this.#countBounded(batch, sampleWeights, counts);
    const { samples } = batch;
    const results = await this.#runner.run(
      "quick training",
      batch,
      false,
      sampleWeights && Float32Array.from(sampleWeights),
    );
    this.#addCounts(await this.#runner.program("quick training"), results, batch, counts);
    const { logs } = judgeRoot(results), rest = shortfalls(results);
    if (rest.length === 0) return logs;
    const part = this.#runner.prepare(takeSamples(samples, rest));
    const weights = sampleWeights && Float64Array.from(rest, (s) => sampleWeights[s] as number);
    (await this.#countBounded(part, weights, counts)).forEach((log, i) => logs[rest[i] as number] = log);
    return logs;
  }

  /** The same with error bounds for all samples. */
  async #countBounded(
    batch: Batch,
    sampleWeights: Float64Array | undefined,
    counts: CountState,
  ): Promise<Float64Array> {
    const { logs, doubtful, results } = await this.#down("training", batch, sampleWeights);
    this.#addCounts(await this.#runner.program("training"), results, batch, counts);
    for (const s of doubtful) logs[s] = this.#exact.count(batch.samples, s, sampleWeights?.[s] ?? 1, counts);
    return logs;
  }

  /** Adds what a program for training gave. */
  #addCounts(program: Program, results: Results, { samples, leaves }: Batch, counts: CountState): void {
    const { segments } = this.#runner.segmentation;
    for (const [name, run] of program.ratios) counts.weights.add(run, results.singles(name));
    for (const [index, name] of program.flows) {
      const rows = leaves.get(index) as LeafRows;
      counts.leaves.add(segments[index] as Segment<InputGroup>, rows, results.singles(name), samples);
    }
  }

  /** Whether programs without error bounds will do: see `kernels/cpu/quick.ts`. */
  get #isQuick(): boolean {
    return this.#runner.isQuick && !this.#weights.isRaised;
  }

  #values(): Map<string, Float32Array> {
    return new Map(
      [...this.circuit.parameters.keys()].map((id) => [
        id,
        this.#weights.has(id) ? this.#weights.view(id).slice() : this.#leaves.get(id),
      ]),
    );
  }

  #set(values: ReadonlyMap<string, Float32Array>): void {
    for (const [id, array] of values) {
      if (this.#weights.has(id)) this.#weights.view(id).set(array);
      else this.#leaves.set(id, array);
    }
    this.#weights.changed();
  }

  #newCounts(): CountState {
    return {
      weights: new WeightCounts(this.#plan),
      leaves: new LeafCounts(this.#plan.circuit, this.#leaves),
      weight: 0,
    };
  }

  async #inBatches(
    samples: Samples,
    passes: Passes,
    run: (batch: Batch, first: number) => Promise<void>,
  ): Promise<void> {
    const most = largestBatch(this.#plan, this.#memory, passes);
    // Parts of equal size: a small last one would be slow.
    const parts = Math.ceil(samples.count / most), size = Math.ceil(samples.count / parts);
    for (let first = 0; first < samples.count; first += size) {
      const part = sliceSamples(samples, first, Math.min(samples.count, first + size));
      await run(this.#runner.prepare(part), first);
    }
  }

  #inTurn<T>(run: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }
}
