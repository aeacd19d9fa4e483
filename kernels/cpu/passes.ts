import { rootUnits, takeSamples } from "../../circuits/mod.ts";
import type { InputGroup, Plan } from "../plan.ts";
import type { ExactSamples } from "./exact_samples.ts";
import type { LeafRows } from "./leaf_store.ts";
import type { GraphProgram, TrainingKind } from "./programs.ts";
import type { GraphBatch, GraphResults, GraphRunner } from "./graph_runner.ts";
import type { Segment } from "./segments.ts";
import type { CountState } from "./state.ts";
import { findLosses, judgeRoot, judgeRows, shortfalls } from "./verdicts.ts";
import type { WeightStore } from "./weight_store.ts";

/** Nats that likelihoods with and without raised weights may differ by. */
const SAME = 1e-5;

/**
 * Passes over batches whose results are certain: by graphs without error bounds where these do, with bounds where not, and
 * exactly, sample by sample, for what those do not vouch for. See docs/engines.md.
 */
export class CertainPasses {
  readonly #plan: Plan;
  readonly #weights: WeightStore;
  readonly #runner: GraphRunner;
  readonly #exact: ExactSamples;

  /** Passes with the present parameters of a store. */
  constructor(plan: Plan, weights: WeightStore, runner: GraphRunner, exact: ExactSamples) {
    this.#plan = plan;
    this.#weights = weights;
    this.#runner = runner;
    this.#exact = exact;
  }

  /** Root log-likelihoods of a batch, `[samples, units]`; with `doubtful`, those are only listed there. */
  async likelihoods(batch: GraphBatch, doubtful?: number[]): Promise<Float64Array> {
    if (!this.#isQuick) return await this.#boundedLikelihoods(batch, doubtful);
    const root = this.#runner.segmentation.segments.at(-1) as Segment;
    const results = await this.#runner.run("quick likelihoods", batch, false);
    const { logs } = judgeRows(root, results, batch.samples.count);
    const rest = shortfalls(results), restDoubtful: number[] = [];
    if (rest.length === 0) return logs;
    const part = this.#runner.prepare(takeSamples(batch.samples, rest));
    const found = await this.#boundedLikelihoods(part, doubtful && restDoubtful);
    const units = rootUnits(this.#plan.circuit);
    rest.forEach((s, i) => logs.set(found.subarray(i * units, (i + 1) * units), s * units));
    doubtful?.push(...restDoubtful.map((i) => rest[i] as number));
    return logs;
  }

  /** The same with error bounds for all samples. */
  async #boundedLikelihoods(batch: GraphBatch, doubtful?: number[]): Promise<Float64Array> {
    const { count } = batch.samples, units = rootUnits(this.#plan.circuit);
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
  async down(
    kind: "leaves" | TrainingKind,
    batch: GraphBatch,
    sampleWeights: ArrayLike<number> | undefined,
  ): Promise<{ logs: Float64Array; doubtful: number[]; results: GraphResults }> {
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
        (await this.likelihoods(part)).forEach((log, i) => logs[unweighted[i] as number] = log);
      }
    }
    return { logs, doubtful, results };
  }

  /** Adds the expected counts of a batch; returns its log-likelihoods. */
  async count(
    batch: GraphBatch,
    sampleWeights: Float64Array | undefined,
    counts: CountState,
  ): Promise<Float64Array> {
    if (!this.#isQuick) return await this.#countBounded(batch, sampleWeights, counts);
    const order = this.#runner.orderToTrim(batch);
    if (order === undefined) return await this.#countQuick(batch, sampleWeights, counts);
    const sorted = this.#runner.prepareTrimmed(takeSamples(batch.samples, order));
    const weights = sampleWeights && Float64Array.from(order, (s) => sampleWeights[s] as number);
    const logs = new Float64Array(order.length);
    (await this.#countQuick(sorted, weights, counts)).forEach((log, i) => logs[order[i] as number] = log);
    return logs;
  }

  /** The same without error bounds, but for samples that need them. */
  async #countQuick(
    batch: GraphBatch,
    sampleWeights: Float64Array | undefined,
    counts: CountState,
  ): Promise<Float64Array> {
    const { samples } = batch;
    const kind = batch.rows === undefined ? `quick ${trainingOf(batch)}` as const : "quick trimmed training";
    const results = await this.#runner.run(
      kind,
      batch,
      false,
      sampleWeights && Float32Array.from(sampleWeights),
    );
    this.#addCounts(await this.#runner.program(kind), results, batch, counts);
    const { logs } = judgeRoot(results), rest = shortfalls(results);
    if (rest.length === 0) return logs;
    const part = this.#runner.prepare(takeSamples(samples, rest));
    const weights = sampleWeights && Float64Array.from(rest, (s) => sampleWeights[s] as number);
    (await this.#countBounded(part, weights, counts)).forEach((log, i) => logs[rest[i] as number] = log);
    return logs;
  }

  /** The same with error bounds for all samples. */
  async #countBounded(
    batch: GraphBatch,
    sampleWeights: Float64Array | undefined,
    counts: CountState,
  ): Promise<Float64Array> {
    const kind = trainingOf(batch);
    const { logs, doubtful, results } = await this.down(kind, batch, sampleWeights);
    this.#addCounts(await this.#runner.program(kind), results, batch, counts);
    for (const s of doubtful) logs[s] = this.#exact.count(batch.samples, s, sampleWeights?.[s] ?? 1, counts);
    return logs;
  }

  /** Adds what a program for training gave. */
  #addCounts(program: GraphProgram, results: GraphResults, batch: GraphBatch, counts: CountState): void {
    const { segments } = this.#runner.segmentation;
    for (const [name, run] of program.ratios) counts.weights.add(run, results.singles(name));
    for (const [index, name] of program.flows) {
      const rows = batch.leaves.get(index) as LeafRows, samples = this.#runner.samplesOf(batch, index);
      counts.leaves.add(segments[index] as Segment<InputGroup>, rows, results.singles(name), samples);
    }
  }

  /** Whether programs without error bounds will do: see `kernels/cpu/quick.ts`. */
  get #isQuick(): boolean {
    return this.#runner.isQuick && !this.#weights.isRaised;
  }
}

/** The program that counts a batch. */
function trainingOf(batch: GraphBatch): TrainingKind {
  return batch.seen === undefined ? "training" : "partial training";
}
