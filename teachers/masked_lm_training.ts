import { RandomStream } from "../circuits/random.ts";
import { RetortError } from "../foundation/errors.ts";
import { AdamW, clipping, type TouchedRows, warmedCosine } from "../kernels/autodiff/adamw.ts";
import type { Program, TrainingStep } from "../kernels/autodiff/mod.ts";
import {
  maskedLmLoss,
  maskedLmPlans,
  type MaskedLmSizes,
  maskedLmStep,
  TOKEN_BIAS,
  TOKEN_TABLE,
} from "./masked_lm.ts";
import { Candidates, hideTokens, type HidingOptions } from "./masked_tokens.ts";
import { startingNumbers } from "./transformer.ts";
import { requireFiniteLoss, restoreTensors, trainingTensors } from "./training_tensors.ts";

/** Training options of a masked language model. */
export interface MaskedLmOptions {
  /** Number of passes over the corpus. */
  readonly epochs: number;
  /** Number of windows per step. */
  readonly batch: number;
  /** Maximum learning rate, reached after `warmup` and followed by cosine decay to zero. */
  readonly rate: number;
  /** Fraction of all steps used for warm-up. */
  readonly warmup: number;
  /** Weight decay of matrices. */
  readonly decay: number;
  /** Fraction of the tokens that are hidden. */
  readonly hidden: number;
  /** See {@link HidingOptions.suffixes}. */
  readonly suffixes: number;
  /** See {@link HidingOptions.shorter}. */
  readonly shorter: number;
  /** Number of candidate tokens in training; 0 for all. Validation always uses all. */
  readonly candidates: number;
  /** Maximum number of validation windows, evenly spaced. */
  readonly validWindows: number;
  /** Number of points of the loss curve per epoch. */
  readonly reports: number;
  /** Determines the initial weights, the order of the windows, and which tokens are hidden. */
  readonly seed: number;
}

/** A corpus as token ids, in memory. */
export interface CorpusTokens {
  /** Token ids of the training text. */
  readonly train: Int32Array;
  /** Token ids of the validation text. */
  readonly valid: Int32Array;
}

/** A point of the loss curve: cross-entropies in nats per hidden token. */
export interface MaskedLmReport {
  /** Number of completed steps. */
  readonly step: number;
  /** Number of passes over the corpus so far. */
  readonly epoch: number;
  /** Mean training loss over the steps since the last point, with sampled candidates. */
  readonly train: number;
  /** Validation loss over the full vocabulary, predicting from both sides. */
  readonly valid: number;
  /** The same, predicting from the following tokens alone. */
  readonly validSuffix: number;
}

/** State of a training run, to resume from. */
export interface MaskedLmState {
  /** Number of completed steps. */
  readonly step: number;
  /** Sum of the losses since the last point of the curve. */
  readonly total: number;
  /** The loss curve so far. */
  readonly reports: readonly MaskedLmReport[];
  /** Weights and optimiser moments by name: `weight/NAME`, `moment/NAME/mean`, `moment/NAME/square`. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** Stream identifiers that keep random streams of one seed apart. */
const ORDER = 0x6f726465, HIDE = 0x68696465, CHOOSE = 0x63686f6f, VALID = 0x76616c69;

/** Maximum global norm of the gradients. */
const MOST_GRADIENT = 1;

/**
 * Trains a masked language model with AdamW, one step at a time. Resuming from a saved state gives identical numbers on
 * the same machine.
 */
export class MaskedLmTraining {
  readonly #sizes: MaskedLmSizes;
  readonly #options: MaskedLmOptions;
  readonly #corpus: CorpusTokens;
  readonly #weights: Map<string, Float32Array>;
  readonly #optimiser: AdamW;
  readonly #candidates: Candidates;
  readonly #hiding: HidingOptions;
  readonly #slots: Int32Array;
  #program: TrainingStep | undefined;
  #scorer: Program | undefined;
  #order: { epoch: number; starts: Int32Array } | undefined;
  #step = 0;
  #total = 0;
  #reports: MaskedLmReport[] = [];

  /**
   * Starts from random numbers.
   *
   * @throws {RetortError} when sizes or options make no sense, or the corpus is shorter than a window
   */
  constructor(sizes: MaskedLmSizes, options: MaskedLmOptions, corpus: CorpusTokens) {
    const plans = maskedLmPlans(sizes);
    const { length, tokens } = sizes;
    for (const [name, ids] of Object.entries(corpus) as [string, Int32Array][]) {
      if (ids.length < length) {
        throw new RetortError(
          "text/windows",
          `${ids.length} tokens of ${name} text give no window of ${length}`,
        );
      }
      const bad = ids.findIndex((id) => !(id >= 0 && id < tokens));
      if (bad >= 0) {
        throw new RetortError(
          "inputs/mismatch",
          `token ${bad} of the ${name} text is ${ids[bad]}, expected 0 to ${tokens - 1}`,
        );
      }
    }
    const { batch, hidden, suffixes, shorter, candidates, seed, decay } = options;
    if (!(hidden > 0 && hidden < 1)) {
      throw new RetortError("teacher/options", `a share of ${hidden} of the tokens cannot be hidden`);
    }
    const count = Math.max(1, Math.round(hidden * batch * length * (1 - shorter / 2)));
    const counts = new Float64Array(tokens);
    for (const id of corpus.train) counts[id]!++;
    this.#sizes = sizes;
    this.#options = options;
    this.#corpus = corpus;
    this.#weights = startingNumbers(plans, seed);
    this.#optimiser = new AdamW({ decay });
    // The candidates must have room for the answers.
    this.#candidates = new Candidates(counts, candidates === 0 ? 0 : Math.max(candidates, 2 * count));
    this.#hiding = { length, tokens, hidden: count, suffixes, shorter };
    this.#slots = new Int32Array(tokens + 1).fill(-1);
  }

  /** Number of steps per epoch. */
  get stepsPerEpoch(): number {
    const { length } = this.#sizes;
    return Math.max(1, Math.floor((this.#corpus.train.length / length - 1) / this.#options.batch));
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
  get reports(): readonly MaskedLmReport[] {
    return this.#reports;
  }

  /** Performs one step. Returns the point of the loss curve that it completes, if any. */
  async step(): Promise<MaskedLmReport | undefined> {
    const { batch, seed, rate } = this.#options;
    const { hidden } = this.#hiding;
    const { shown, mask, where, answers } = hideTokens(
      await this.#windows(),
      this.#hiding,
      new RandomStream(seed, HIDE, this.#step),
    );
    const { tokens, correction, targets } = this.#candidates.choose(
      answers,
      new RandomStream(seed, CHOOSE, this.#step),
    );
    this.#program ??= await maskedLmStep(this.#sizes, { batch, hidden, candidates: this.#candidates.size });
    const { loss, gradients } = await this.#program.run({
      ...this.#numbers(shown, tokens),
      mask,
      where,
      correction,
      targets,
    });
    requireFiniteLoss(loss, this.#step);
    this.#move(
      gradients,
      shown,
      tokens,
      rate * warmedCosine(this.#step, this.progress.total, this.#options.warmup),
    );
    this.#step++;
    this.#total += loss;
    return await this.#report();
  }

  /** The complete training state; its arrays are not copied. */
  state(): MaskedLmState {
    const tensors = trainingTensors(this.#weights, this.#optimiser);
    return { step: this.#step, total: this.#total, reports: this.#reports, tensors };
  }

  /** Restores a state of a training run with the same sizes, options and corpus. */
  restore({ step, total, reports, tensors }: MaskedLmState): void {
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

  /** The windows of the step. Windows of an epoch do not overlap, and each epoch shifts them. */
  #windows(): Int32Array {
    const { batch, seed } = this.#options, { length } = this.#sizes;
    const epoch = Math.floor(this.#step / this.stepsPerEpoch), within = this.#step % this.stepsPerEpoch;
    const { train } = this.#corpus;
    if (this.#order?.epoch !== epoch) {
      const random = new RandomStream(seed, ORDER, epoch);
      const offset = random.integer(Math.min(length, train.length - length + 1));
      const count = Math.floor((train.length - offset) / length);
      const starts = Int32Array.from(random.permutation(count), (n) => offset + n * length);
      this.#order = { epoch, starts };
    }
    const { starts } = this.#order;
    const windows = new Int32Array(batch * length);
    for (let w = 0; w < batch; w++) {
      const start = starts[(within * batch + w) % starts.length]!;
      windows.set(train.subarray(start, start + length), w * length);
    }
    return windows;
  }

  /** The parameters and table rows that a graph takes. */
  #numbers(shown: Int32Array, tokens: Int32Array): Record<string, Float32Array> {
    const { width } = this.#sizes;
    const { [TOKEN_TABLE]: table, [TOKEN_BIAS]: bias, ...whole } = Object.fromEntries(this.#weights);
    const all = tokens.length === bias!.length;
    return {
      ...whole,
      tokenRows: rowsOf(table!, width, shown),
      candidateRows: all ? table!.subarray(0, tokens.length * width) : rowsOf(table!, width, tokens),
      candidateBias: all ? bias! : rowsOf(bias!, 1, tokens),
    };
  }

  #move(
    gradients: Readonly<Record<string, Float32Array>>,
    shown: Int32Array,
    tokens: Int32Array,
    rate: number,
  ): void {
    const { tokenRows, candidateRows, candidateBias, ...whole } = gradients;
    const touched = this.#touched([[shown, tokenRows!], [tokens, candidateRows!]]);
    const { scale } = clipping([touched.gradient, candidateBias!, ...Object.values(whole)], MOST_GRADIENT);
    this.#optimiser.next();
    const move = { rate, scale };
    this.#optimiser.updateRows(TOKEN_TABLE, this.#weights.get(TOKEN_TABLE)!, touched, move);
    this.#optimiser.updateRows(TOKEN_BIAS, this.#weights.get(TOKEN_BIAS)!, {
      width: 1,
      rows: tokens,
      gradient: candidateBias!,
    }, move);
    for (const [name, gradient] of Object.entries(whole)) {
      this.#optimiser.update(name, this.#weights.get(name)!, gradient, {
        ...move,
        decay: name.endsWith("/weight"),
      });
    }
  }

  /** Gradients of token table rows, summed by row. */
  #touched(parts: readonly (readonly [Int32Array, Float32Array])[]): TouchedRows {
    const { width } = this.#sizes;
    const rows: number[] = [];
    for (const [ids] of parts) {
      for (const id of ids) if (this.#slots[id]! < 0) this.#slots[id] = rows.push(id) - 1;
    }
    const gradient = new Float32Array(rows.length * width);
    for (const [ids, given] of parts) {
      for (let n = 0; n < ids.length; n++) {
        const to = this.#slots[ids[n]!]! * width, from = n * width;
        for (let i = 0; i < width; i++) gradient[to + i] = gradient[to + i]! + given[from + i]!;
      }
    }
    for (const id of rows) this.#slots[id] = -1;
    return { width, rows: Int32Array.from(rows), gradient };
  }

  /** The point of the curve that ends with the last step, if any. */
  async #report(): Promise<MaskedLmReport | undefined> {
    const { total } = this.progress;
    const points = this.#options.reports * this.#options.epochs;
    const due = (step: number) => Math.floor(step * points / total);
    if (due(this.#step) === due(this.#step - 1)) return undefined;
    const before = this.#reports.at(-1)?.step ?? 0;
    const report = {
      step: this.#step,
      epoch: this.#step / this.stepsPerEpoch,
      train: this.#total / (this.#step - before),
      valid: await this.#validLoss(0),
      validSuffix: await this.#validLoss(1),
    };
    this.#total = 0;
    this.#reports.push(report);
    return report;
  }

  async #validLoss(suffixes: 0 | 1): Promise<number> {
    const { batch, seed, validWindows, hidden } = this.#options, { length, tokens } = this.#sizes;
    const { valid } = this.#corpus;
    const count = Math.min(validWindows, Math.floor(valid.length / length));
    const places = Math.max(1, Math.round(hidden * batch * length));
    this.#scorer ??= await maskedLmLoss(this.#sizes, { batch, hidden: places, candidates: tokens });
    const all = Int32Array.from({ length: tokens }, (_, token) => token);
    let sum = 0;
    const batches = Math.ceil(count / batch);
    for (let b = 0; b < batches; b++) {
      const windows = new Int32Array(batch * length);
      for (let w = 0; w < batch; w++) {
        const n = (b * batch + w) % count;
        const start = Math.floor(n * (valid.length - length) / Math.max(1, count - 1));
        windows.set(valid.subarray(start, start + length), w * length);
      }
      const { shown, mask, where, answers } = hideTokens(
        windows,
        { length, tokens, hidden: places, suffixes, shorter: 0 },
        new RandomStream(seed, VALID, b),
      );
      const { loss } = await this.#scorer.run({
        ...this.#numbers(shown, all),
        mask,
        where,
        correction: new Float32Array(tokens),
        targets: BigInt64Array.from(answers, BigInt),
      });
      sum += loss![0]!;
    }
    return sum / batches;
  }
}

/** Copies of rows of a table, `[rows, width]`. */
function rowsOf(table: Float32Array, width: number, rows: Int32Array): Float32Array {
  const out = new Float32Array(rows.length * width);
  for (let n = 0; n < rows.length; n++) {
    out.set(table.subarray(rows[n]! * width, (rows[n]! + 1) * width), n * width);
  }
  return out;
}
