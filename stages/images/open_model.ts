import type { Circuit } from "../../circuits/circuit.ts";
import { PatchLearner } from "../../circuits/patches/learner.ts";
import { completePatches, patchMeans } from "../../circuits/patches/queries.ts";
import type { StageContext } from "../../runner/stage.ts";
import { openLearner } from "../open_learner.ts";
import { type CompletionModel, completionModel } from "../../circuits/queries/complete.ts";
import { imageVariables, type PatchModel, patchParts } from "./patch_codecs.ts";

/** A learner of a patch model on the engine of the run. */
export function openPatchLearner(
  model: PatchModel,
  context: Pick<StageContext, "engine">,
  options: { threshold?: number } = {},
): Promise<PatchLearner> {
  return PatchLearner.open({
    variables: imageVariables(model.space),
    top: model.top,
    parts: patchParts(model),
    open: (circuit) => openLearner(circuit, context),
    ...options,
  });
}

/** Opens a patch model for queries. */
export async function openPatchModel(
  model: PatchModel,
  context: Pick<StageContext, "engine">,
): Promise<CompletionModel> {
  return askPatches(await openPatchLearner(model, context));
}

/** Queries on a learner of a patch model. */
export function askPatches(learner: PatchLearner): CompletionModel {
  return {
    logLikelihoods: (samples) => learner.logLikelihoods(samples),
    complete: (samples, options) => completePatches(learner, samples, options),
    means: (samples) => patchMeans(learner, samples),
    close: () => learner.close(),
  };
}

/** Opens a circuit over pixels for queries. */
export async function openPixelCircuit(
  circuit: Circuit,
  context: Pick<StageContext, "engine">,
): Promise<CompletionModel> {
  return completionModel(await openLearner(circuit, context));
}
