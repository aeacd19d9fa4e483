import { CircuitError } from "../errors.ts";
import type { ParameterSettings, UpdateRule } from "../learner.ts";
import {
  type FallingStep,
  type StepName,
  type StepNumber,
  stepRules,
  STEPS,
  type UpdateStep,
} from "../steps/mod.ts";
import { requireKind, requireObject } from "../guards.ts";
import {
  checkFalling,
  checkSchedule,
  type Falling,
  isFalling,
  type Schedule,
  scheduled,
} from "./schedule.ts";
import { batchCount } from "./source.ts";
import { keepsEach } from "./state_dropout.ts";

/** Settings of {@link EmTraining}. Plain data, except for the arrays of base distributions. */
export interface TrainingOptions {
  /** Maximum number of passes over the training samples. */
  readonly epochs: number;
  /** Maximum number of samples per batch. */
  readonly batchSize: number;
  /**
   * Batches per update: `epoch` (if omitted) for full-batch EM, or a number for mini-batch EM. `auto` chooses the number
   * and size of batches from the number of samples; see {@link fittedUpdates}.
   */
  readonly batchesPerUpdate?: "epoch" | "auto" | number;
  /**
   * How counts become parameters, see {@link UpdateStep}, with numbers that may follow a schedule; EM if omitted. An
   * `anemone` step may instead fall depending on the scores of the epochs.
   */
  readonly step?: {
    [K in StepName]:
      & { readonly kind: K }
      & StepNumber<K, K extends FallingStep ? Schedule | Falling : Schedule>;
  }[StepName];
  /**
   * Pseudocounts and other settings. A pseudocount is relative to the whole training set: an update that sums up a part
   * of it uses the corresponding share.
   */
  readonly smoothing?: Omit<UpdateRule, "step">;
  /** Determines order and dropout; 0 if omitted. */
  readonly seed?: number;
  /** Whether every epoch has its own order; true if omitted, for mini-batches. */
  readonly shuffle?: boolean;
  /** Number of neighbouring samples that a shuffle keeps together; 1 if omitted. */
  readonly shuffleBlock?: number;
  /** Probability of hiding an observed value in training; 0 if omitted. */
  readonly dropout?: number;
  /**
   * Probability with which a state of a hidden Markov model is switched off for a batch of training, see {@link StateDropout};
   * 0 if omitted. An `em` step forgets what it does not count, and needs several batches: two up to 0.38, three up to 0.61.
   */
  readonly stateDropout?: number;
  /**
   * Epochs without improvement after which training stops; never if omitted. A falling step must first reach its smallest
   * value. With `auto`, an epoch with few updates does not count on its own; see {@link courseOf}.
   */
  readonly patience?: number;
  /** Minimum improvement of a score, in nats per sample; 0 if omitted. */
  readonly tolerance?: number;
}

/** Options with defaults filled in. */
export type FullOptions = Required<Omit<TrainingOptions, "batchesPerUpdate">> & {
  /** Maximum number of samples per batch when scoring. */
  readonly scoredTogether: number;
  /** Batches per update; Infinity for all. */
  readonly batchesPerUpdate: number;
  /** Epochs per round, after which improvement of the score is judged. */
  readonly round: number;
};

/** Minimum updates per epoch that `auto` aims for, and half the maximum while batches are few. */
const UPDATES = 32;
/** Smallest batch size for `auto`: smaller batches say too little about a row. */
const SMALLEST = 16;
/** Maximum batches per update for `auto`: beyond that, an update does not improve enough to justify its time. */
const LARGEST = 16;
/** Number of updates after which improvement can be judged. */
const ROUND = 16;

/**
 * Batches and updates according to the number of samples: 31 to 63 updates per epoch; more if they would sum up more than
 * 16 full batches, fewer if a batch would have fewer than 16 samples. A small corpus thus gets as many updates per epoch
 * as a large one; where that is impossible, several epochs make a round.
 *
 * @param count number of training samples
 * @param largest maximum batch size
 * @throws {CircuitError} when they are no such numbers
 */
export function fittedUpdates(
  count: number,
  largest: number,
): { batchSize: number; batchesPerUpdate: number; round: number } {
  whole("The number of samples", count, 0);
  whole("batchSize", largest, 1);
  const batchSize = Math.min(largest, Math.max(SMALLEST, Math.ceil(count / UPDATES)));
  const batches = Math.ceil(count / batchSize);
  const batchesPerUpdate = Math.min(LARGEST, Math.max(1, Math.floor(batches / UPDATES)));
  const updates = Math.max(1, Math.ceil(batches / batchesPerUpdate));
  return { batchSize, batchesPerUpdate, round: Math.ceil(ROUND / updates) };
}

/**
 * Fills in and checks options.
 * @param count number of training samples
 * @throws {CircuitError} naming the option
 */
export function fullOptions(options: TrainingOptions, count: number): FullOptions {
  requireObject("the options of a training", options);
  const { batchesPerUpdate = "epoch" } = options;
  whole("batchSize", options.batchSize, 1);
  const fitted = batchesPerUpdate === "auto" ? fittedUpdates(count, options.batchSize) : {
    batchSize: options.batchSize,
    batchesPerUpdate: batchesPerUpdate === "epoch" ? Infinity : batchesPerUpdate,
    round: 1,
  };
  const full: FullOptions = {
    step: { kind: "em" },
    smoothing: {},
    seed: 0,
    shuffle: batchesPerUpdate !== "epoch",
    shuffleBlock: 1,
    dropout: 0,
    stateDropout: 0,
    patience: Infinity,
    tolerance: 0,
    ...options,
    ...fitted,
    scoredTogether: options.batchSize,
  };
  whole("epochs", full.epochs, 0);
  whole("shuffleBlock", full.shuffleBlock, 1);
  whole("seed", full.seed, 0);
  if (full.batchesPerUpdate !== Infinity) whole("batchesPerUpdate", full.batchesPerUpdate, 1);
  if (full.patience !== Infinity) whole("patience", full.patience, 1);
  if (!(typeof full.tolerance === "number" && full.tolerance >= 0 && full.tolerance < Infinity)) {
    throw new CircuitError("circuit/argument", `tolerance is ${full.tolerance}, expected a number from 0`);
  }
  for (const name of ["dropout", "stateDropout"] as const) {
    const rate = full[name];
    if (typeof rate === "number" && rate >= 0 && rate < 1) continue;
    throw new CircuitError("circuit/argument", `${name} is ${rate}, expected a number from 0 and below 1`);
  }
  requireKind("the step", full.step, STEPS);
  if (full.stateDropout > 0) requireAllStates(full, batchCount(count, full.batchSize));
  const { number = "", falls } = stepRules[full.step.kind], value = numberOf(full.step);
  if (value !== undefined && falls && isFalling(value)) checkFalling(value);
  else if (value !== undefined) checkSchedule(number, value as Schedule);
  return full;
}

/**
 * The rule of an update.
 * @param progress from 0, first update, to 1, last
 * @param part weight of the samples that it sums up, as a share of the total
 * @param falls how often a falling step has been reduced
 */
export function ruleAt(options: FullOptions, progress: number, part: number, falls = 0): UpdateRule {
  requireObject("the options of `ruleAt`", options);
  const { smoothing, step } = options;
  const scale = <T extends Pick<ParameterSettings, "pseudocount">>(settings: T): T =>
    settings.pseudocount === undefined ? settings : { ...settings, pseudocount: settings.pseudocount * part };
  return {
    step: stepAt(step, progress, falls),
    ...(smoothing.sums && { sums: scale(smoothing.sums) }),
    ...(smoothing.leaves && { leaves: scale(smoothing.leaves) }),
    ...(smoothing.parameters && {
      parameters: Object.fromEntries(
        Object.entries(smoothing.parameters).map(([id, settings]) => [id, scale(settings)]),
      ),
    }),
  };
}

/** The numeric setting of a step; undefined for a kind without one. */
function numberOf(step: FullOptions["step"]): Schedule | Falling | undefined {
  const { number } = stepRules[step.kind];
  return number === undefined ? undefined : (step as unknown as Record<string, Schedule | Falling>)[number];
}

function stepAt(step: FullOptions["step"], progress: number, falls: number): UpdateStep {
  const { number } = stepRules[step.kind], value = numberOf(step);
  if (number === undefined || value === undefined) return step as UpdateStep;
  const now = (x: number) => ({ kind: step.kind, [number]: x }) as unknown as UpdateStep;
  if (!isFalling(value)) return now(scheduled(value, progress));
  const { from, to, factor = 0.5 } = value;
  return now(Math.max(to, from * factor ** falls));
}

/** How often the step of a training can be reduced before it reaches its smallest value; 0 if it does not fall. */
export function mostFalls({ step }: FullOptions): number {
  const value = numberOf(step);
  if (value === undefined || !isFalling(value)) return 0;
  const { from, to, factor = 0.5 } = value;
  // A power that misses `to` only by rounding is not another reduction.
  return Math.ceil(Math.log(to / from) / Math.log(factor) - 1e-9);
}

/** @throws {CircuitError} where an update that keeps nothing of the old parameters may see a state in none of its batches */
function requireAllStates({ step, batchesPerUpdate, stateDropout }: FullOptions, batches: number): void {
  const most = Math.min(batchesPerUpdate, batches), fewest = batches % most || most;
  if (!stepRules[step.kind].monotone || keepsEach(stateDropout, fewest)) return;
  throw new CircuitError(
    "circuit/argument",
    `stateDropout is ${stateDropout}, but a step \`${step.kind}\` of ${fewest} batch${
      fewest === 1 ? "" : "es"
    } would forget the states that none of them has`,
    { hint: "Give updates more batches: a smaller `batchSize`, or more `batchesPerUpdate`." },
  );
}

function whole(what: string, x: number, from: number): void {
  if (Number.isSafeInteger(x) && x >= from) return;
  throw new CircuitError("circuit/argument", `${what} is ${x}, expected a whole number from ${from}`);
}
