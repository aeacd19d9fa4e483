import { rootUnits, takeSamples } from "../../circuits/mod.ts";
import type { InputGroup } from "../plan.ts";
import type { ExactSamples } from "./exact_samples.ts";
import type { LeafRows } from "./leaf_store.ts";
import type { TrainingKind } from "./programs.ts";
import type { GraphBatch, GraphResults, GraphRunner } from "./graph_runner.ts";
import type { Segment } from "./segments.ts";
import type { CountState } from "./state.ts";
import { findLosses, judgeRoot, judgeRows, uncertifiedSamples } from "./verdicts.ts";

/** Maximum difference in nats between likelihoods with and without clamped weights. */
const SAME = 1e-5;

/**
 * Evaluates batches with certified results: tries the graph without error bounds, reruns uncertified samples with bounds, then
 * falls back to float64 one sample at a time. See docs/engines.md.
 */
export class CertifiedPasses {
  readonly #runner: GraphRunner;
  readonly #exact: ExactSamples;

  /** Creates passes that use the graphs of `runner`, and `exact` where these do not certify a result. */
  constructor(runner: GraphRunner, exact: ExactSamples) {
    this.#runner = runner;
    this.#exact = exact;
  }

  /**
   * Root log-likelihoods of a batch, `[samples, units]`; with `deferred`, samples that need float64 are only listed
   * there.
   */
  async likelihoods(batch: GraphBatch, deferred?: number[]): Promise<Float64Array> {
    if (!this.#isUnbounded) return await this.#boundedLikelihoods(batch, deferred);
    const root = this.#runner.segmentation.segments.at(-1) as Segment;
    const results = await this.#runner.run("unbounded likelihoods", batch, false);
    const { logs } = judgeRows(root, results, batch.samples.count);
    const rest = uncertifiedSamples(results), restDeferred: number[] = [];
    if (rest.length === 0) return logs;
    const part = this.#runner.prepare(takeSamples(batch.samples, rest));
    const found = await this.#boundedLikelihoods(part, deferred && restDeferred);
    const units = rootUnits(this.#runner.model.plan.circuit);
    rest.forEach((s, i) => logs.set(found.subarray(i * units, (i + 1) * units), s * units));
    deferred?.push(...restDeferred.map((i) => rest[i] as number));
    return logs;
  }

  /** {@link likelihoods} with error bounds for all samples. */
  async #boundedLikelihoods(batch: GraphBatch, deferred?: number[]): Promise<Float64Array> {
    const { count } = batch.samples, units = rootUnits(this.#runner.model.plan.circuit);
    const root = this.#runner.segmentation.segments.at(-1) as Segment;
    const judged = () => judgeRows(root, results, count);
    let results = await this.#runner.run("likelihoods", batch, true);
    const { logs, uncertified } = judged();
    if (this.#runner.model.weights.isClamped) {
      // The difference to the pass without clamped weights is what clamping added.
      results = await this.#runner.run("likelihoods", batch, false);
      judged().logs.forEach((low, i) => {
        const high = logs[i] as number;
        if (high !== -Infinity && !(high - low < SAME)) uncertified.add(Math.floor(i / units));
        else logs[i] = low;
      });
    }
    for (const s of uncertified) {
      if (deferred !== undefined) deferred.push(s);
      else logs.set(this.#exact.up(batch.samples, s), s * units);
    }
    return logs;
  }

  /** Runs a program with a downward pass and certifies its samples; uncertified ones are left out of the results. */
  async down(
    kind: "leaves" | TrainingKind,
    batch: GraphBatch,
    sampleWeights: ArrayLike<number> | undefined,
  ): Promise<{ logs: Float64Array; uncertified: number[]; results: GraphResults }> {
    const weights = Float32Array.from(
      { length: batch.samples.count },
      (_, s) => sampleWeights === undefined ? 1 : sampleWeights[s] as number,
    );
    let results = await this.#runner.run(kind, batch, true, weights);
    const { logs, uncertified } = judgeRoot(results);
    if (this.#runner.model.weights.isClamped) {
      const expected = weights.map((w, s) => logs[s] === -Infinity ? 0 : w);
      const { model, segmentation } = this.#runner;
      const lost = findLosses(model.plan, segmentation, results, expected);
      if (lost.length > 0) {
        for (const s of lost) weights[s] = 0;
        uncertified.push(...lost);
        results = await this.#runner.run(kind, batch, true, weights);
      }
      // Samples without weight have no flow whose loss could be detected.
      const unweighted = [...expected.keys()].filter((s) => sampleWeights?.[s] === 0);
      if (unweighted.length > 0) {
        const part = this.#runner.prepare(takeSamples(batch.samples, unweighted));
        (await this.likelihoods(part)).forEach((log, i) => logs[unweighted[i] as number] = log);
      }
    }
    return { logs, uncertified, results };
  }

  /** Adds the expected counts of a batch; returns its log-likelihoods. */
  async count(
    batch: GraphBatch,
    sampleWeights: Float64Array | undefined,
    counts: CountState,
  ): Promise<Float64Array> {
    if (!this.#isUnbounded) return await this.#countBounded(batch, sampleWeights, counts);
    const order = this.#runner.orderToTrim(batch);
    if (order === undefined) return await this.#countUnbounded(batch, sampleWeights, counts);
    const sorted = this.#runner.prepareTrimmed(takeSamples(batch.samples, order));
    const weights = sampleWeights && Float64Array.from(order, (s) => sampleWeights[s] as number);
    const logs = new Float64Array(order.length);
    (await this.#countUnbounded(sorted, weights, counts)).forEach((log, i) => logs[order[i] as number] = log);
    return logs;
  }

  /** {@link count} without error bounds, except for samples that need them. */
  async #countUnbounded(
    batch: GraphBatch,
    sampleWeights: Float64Array | undefined,
    counts: CountState,
  ): Promise<Float64Array> {
    const { samples } = batch;
    const kind = batch.rows === undefined
      ? `unbounded ${trainingOf(batch)}` as const
      : "unbounded trimmed training";
    const results = await this.#runner.run(
      kind,
      batch,
      false,
      sampleWeights && Float32Array.from(sampleWeights),
    );
    this.#addCounts(results, batch, counts);
    const { logs } = judgeRoot(results), rest = uncertifiedSamples(results);
    if (rest.length === 0) return logs;
    const part = this.#runner.prepare(takeSamples(samples, rest));
    const weights = sampleWeights && Float64Array.from(rest, (s) => sampleWeights[s] as number);
    (await this.#countBounded(part, weights, counts)).forEach((log, i) => logs[rest[i] as number] = log);
    return logs;
  }

  /** {@link count} with error bounds for all samples. */
  async #countBounded(
    batch: GraphBatch,
    sampleWeights: Float64Array | undefined,
    counts: CountState,
  ): Promise<Float64Array> {
    const kind = trainingOf(batch);
    const { logs, uncertified, results } = await this.down(kind, batch, sampleWeights);
    this.#addCounts(results, batch, counts);
    for (const s of uncertified) {
      logs[s] = this.#exact.count(batch.samples, s, sampleWeights?.[s] ?? 1, counts);
    }
    return logs;
  }

  /** Adds the counts that a program for training computed. */
  #addCounts(results: GraphResults, batch: GraphBatch, counts: CountState): void {
    const { segments } = this.#runner.segmentation;
    for (const [name, run] of results.program.ratios) counts.weights.add(run, results.singles(name));
    for (const [index, name] of results.program.flows) {
      const rows = batch.leaves.get(index) as LeafRows, samples = this.#runner.samplesOf(batch, index);
      counts.leaves.add(segments[index] as Segment<InputGroup>, rows, results.singles(name), samples);
    }
  }

  /** Whether programs without error bounds can be used: see `kernels/cpu/unbounded.ts`. */
  get #isUnbounded(): boolean {
    return this.#runner.isUnbounded && !this.#runner.model.weights.isClamped;
  }
}

/** The program that counts a batch. */
function trainingOf(batch: GraphBatch): TrainingKind {
  return batch.seen === undefined ? "training" : "partial training";
}
