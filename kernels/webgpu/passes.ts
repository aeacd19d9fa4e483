import { nodeOf, type Samples, type Semiring } from "../../circuits/mod.ts";
import { deviceLeaf } from "../leaves/mod.ts";
import type { Plan } from "../plan.ts";
import type { Commands } from "./commands.ts";
import type { SoftShape } from "./dispatch.ts";
import { nodeOfFold } from "./folds.ts";
import type { LearningArrays } from "./kernel_context.ts";
import type { ParameterStore } from "./parameters.ts";
import { encodeExternal, encodeSeen, encodeValues, rowsFor, valueColumns } from "./samples.ts";
import type { SoftEncoder } from "./soft_batch.ts";
import type { DeviceWorkspace } from "./workspace.ts";

/** Passes over one batch at a time: uploads it and encodes a workspace's kernels. */
export class BatchPasses {
  readonly #plan: Plan;
  readonly #commands: Commands;
  readonly #centres: ParameterStore["centres"];
  readonly #encoder: SoftEncoder;
  /** Values of the current batch, encoded. */
  #values = new Int32Array(0);
  /** Its soft evidence. */
  #soft: SoftShape | undefined;

  /**
   * @param centres see {@link ParameterStore.centres}
   * @param encoder encodes soft evidence
   */
  constructor(
    plan: Plan,
    commands: Commands,
    centres: ParameterStore["centres"],
    encoder: SoftEncoder,
  ) {
    this.#encoder = encoder;
    this.#plan = plan;
    this.#commands = commands;
    this.#centres = centres;
  }

  /** Uploads a batch: its values, and external log-likelihoods in place. */
  upload(work: DeviceWorkspace, batch: Samples): void {
    const plan = this.#plan, commands = this.#commands;
    const rows = rowsFor(batch.count), width = valueColumns(plan.circuit);
    if (this.#values.length < rows * width) this.#values = new Int32Array(rows * width);
    encodeValues(plan, batch, rows, this.#centres, this.#values);
    commands.write(work.arrays.batch, 0, Uint32Array.of(rows, batch.count, 0, 0));
    commands.write(work.arrays.values, 0, this.#values, 0, rows * width);
    this.#soft = undefined;
    if (work.soft !== undefined) {
      const { words, length, shape } = this.#encoder.evidence(batch, rows);
      commands.write(work.soft.evidence, 0, words, 0, length);
      if (batch.soft !== undefined) this.#soft = shape;
    }
    for (const group of plan.groups) {
      if (group.kind !== "input" || deviceLeaf(group.family).gpu.kind !== "given") continue;
      for (let fold = 0; fold < group.folds; fold++) {
        const { units } = nodeOf(plan.circuit, nodeOfFold(plan.places, group, fold));
        const { logs, scales } = encodeExternal(group, fold, units, batch, rows);
        commands.write(work.arrays.logs, 4 * work.layout.logs(group, fold).at, logs);
        commands.write(work.arrays.scales, 4 * work.layout.scale(group, fold), scales);
      }
    }
  }

  /** Runs the upward pass over an uploaded batch. */
  forward(work: DeviceWorkspace, batch: Samples, semiring: Semiring): void {
    this.#commands.run(
      semiring === "sum" ? work.passes.forward : work.maximum,
      { rows: rowsFor(batch.count), segments: 0, soft: this.#soft },
    );
  }

  /**
   * Runs the downward pass after {@link forward}; with `counting`, accumulates expected counts. `first` is the batch's
   * offset in `sampleWeights`.
   */
  backward(
    work: DeviceWorkspace,
    batch: Samples,
    first: number,
    sampleWeights: ArrayLike<number> | undefined,
    counting: boolean,
  ): void {
    const commands = this.#commands, rows = rowsFor(batch.count);
    const weights = new Float32Array(rows);
    for (let s = 0; s < batch.count; s++) weights[s] = sampleWeights?.[first + s] ?? 1;
    commands.write(work.sampleWeights as GPUBuffer, 0, weights);
    const { flags, words, seen } = work.learning as LearningArrays;
    const bits = counting ? encodeSeen(this.#plan, batch, work.layout.capacity) : undefined;
    if (bits !== undefined) {
      commands.write(seen, 0, bits);
      commands.write(work.arrays.batch, 0, Uint32Array.of(rows, batch.count, 1, 0));
    }
    commands.clear(flags);
    commands.run(work.passes.backward, { rows, segments: 0 });
    if (!counting) return;
    const sorted = work.sorter?.sort(this.#values, rows, valueColumns(this.#plan.circuit));
    if (sorted !== undefined) commands.write(words, 0, sorted.words, 0, sorted.length);
    let soft = this.#soft;
    if (soft !== undefined && work.soft?.sorted !== undefined) {
      const { words, length, segments, entries } = this.#encoder.sorted(batch, rows);
      commands.write(work.soft.sorted, 0, words, 0, length);
      soft = { ...soft, segments, entries };
    }
    commands.run(work.passes.counts, { rows, segments: sorted?.segments ?? 0, soft });
  }
}
