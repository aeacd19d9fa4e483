import { RandomStream } from "../circuits/random.ts";
import { RetortError } from "../foundation/errors.ts";
import { AdamW, clipping, warmedCosine } from "../kernels/autodiff/adamw.ts";
import type { Program, TrainingStep } from "../kernels/autodiff/mod.ts";
import {
  autoencoderGuesses,
  autoencoderPlans,
  type AutoencoderSizes,
  autoencoderStep,
  maskedFeed,
} from "./masked_autoencoder.ts";
import { startingNumbers } from "./transformer.ts";
import { requireFiniteLoss, restoreTensors, trainingTensors } from "./training_tensors.ts";

/** Training options of a masked autoencoder. */
export interface AutoencoderOptions {
  /** Number of passes over the images. */
  readonly epochs: number;
  /** Number of images per step. */
  readonly batch: number;
  /** Maximum learning rate, reached after `warmup` and followed by cosine decay to zero. */
  readonly rate: number;
  /** Fraction of all steps used for warm-up. */
  readonly warmup: number;
  /** Weight decay of matrices. */
  readonly decay: number;
  /** Minimum and maximum fraction of hidden patches. */
  readonly hidden: readonly [number, number];
  /** Number of different fractions, evenly spaced. Each needs its own graph. */
  readonly shares: number;
  /** Determines the initial weights, the order of the images, and which patches are hidden. */
  readonly seed: number;
}

/** Random access to the patches of images. */
export interface PatchSource {
  /** Number of images. */
  readonly count: number;
  /** Normalised patches of the images at `indices`, `[indices, patches, patch size]`. */
  read(indices: Uint32Array): Float32Array;
}

/** State of a training run, to resume from. */
export interface AutoencoderState {
  /** Number of completed steps. */
  readonly step: number;
  /** Sum of the losses of this epoch's steps so far. */
  readonly total: number;
  /** Mean loss of each finished epoch. */
  readonly losses: readonly number[];
  /** Validation loss after each finished epoch. */
  readonly valid: readonly number[];
  /** Weights and optimiser moments by name: `weight/NAME`, `moment/NAME/mean`, `moment/NAME/square`. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** Results of a finished epoch. */
export interface AutoencoderEpoch {
  /** Number of the epoch, from 1. */
  readonly epoch: number;
  /** Mean squared error on normalised hidden patches, over the steps of the epoch. */
  readonly train: number;
  /** The same on validation images, always with the same half of their patches hidden. */
  readonly valid: number;
}

/** Stream identifiers that keep random streams of one seed apart. */
const ORDER = 0x6f726465, SHARE = 0x73686172, MASK = 0x6d61736b, VALID = 0x76616c69;

/** Maximum global norm of the gradients. */
const MOST_GRADIENT = 1;

/**
 * Trains a masked autoencoder with AdamW, one step at a time. Resuming from a saved state gives identical numbers on the
 * same machine.
 */
export class AutoencoderTraining {
  readonly #sizes: AutoencoderSizes;
  readonly #options: AutoencoderOptions;
  readonly #train: PatchSource;
  readonly #valid: PatchSource;
  readonly #plans;
  readonly #weights: Map<string, Float32Array>;
  readonly #optimiser: AdamW;
  readonly #programs = new Map<number, TrainingStep>();
  #scorer: Program | undefined;
  #step = 0;
  #total = 0;
  #losses: number[] = [];
  #validLosses: number[] = [];
  #order: { epoch: number; images: Uint32Array } | undefined;

  /**
   * Starts from random numbers.
   *
   * @throws {RetortError} when sizes or options make no sense
   */
  constructor(sizes: AutoencoderSizes, options: AutoencoderOptions, train: PatchSource, valid: PatchSource) {
    const count = sizes.rows * sizes.columns;
    const [least, most] = options.hidden;
    if (!(0 < least && least <= most && most < 1) || count < 2) {
      throw new RetortError(
        "teacher/options",
        `between ${least} and ${most} of ${count} patches cannot be hidden`,
        { hint: "Shares lie between 0 and 1, and an image needs two patches at least." },
      );
    }
    if (train.count === 0 || valid.count === 0) {
      throw new RetortError("images/empty", "a masked autoencoder needs images");
    }
    this.#sizes = sizes;
    this.#options = options;
    this.#train = train;
    this.#valid = valid;
    this.#plans = autoencoderPlans(sizes);
    this.#weights = startingNumbers(this.#plans, options.seed);
    this.#optimiser = new AdamW({ beta2: 0.95, decay: options.decay });
  }

  /** Number of steps per epoch. */
  get stepsPerEpoch(): number {
    return Math.ceil(this.#train.count / this.#options.batch);
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

  /** Finished epochs. */
  get epochs(): AutoencoderEpoch[] {
    return this.#losses.map((train, i) => ({ epoch: i + 1, train, valid: this.#validLosses[i]! }));
  }

  /** Performs one step. Returns the results of the epoch that it completes, if any. */
  async step(): Promise<AutoencoderEpoch | undefined> {
    const { batch, rate } = this.#options;
    const epoch = Math.floor(this.#step / this.stepsPerEpoch), within = this.#step % this.stepsPerEpoch;
    const order = this.#orderOf(epoch);
    // The last batch of an epoch is padded with the epoch's first images, because graphs have a fixed batch size.
    const images = Uint32Array.from({ length: batch }, (_, i) => order[(within * batch + i) % order.length]!);
    const visible = this.#visibleCount(new RandomStream(this.#options.seed, this.#step, 0, SHARE));
    const feed = maskedFeed(
      this.#sizes,
      this.#train.read(images),
      this.#masks(batch, visible, (i) => new RandomStream(this.#options.seed, this.#step, i, MASK)),
    );
    const program = await this.#program(visible);
    const { loss, gradients } = await program.run({ ...Object.fromEntries(this.#weights), ...feed });
    requireFiniteLoss(loss, this.#step);
    const { scale } = clipping(Object.values(gradients), MOST_GRADIENT);
    this.#optimiser.next();
    for (const [name, values] of this.#weights) {
      this.#optimiser.update(name, values, gradients[name]!, {
        rate: rate * warmedCosine(this.#step, this.progress.total, this.#options.warmup),
        scale,
        decay: name.endsWith("/weight"),
      });
    }
    this.#step++;
    this.#total += loss;
    if (this.#step % this.stepsPerEpoch !== 0) return undefined;
    this.#losses.push(this.#total / this.stepsPerEpoch);
    this.#validLosses.push(await this.#validLoss());
    this.#total = 0;
    return this.epochs.at(-1);
  }

  /** The complete training state; its arrays are not copied. */
  state(): AutoencoderState {
    const tensors = trainingTensors(this.#weights, this.#optimiser);
    return { step: this.#step, total: this.#total, losses: this.#losses, valid: this.#validLosses, tensors };
  }

  /** Restores a state of a training run with the same sizes, options and images. */
  restore({ step, total, losses, valid, tensors }: AutoencoderState): void {
    restoreTensors("autoencoder", step, tensors, this.#weights, this.#optimiser);
    this.#step = step;
    this.#total = total;
    this.#losses = [...losses];
    this.#validLosses = [...valid];
  }

  /** Frees the graphs. */
  async close(): Promise<void> {
    for (const program of this.#programs.values()) await program.release();
    await this.#scorer?.release();
    this.#programs.clear();
  }

  #orderOf(epoch: number): Uint32Array {
    if (this.#order?.epoch !== epoch) {
      const random = new RandomStream(this.#options.seed, epoch, 0, ORDER);
      this.#order = { epoch, images: Uint32Array.from(random.permutation(this.#train.count)) };
    }
    return this.#order.images;
  }

  #visibleCount(random: RandomStream): number {
    const { hidden: [least, most], shares } = this.#options;
    const i = random.integer(shares);
    const share = shares === 1 ? (least + most) / 2 : least + (most - least) * i / (shares - 1);
    return this.#visibleOf(share);
  }

  /** Number of visible patches: at least one patch is visible and one hidden. */
  #visibleOf(share: number): number {
    const count = this.#sizes.rows * this.#sizes.columns;
    return Math.min(count - 1, Math.max(1, Math.round(count * (1 - share))));
  }

  #masks(images: number, visible: number, random: (image: number) => RandomStream): Uint32Array[] {
    const count = this.#sizes.rows * this.#sizes.columns;
    return Array.from(
      { length: images },
      (_, i) => Uint32Array.from(random(i).permutation(count).slice(0, visible)),
    );
  }

  async #program(visible: number): Promise<TrainingStep> {
    let program = this.#programs.get(visible);
    if (program === undefined) {
      program = await autoencoderStep(this.#sizes, this.#options.batch, visible);
      this.#programs.set(visible, program);
    }
    return program;
  }

  async #validLoss(): Promise<number> {
    const { batch, seed } = this.#options, { count } = this.#valid;
    const visible = this.#visibleOf(0.5);
    this.#scorer ??= await autoencoderGuesses(this.#sizes, batch, visible);
    let total = 0;
    const batches = Math.ceil(count / batch);
    for (let b = 0; b < batches; b++) {
      const images = Uint32Array.from({ length: batch }, (_, i) => (b * batch + i) % count);
      const feed = maskedFeed(
        this.#sizes,
        this.#valid.read(images),
        this.#masks(batch, visible, (i) => new RandomStream(seed, images[i]!, 0, VALID)),
      );
      total += (await this.#scorer.run({ ...Object.fromEntries(this.#weights), ...feed }))["loss"]![0]!;
    }
    return total / batches;
  }
}
