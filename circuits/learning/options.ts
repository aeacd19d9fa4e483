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

/** How {@link EmTraining} learns. Plain data, but for the arrays of base distributions. */
export interface TrainingOptions {
  /** Most passes over the training samples. */
  readonly epochs: number;
  /** Most samples at a time. */
  readonly batchSize: number;
  /**
   * Batches that an update sums up: `epoch` (when left out) for all of an epoch, which is full-batch EM, or a
   * number, which is mini-batch EM. `auto` chooses number and size of the batches by how many samples there are: see
   * {@link fittedUpdates}.
   */
  readonly batchesPerUpdate?: "epoch" | "auto" | number;
  /**
   * How counts become parameters, see {@link UpdateStep}, with numbers that may follow a schedule; else EM. A step of
   * `anemone` may fall by what the epochs bring instead.
   */
  readonly step?: {
    [K in StepName]:
      & { readonly kind: K }
      & StepNumber<K, K extends FallingStep ? Schedule | Falling : Schedule>;
  }[StepName];
  /**
   * Pseudocounts and other settings. A pseudocount is for the whole of the training samples: an update that
   * sums up a part of them uses that part of it.
   */
  readonly smoothing?: Omit<UpdateRule, "step">;
  /** Decides order and dropout; 0 when left out. */
  readonly seed?: number;
  /** Whether every epoch has an order of its own; true when left out, for mini-batches. */
  readonly shuffle?: boolean;
  /** Neighbours that a shuffle leaves together; 1 when left out. */
  readonly shuffleBlock?: number;
  /** Probability with which an observed value is hidden in training; 0 when left out. */
  readonly dropout?: number;
  /**
   * Epochs without a better score after which training stops; never when left out. A step that falls has to be at
   * its smallest. With `auto` an epoch of few updates is not enough: see {@link courseOf}.
   */
  readonly patience?: number;
  /** Nats a sample by which a score must be better to count as better; 0 when left out. */
  readonly tolerance?: number;
}

/** Options with everything filled in. */
export type FullOptions = Required<Omit<TrainingOptions, "batchesPerUpdate">> & {
  /** Most samples at a time in scoring. */
  readonly scoredTogether: number;
  /** Batches that an update sums up; Infinity for all. */
  readonly batchesPerUpdate: number;
  /** Epochs that decide together whether the score still gets better. */
  readonly round: number;
};

/** Updates of an epoch that `auto` wants at least, and at most twice as many while batches are few. */
const UPDATES = 32;
/** Samples of a batch that `auto` does not go below: fewer say too little of a row. */
const SMALLEST = 16;
/** Batches that `auto` sums up at most: more samples make an update no better worth its time. */
const LARGEST = 16;
/** Updates after which it can be told whether they bring anything. */
const ROUND = 16;

/**
 * Batches and updates by the number of samples: an epoch of 31 to 63 updates, of more where they would sum up more than 16
 * full batches, of fewer where a batch would have fewer than 16 samples. A small corpus has so as many updates an epoch
 * as a large one, and where it cannot have them, several epochs make a round.
 *
 * @param count samples to learn from
 * @param largest most samples of a batch
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
 * @param count samples to learn from
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
  if (!(typeof full.dropout === "number" && full.dropout >= 0 && full.dropout < 1)) {
    throw new CircuitError(
      "circuit/argument",
      `dropout is ${full.dropout}, expected a number from 0 and below 1`,
    );
  }
  requireKind("the step", full.step, STEPS);
  const { number = "", falls } = stepRules[full.step.kind], value = numberOf(full.step);
  if (value !== undefined && falls && isFalling(value)) checkFalling(value);
  else if (value !== undefined) checkSchedule(number, value as Schedule);
  return full;
}

/**
 * The rule of an update.
 * @param progress from 0, first update, to 1, last
 * @param part weight of the samples that it sums up, as a part of all
 * @param falls how often a step that falls has fallen
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

/** What a step says of its number; undefined for a kind without one. */
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

/** How often the step of a training may fall before it is at its smallest; 0 where it does not fall. */
export function mostFalls({ step }: FullOptions): number {
  const value = numberOf(step);
  if (value === undefined || !isFalling(value)) return 0;
  const { from, to, factor = 0.5 } = value;
  // A power that misses `to` by rounding is no further fall.
  return Math.ceil(Math.log(to / from) / Math.log(factor) - 1e-9);
}

function whole(what: string, x: number, from: number): void {
  if (Number.isSafeInteger(x) && x >= from) return;
  throw new CircuitError("circuit/argument", `${what} is ${x}, expected a whole number from ${from}`);
}
