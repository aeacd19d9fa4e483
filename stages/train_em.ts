import type { z } from "zod";
import type { Circuit } from "../circuits/circuit.ts";
import { type Learner, type ParameterSettings, type UpdateRule } from "../circuits/learner.ts";
import { fit, type FitLog } from "../circuits/learning/fit.ts";
import { leafMarginals } from "../circuits/learning/marginals.ts";
import { perturbed } from "../circuits/learning/perturb.ts";
import type { Score } from "../circuits/learning/score.ts";
import type { SampleSource } from "../circuits/learning/source.ts";
import type { EpochReport, TrainingState } from "../circuits/learning/state.ts";
import { defineStage, type Stage, type StageContext } from "../runner/stage.ts";
import { circuit } from "./codecs/circuit.ts";
import { samples } from "./codecs/samples.ts";
import { plainScore, type TrainingLog, trainingLog } from "./codecs/score.ts";
import { trainingState } from "./codecs/training_state.ts";
import { openLearner } from "./open_learner.ts";
import { trainingOptions, trainingParams } from "./training_params.ts";

/**
 * Trains a circuit by EM, full-batch or mini-batch, and gives the parameters that fit the validation samples
 * best. Interrupted at any batch, it resumes there and ends with the same bytes.
 */
export const trainEm: Stage<
  typeof trainingParams,
  { circuit: typeof circuit; train: typeof samples; valid: typeof samples },
  { circuit: typeof circuit; log: typeof trainingLog }
> = defineStage({
  name: "train.em",
  params: trainingParams,
  inputs: { circuit, train: samples, valid: samples },
  outputs: { circuit, log: trainingLog },
  seeded: true,
  engine: "use",
  checkpoint: trainingState,
  run: ({ inputs, params, context }) =>
    runTraining(inputs.circuit, { train: inputs.train, valid: inputs.valid }, params, context),
});

/** The work of {@link trainEm}, for stages with other samples or learners. */
export async function runTraining(
  start: Circuit,
  data: { train: SampleSource; valid: SampleSource },
  params: z.output<typeof trainingParams>,
  context: StageContext<TrainingState>,
  open: (circuit: Circuit) => Promise<Learner> = (circuit) => openLearner(circuit, context),
): Promise<{ circuit: Circuit; log: TrainingLog }> {
  const first = params.perturb > 0 ? perturbed(start, { amount: params.perturb, seed: context.seed }) : start;
  const learner = await open(first);
  try {
    const resume = await context.checkpoint.load();
    if (resume !== undefined) {
      context.log(`going on in epoch ${resume.progress.epoch}, batch ${resume.progress.batch}`);
    }
    const { circuit, log } = await fit(learner, data.train, {
      ...trainingOptions(params, context.seed),
      smoothing: await smoothingOf(first, data.train, params),
      valid: data.valid,
      onEpoch: (report) => tell(report, context),
      onProgress: ({ done, total }) => context.progress(done, total, "batches"),
      onState: (state) => context.checkpoint.offer(state),
      ...(resume !== undefined && { resume }),
    });
    return { circuit, log: toldLog(log, context) };
  } finally {
    await learner.close();
  }
}

/** Tells what a training came to. @returns its log as it is kept */
export function toldLog(
  { epochs, bestEpoch, converged }: FitLog,
  context: Pick<StageContext, "log" | "metric">,
): TrainingLog {
  const kept = epochs.find(({ epoch }) => epoch === bestEpoch);
  // The curves may end epochs later: what they came to is what the parameters that are kept have.
  if (kept !== undefined) { for (const [name, score] of scoresOf(kept)) tellScore(name, score, context); }
  if (converged === false) {
    const last = epochs.at(-1)!.epoch;
    context.log(
      `not converged: ${last} epochs are over, the best one is ${bestEpoch}; more \`epochs\` would tell`,
    );
  }
  return {
    bestEpoch,
    converged,
    epochs: epochs.map(({ epoch, train, valid, best }) => ({
      epoch,
      ...(train && { train: plainScore(train) }),
      ...(valid && { valid: plainScore(valid) }),
      best,
    })),
  };
}

/** Pseudocounts, bases and frozen parameters of a rule, for stages that train. */
export async function smoothingOf(
  circuit: Circuit,
  train: SampleSource,
  params: z.output<typeof trainingParams>,
): Promise<Omit<UpdateRule, "step">> {
  const { pseudocount, leafBase, leafMix, frozen } = params;
  const parameters: Record<string, ParameterSettings> = {};
  if (leafBase === "marginal") {
    for (const [id, base] of await leafMarginals(circuit, train)) parameters[id] = { base };
  }
  for (const id of frozen) parameters[id] = { ...parameters[id], frozen: true };
  return {
    sums: { pseudocount: pseudocount.sums },
    leaves: { pseudocount: pseudocount.leaves, mix: leafMix },
    parameters,
  };
}

/** The points of the curves at an epoch. */
export function tell(report: EpochReport, context: Pick<StageContext, "log" | "metric">): void {
  const { epoch, warnings = [] } = report;
  for (const warning of warnings) context.log(`epoch ${epoch}: ${warning}`);
  for (const [name, score] of scoresOf(report)) {
    tellScore(name, score, context, epoch);
    if (score.impossible > 0) {
      context.metric(`impossible ${name} samples`, score.impossible, epoch);
      context.log(`epoch ${epoch}: ${score.impossible} of ${score.samples} ${name} samples are impossible`);
    }
  }
}

/** The scores of an epoch, by the samples that they are of. */
export function scoresOf({ train, valid }: EpochReport): [string, Score][] {
  return ([["train", train], ["valid", valid]] as const).flatMap(([name, score]) =>
    score === undefined ? [] : [[name, score] as [string, Score]]
  );
}

/** A score as metrics: points of curves at an epoch, or what a training came to. */
export function tellScore(
  name: string,
  score: Score,
  context: Pick<StageContext, "metric">,
  epoch?: number,
): void {
  if (!Number.isFinite(score.logLikelihood)) return;
  context.metric(`${name} log-likelihood`, score.logLikelihood, epoch);
  context.metric(`${name} bits per variable`, score.bitsPerVariable, epoch);
}
