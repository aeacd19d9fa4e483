import { didYouMean } from "../../foundation/nearest.ts";
import { type Circuit, type Variable, withNotes } from "../circuit.ts";
import { CircuitError } from "../errors.ts";
import { requireEvaluator, requireObject, requireSeed } from "../guards.ts";
import type { Learner } from "../learner.ts";
import { RandomStream } from "../random.ts";
import type { Samples } from "../samples.ts";
import { requireTable, type SampleTable } from "../table.ts";
import type { TrainingOptions } from "./options.ts";
import { SPLIT } from "./purposes.ts";
import { type SampleSource, sourceOf, takeSource } from "./source.ts";
import type { EpochReport, TrainingState } from "./state.ts";
import { EmTraining } from "./training.ts";

/** What {@link fit} learns from: a table, samples in memory, or a source that reads them. */
export type FitData = SampleTable | Samples | SampleSource;

/** Options of {@link fit}: those of {@link EmTraining}, all of which may be left out, and what goes with them. */
export interface FitOptions extends Partial<TrainingOptions> {
  /**
   * Samples that choose the best epoch and end the training: a share of the rows between 0 and 1, drawn by the seed and
   * kept from learning, or other samples. If omitted, all rows are learned from and the last epoch is the result.
   */
  readonly valid?: number | FitData;
  /** Called with the report of every epoch, as soon as it is over; those before `resume` as well, first. */
  readonly onEpoch?: (report: EpochReport) => void | Promise<void>;
  /** Called after every batch: how many are done, of how many if nothing ends the training early. */
  readonly onProgress?: (batches: { readonly done: number; readonly total: number }) => void;
  /** Ends the training at the next batch: `fit` then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** The state of an earlier training of the same circuit, data and options to go on from. */
  readonly resume?: TrainingState;
  /** Called before every batch with a function that gives the state to `resume` from, to be kept where one wants. */
  readonly onState?: (state: () => Promise<TrainingState>) => void | Promise<void>;
}

/** The course of a training. */
export interface FitLog {
  /** The epoch whose parameters are the result; 0 for those that training started from. */
  readonly bestEpoch: number;
  /**
   * Whether the validation samples ended the training: false where the epochs ran out before that; null where there were
   * none to tell.
   */
  readonly converged: boolean | null;
  /** The reports of all epochs, in order; the first is of the start, epoch 0, if there are validation samples. */
  readonly epochs: readonly EpochReport[];
}

/** What {@link fit} comes to. */
export interface Fitted {
  /** The circuit with the parameters of the best epoch, which the engine has too. */
  readonly circuit: Circuit;
  /** How it went. */
  readonly log: FitLog;
}

/** What is taken where an option is left out: what suits tables of any size. */
const DEFAULTS = {
  epochs: 100,
  batchSize: 256,
  batchesPerUpdate: "auto",
  step: { kind: "anemone", step: { from: 0.5, to: 0.05 } },
  smoothing: { sums: { pseudocount: 0.1 }, leaves: { pseudocount: 0.1 } },
  patience: 2,
  tolerance: 0.001,
} as const satisfies TrainingOptions;

/** All options there are. */
const OPTIONS: Readonly<Record<keyof FitOptions, true>> = {
  epochs: true,
  batchSize: true,
  batchesPerUpdate: true,
  step: true,
  smoothing: true,
  seed: true,
  shuffle: true,
  shuffleBlock: true,
  dropout: true,
  stateDropout: true,
  patience: true,
  tolerance: true,
  valid: true,
  onEpoch: true,
  onProgress: true,
  signal: true,
  resume: true,
  onState: true,
};

/**
 * Fits the parameters of an engine's circuit to samples by expectation maximisation ({@link EmTraining}), and gives the
 * circuit of the best epoch. If options are left out: at most 100 epochs of mini-batches, a step that is halved from 0.5 to
 * 0.05 where an epoch brings nothing, 0.1 virtual samples a row of a sum and a unit of a leaf, and an end after two
 * epochs without 0.001 nats a sample more at the smallest step.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { fit, hmm, ReferenceLearner, samplesFromRows } from "../mod.ts";
 *
 * const rows = samplesFromRows([[0, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]]);
 * const learner = new ReferenceLearner(hmm({ length: 3, states: 2, symbols: 2 }));
 * const { circuit, log } = await fit(learner, rows, { epochs: 5, valid: 0.25, seed: 1 });
 * assert.ok(log.epochs[log.bestEpoch]!.best && circuit.variables.length === 3);
 * ```
 *
 * The same engine, data, options and seed give the same parameters. If it throws, because of the signal or anything else,
 * the engine can be used, and has the parameters of the last update.
 *
 * @param engine an engine of the circuit to start from, or another learner
 * @param data the samples to learn from, a column for every variable of the circuit
 * @throws {CircuitError} when the options make no sense, for the circuit or at all, or the data are not the circuit's
 */
export async function fit(engine: Learner, data: FitData, options: FitOptions = {}): Promise<Fitted> {
  requireEvaluator(engine);
  requireObject("the engine", engine, ["accumulate", "update"]);
  requireObject("the options of `fit`", options);
  const names = Object.keys(OPTIONS), strange = Object.keys(options).find((name) => !names.includes(name));
  if (strange !== undefined) {
    throw new CircuitError(
      "circuit/argument",
      `\`fit\` has no option \`${strange}\`${didYouMean(strange, names)}`,
      { hint: `Its options are ${names.join(", ")}.` },
    );
  }
  const { valid, onEpoch, onProgress, signal, resume, onState, ...given } = options;
  requireSeed(given.seed ?? 0);
  const whole = sourceFor(engine.circuit, data, "the data");
  const { train, valid: held } = typeof valid === "number"
    ? splitOff(whole, valid, given.seed ?? 0)
    : { train: whole, valid: valid === undefined ? undefined : sourceFor(engine.circuit, valid, "`valid`") };
  const training = new EmTraining(
    engine,
    { train, ...(held && { valid: held }) },
    { ...DEFAULTS, ...given },
  );
  if (resume !== undefined) {
    await training.restore(resume);
    for (const report of resume.progress.reports) await onEpoch?.(report);
  }
  while (!training.done) {
    signal?.throwIfAborted();
    await onState?.(() => training.state());
    const report = await training.step();
    if (report !== undefined) await onEpoch?.(report);
    onProgress?.(training.steps);
  }
  const { reports, best } = training.progress;
  return {
    circuit: withNotes(await training.result(), train.notes),
    log: { bestEpoch: best?.epoch ?? 0, converged: training.converged ?? null, epochs: reports },
  };
}

/** Any data as a source. @throws {CircuitError} when a table has other columns than the circuit has variables */
function sourceFor(circuit: Circuit, data: FitData, what: string): SampleSource {
  requireObject(what, data);
  if ("read" in data) return data;
  if (!("samples" in data)) return sourceOf(data);
  requireTable(data);
  const { variables, samples, notes } = data;
  if (variables.length !== circuit.variables.length) {
    throw new CircuitError(
      "samples/shape",
      `${what}: the table has ${variables.length} columns, but the circuit has ${circuit.variables.length} variables`,
    );
  }
  circuit.variables.forEach((wanted, v) => {
    const got = variables[v] as Variable;
    if (columnText(got) === columnText(wanted)) return;
    throw new CircuitError(
      "samples/shape",
      `${what}: column ${v} is ${columnText(got)}, but the circuit's variable is ${columnText(wanted)}`,
      { hint: "Open the engine on a circuit over the columns of this table." },
    );
  });
  return { ...sourceOf(samples), ...(notes && { notes }) };
}

function columnText(variable: Variable): string {
  return `\`${variable.name}\`, ${variable.kind}${
    variable.kind === "categorical" ? ` of ${variable.states} states` : ""
  }`;
}

/** Draws a share of the samples, which no longer are among those to learn from. */
function splitOff(
  all: SampleSource,
  share: number,
  seed: number,
): { train: SampleSource; valid: SampleSource } {
  if (!(share > 0 && share < 1)) {
    throw new CircuitError(
      "circuit/argument",
      `valid is ${share}, expected a share of the rows, above 0 and below 1, or other samples`,
    );
  }
  const { count } = all, held = Math.round(share * count);
  if (held === 0 || held === count) {
    throw new CircuitError(
      "learning/no-samples",
      `valid is ${share}: of ${count} samples that leaves none ${
        held === 0 ? "to validate on" : "to learn from"
      }`,
    );
  }
  const order = new RandomStream(seed, 0, 0, SPLIT).permutation(count);
  const part = (from: number, to: number) => takeSource(all, Uint32Array.from(order.slice(from, to)).sort());
  return { train: part(held, count), valid: part(0, held) };
}
