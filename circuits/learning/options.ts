import { CircuitError } from "../errors.ts";
import type { ParameterSettings, UpdateRule, UpdateStep } from "../learner.ts";
import { checkSchedule, type Schedule, scheduled } from "./schedule.ts";

/** How {@link EmTraining} learns. Plain data, but for the arrays of base distributions. */
export interface TrainingOptions {
  /** Passes over the training samples. */
  readonly epochs: number;
  /** Most samples at a time. */
  readonly batchSize: number;
  /**
   * Batches that an update sums up: `epoch` (when left out) for all of an epoch, which is full-batch EM, or a
   * number, which is mini-batch EM.
   */
  readonly batchesPerUpdate?: "epoch" | number;
  /** How counts become parameters, see {@link UpdateStep}, with numbers that may follow a schedule; else EM. */
  readonly step?:
    | { readonly kind: "em" }
    | { readonly kind: "inertia"; readonly inertia: Schedule }
    | { readonly kind: "anemone"; readonly step: Schedule };
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
  /** Epochs without a better score after which training stops; never when left out. */
  readonly patience?: number;
  /** Nats a sample by which a score must be better to count as better; 0 when left out. */
  readonly tolerance?: number;
}

/** Options with everything filled in. */
export type FullOptions = Required<Omit<TrainingOptions, "batchesPerUpdate">> & {
  /** Batches that an update sums up; Infinity for all. */
  readonly batchesPerUpdate: number;
};

/** Fills in and checks options. @throws {CircuitError} naming the option */
export function fullOptions(options: TrainingOptions): FullOptions {
  const { batchesPerUpdate = "epoch" } = options;
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
    batchesPerUpdate: batchesPerUpdate === "epoch" ? Infinity : batchesPerUpdate,
  };
  whole("epochs", full.epochs, 0);
  whole("batchSize", full.batchSize, 1);
  whole("shuffleBlock", full.shuffleBlock, 1);
  whole("seed", full.seed, 0);
  if (full.batchesPerUpdate !== Infinity) whole("batchesPerUpdate", full.batchesPerUpdate, 1);
  if (full.patience !== Infinity) whole("patience", full.patience, 1);
  if (!(full.dropout >= 0 && full.dropout < 1)) {
    throw new CircuitError(`dropout is ${full.dropout}, expected a number from 0 and below 1.`);
  }
  if (full.step.kind === "inertia") checkSchedule("inertia", full.step.inertia);
  else if (full.step.kind === "anemone") checkSchedule("step", full.step.step);
  return full;
}

/**
 * The rule of an update.
 * @param progress from 0, first update, to 1, last
 * @param part weight of the samples that it sums up, as a part of all
 */
export function ruleAt(options: FullOptions, progress: number, part: number): UpdateRule {
  const { smoothing, step } = options;
  const scale = <T extends Pick<ParameterSettings, "pseudocount">>(settings: T): T =>
    settings.pseudocount === undefined ? settings : { ...settings, pseudocount: settings.pseudocount * part };
  return {
    step: stepAt(step, progress),
    ...(smoothing.sums && { sums: scale(smoothing.sums) }),
    ...(smoothing.leaves && { leaves: scale(smoothing.leaves) }),
    ...(smoothing.parameters && {
      parameters: Object.fromEntries(
        Object.entries(smoothing.parameters).map(([id, settings]) => [id, scale(settings)]),
      ),
    }),
  };
}

function stepAt(step: FullOptions["step"], progress: number): UpdateStep {
  if (step.kind === "inertia") return { kind: "inertia", inertia: scheduled(step.inertia, progress) };
  if (step.kind === "anemone") return { kind: "anemone", step: scheduled(step.step, progress) };
  return step;
}

function whole(what: string, x: number, from: number): void {
  if (Number.isSafeInteger(x) && x >= from) return;
  throw new CircuitError(`${what} is ${x}, expected a whole number from ${from}.`);
}
