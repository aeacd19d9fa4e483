import { RandomStream } from "../circuits/random.ts";
import { RetortError } from "../foundation/errors.ts";
import { AdamW, clipping, warmedCosine } from "../kernels/autodiff/adamw.ts";
import type { Program, TrainingStep } from "../kernels/autodiff/mod.ts";
import {
  causalLmLoss,
  causalLmPlans,
  type CausalLmSizes,
  causalLmStep,
  type Direction,
} from "./causal_lm.ts";
import { startingNumbers } from "./transformer.ts";
import { requireFiniteLoss, restoreTensors, trainingTensors } from "./training_tensors.ts";

/** Training options of a causal language model. */
export interface CausalLmOptions {
  /** Which way it reads; `forward` if omitted. */
  readonly direction?: Direction;
  /** Windows that it learns from: `texts`, one at the beginning of each text, if omitted; `all`, one after the other, over all of it. */
  readonly windows?: "texts" | "all";
  /** Number of passes over the texts. */
  readonly epochs: number;
  /** Number of windows per step. */
  readonly batch: number;
  /** Maximum learning rate, reached after `warmup` and followed by cosine decay to zero. */
  readonly rate: number;
  /** Fraction of all steps used for warm-up. */
  readonly warmup: number;
  /** Weight decay of matrices. */
  readonly decay: number;
  /** Maximum number of validation windows, evenly spaced. */
  readonly validWindows: number;
  /** Number of points of the loss curve per epoch. */
  readonly reports: number;
  /** Determines the initial weights and the order of the windows. */
  readonly seed: number;
}

/** A point of the loss curve: cross-entropies in nats per token. */
export interface CausalLmReport {
  /** Number of completed steps. */
  readonly step: number;
  /** Number of passes over the texts so far. */
  readonly epoch: number;
  /** Mean training loss over the steps since the last point. */
  readonly train: number;
  /** Validation loss. */
  readonly valid: number;
}

/** State of a training run, to resume from. */
export interface CausalLmState {
  /** Number of completed steps. */
  readonly step: number;
  /** Sum of the losses since the last point of the curve. */
  readonly total: number;
  /** The loss curve so far. */
  readonly reports: readonly CausalLmReport[];
  /** Weights and optimiser moments by name: `weight/NAME`, `moment/NAME/mean`, `moment/NAME/square`. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** Stream identifier of the order of windows. */
const ORDER = 0x6f726465;
/** Maximum global norm of the gradients. */
const MOST_GRADIENT = 1;

/** Texts one after the other, each followed by the end token, and where windows over them begin. */
interface Texts {
  readonly ids: Int32Array;
  /** Positions of what the windows' first tokens follow. */
  readonly starts: Int32Array;
}

/**
 * Trains a causal language model with AdamW, one step at a time. Before each window it reads an end token: that before a text, so
 * that the model learns how texts begin, and reaches into those after it, or one in the place of what precedes the window, of
 * which nothing is known. Resuming from a saved state gives identical numbers on the same machine.
 */
export class CausalLmTraining {
  readonly #sizes: CausalLmSizes;
  readonly #options: CausalLmOptions;
  readonly #end: number;
  readonly #train: Texts;
  readonly #valid: Texts;
  readonly #weights: Map<string, Float32Array>;
  readonly #optimiser: AdamW;
  #program: TrainingStep | undefined;
  #scorer: Program | undefined;
  #order: { epoch: number; starts: Int32Array } | undefined;
  #step = 0;
  #total = 0;
  #reports: CausalLmReport[] = [];

  /**
   * Starts from random numbers.
   *
   * @param end id of the end token
   * @throws {RetortError} when sizes make no sense, or a corpus has no text that is as long as a window
   */
  constructor(
    sizes: CausalLmSizes,
    options: CausalLmOptions,
    corpus: { readonly train: Int32Array; readonly valid: Int32Array },
    end: number,
  ) {
    this.#sizes = sizes;
    this.#options = options;
    this.#end = end;
    this.#train = textsOf(corpus.train, end, sizes, options, "train");
    this.#valid = textsOf(corpus.valid, end, sizes, options, "valid");
    this.#weights = startingNumbers(causalLmPlans(sizes), options.seed);
    this.#optimiser = new AdamW({ decay: options.decay });
  }

  /** Number of steps per epoch. */
  get stepsPerEpoch(): number {
    return Math.max(1, Math.floor(this.#train.starts.length / this.#options.batch));
  }

  /** Number of completed steps, and of all steps. */
  get progress(): { done: number; total: number } {
    return { done: this.#step, total: this.stepsPerEpoch * this.#options.epochs };
  }

  /** Whether all epochs are finished. */
  get done(): boolean {
    return this.#step >= this.progress.total;
  }

  /** The weights by name; not copied. */
  get weights(): ReadonlyMap<string, Float32Array> {
    return this.#weights;
  }

  /** The loss curve so far. */
  get reports(): readonly CausalLmReport[] {
    return this.#reports;
  }

  /** Performs one step. Returns the point of the loss curve that it completes, if any. */
  async step(): Promise<CausalLmReport | undefined> {
    const { batch, rate, warmup } = this.#options;
    this.#program ??= await causalLmStep(this.#sizes, batch);
    const { loss, gradients } = await this.#program.run({
      ...Object.fromEntries(this.#weights),
      ...this.#windows(this.#train.ids, this.#starts()),
    });
    requireFiniteLoss(loss, this.#step);
    const { scale } = clipping(Object.values(gradients), MOST_GRADIENT);
    this.#optimiser.next();
    const move = { rate: rate * warmedCosine(this.#step, this.progress.total, warmup), scale };
    for (const [name, gradient] of Object.entries(gradients)) {
      this.#optimiser.update(name, this.#weights.get(name)!, gradient, {
        ...move,
        decay: name.endsWith("/weight"),
      });
    }
    this.#step++;
    this.#total += loss;
    return await this.#report();
  }

  /** The complete training state; its arrays are not copied. */
  state(): CausalLmState {
    const tensors = trainingTensors(this.#weights, this.#optimiser);
    return { step: this.#step, total: this.#total, reports: this.#reports, tensors };
  }

  /** Restores a state of a training run with the same sizes, options and corpus. */
  restore({ step, total, reports, tensors }: CausalLmState): void {
    restoreTensors("model", step, tensors, this.#weights, this.#optimiser);
    this.#step = step;
    this.#total = total;
    this.#reports = [...reports];
  }

  /** Frees the graphs. */
  async close(): Promise<void> {
    await this.#program?.release();
    await this.#scorer?.release();
  }

  /** Where the windows of the step begin. */
  #starts(): Int32Array {
    const { batch, seed } = this.#options, { starts } = this.#train;
    const epoch = Math.floor(this.#step / this.stepsPerEpoch), within = this.#step % this.stepsPerEpoch;
    if (this.#order?.epoch !== epoch) {
      const random = new RandomStream(seed, ORDER, epoch);
      this.#order = { epoch, starts: Int32Array.from(random.permutation(starts.length), (n) => starts[n]!) };
    }
    const { starts: order } = this.#order;
    return Int32Array.from({ length: batch }, (_, w) => order[(within * batch + w) % order.length]!);
  }

  #windows(ids: Int32Array, starts: Int32Array): { ids: BigInt64Array; targets: BigInt64Array } {
    const { length } = this.#sizes;
    const read = (shift: number) =>
      BigInt64Array.from(
        { length: starts.length * length },
        (_, i) => {
          const at = i % length + shift;
          return BigInt(at === 0 ? this.#end : ids[starts[Math.floor(i / length)]! + at]!);
        },
      );
    return { ids: read(0), targets: read(1) };
  }

  /** The point of the curve that ends with the last step, if any. */
  async #report(): Promise<CausalLmReport | undefined> {
    const { total } = this.progress;
    const points = this.#options.reports * this.#options.epochs;
    const due = (step: number) => Math.floor(step * points / total);
    if (due(this.#step) === due(this.#step - 1)) return undefined;
    const before = this.#reports.at(-1)?.step ?? 0;
    const report = {
      step: this.#step,
      epoch: this.#step / this.stepsPerEpoch,
      train: this.#total / (this.#step - before),
      valid: await this.#validLoss(),
    };
    this.#total = 0;
    this.#reports.push(report);
    return report;
  }

  async #validLoss(): Promise<number> {
    const { batch, validWindows } = this.#options, { ids, starts } = this.#valid;
    const batches = Math.max(1, Math.ceil(Math.min(validWindows, starts.length) / batch));
    this.#scorer ??= await causalLmLoss(this.#sizes, batch);
    let sum = 0;
    for (let b = 0; b < batches; b++) {
      const own = Int32Array.from(
        { length: batch },
        (_, w) => starts[Math.floor((b * batch + w) * starts.length / (batches * batch))]!,
      );
      const { loss } = await this.#scorer.run({
        ...Object.fromEntries(this.#weights),
        ...this.#windows(ids, own),
      });
      sum += loss![0]!;
    }
    return sum / batches;
  }
}

function textsOf(
  given: Int32Array,
  end: number,
  { tokens, length }: CausalLmSizes,
  { direction, windows = "texts" }: CausalLmOptions,
  name: string,
): Texts {
  const bad = given.findIndex((id) => !(id >= 0 && id < tokens));
  if (bad >= 0) {
    throw new RetortError(
      "inputs/mismatch",
      `token ${bad} of the ${name} text is ${given[bad]}, expected 0 to ${tokens - 1}`,
    );
  }
  // The first text begins after an end token as well.
  const all = new Int32Array(given.length + 1);
  all[0] = end;
  all.set(given, 1);
  // The end token after a text precedes it, read backward; that of the last one, or what follows it, comes first.
  if (direction === "backward") all.subarray(1).reverse();
  const starts: number[] = [];
  for (let at = 0; at + length < all.length; at += windows === "all" ? length : 1) {
    if (windows === "all" || all[at] === end) starts.push(at);
  }
  if (starts.length === 0) {
    throw new RetortError(
      "text/windows",
      `${given.length} tokens of ${name} text give no window of ${length}`,
    );
  }
  return { ids: all, starts: Int32Array.from(starts) };
}
