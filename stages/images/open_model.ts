import type { Circuit } from "../../circuits/circuit.ts";
import type { Learner } from "../../circuits/learner.ts";
import { PatchLearner } from "../../circuits/patches/learner.ts";
import { completePatches, patchMeans } from "../../circuits/patches/queries.ts";
import { conditionalMean } from "../../circuits/queries/conditional.ts";
import { sampleMissing } from "../../circuits/queries/sampling.ts";
import { isObserved, type Samples, takeSamples } from "../../circuits/samples.ts";
import type { StageContext } from "../../runner/stage.ts";
import { openLearner } from "../open_learner.ts";
import { imageVariables, type PatchModel, patchParts } from "./patch_codecs.ts";

/** A distribution of images that can be asked: what stages that score and show need of any model. */
export interface ImageModel {
  /** Log-likelihoods of the observed values in nats, `[samples]`. */
  logLikelihoods(samples: Samples): Promise<Float64Array>;
  /** What is missing drawn given what is observed; independent draws of a sample stand next to each other. */
  complete(samples: Samples, options: { seed: number; draws?: number }): Promise<Samples>;
  /** Expected values of what is missing given what is observed, `[samples, variables]`. */
  means(samples: Samples): Promise<Float64Array>;
  /** Gives back what it holds. */
  close(): Promise<void>;
}

/** The learner of a patch model on the engine of the run. */
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

/** A patch model to be asked. */
export async function openPatchModel(
  model: PatchModel,
  context: Pick<StageContext, "engine">,
): Promise<ImageModel> {
  return askPatches(await openPatchLearner(model, context));
}

/** What a learner of patches can be asked. */
export function askPatches(learner: PatchLearner): ImageModel {
  return {
    logLikelihoods: (samples) => learner.logLikelihoods(samples),
    complete: (samples, options) => completePatches(learner, samples, options),
    means: (samples) => patchMeans(learner, samples),
    close: () => learner.close(),
  };
}

/** A circuit over pixels to be asked. */
export async function openPixelCircuit(
  circuit: Circuit,
  context: Pick<StageContext, "engine">,
): Promise<ImageModel> {
  return askPixels(await openLearner(circuit, context));
}

/** What a learner over pixels can be asked. */
export function askPixels(learner: Learner): ImageModel {
  return {
    logLikelihoods: (samples) => learner.logLikelihoods(samples),
    complete: (samples, options) => sampleMissing(learner, samples, options),
    means: (samples) => pixelMeans(learner, samples),
    close: () => learner.close(),
  };
}

/** Samples with the same values missing are asked together. */
async function pixelMeans(learner: Learner, samples: Samples): Promise<Float64Array> {
  const { count, variables, values, observed } = samples;
  const out = Float64Array.from(values);
  const groups = new Map<string, number[]>();
  for (let s = 0; s < count; s++) {
    const mask = observed?.subarray(s * variables, (s + 1) * variables).join("") ?? "";
    groups.set(mask, [...groups.get(mask) ?? [], s]);
  }
  for (const rows of groups.values()) {
    const some = takeSamples(samples, rows);
    const missing = Array.from({ length: variables }, (_, v) => v).filter((v) => !isObserved(some, 0, v));
    if (missing.length === 0) continue;
    for (const [v, means] of await conditionalMean(learner, some, missing)) {
      means.forEach((mean, i) => out[rows[i]! * variables + v] = mean);
    }
  }
  return out;
}
