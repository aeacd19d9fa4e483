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

/** A distribution over images that supports queries: what the stages that score and show images need of a model. */
export interface ImageModel {
  /** Log-likelihoods of the observed values in nats, `[samples]`. */
  logLikelihoods(samples: Samples): Promise<Float64Array>;
  /** Samples the missing values given the observed ones; independent draws of one sample are consecutive. */
  complete(samples: Samples, options: { seed: number; draws?: number }): Promise<Samples>;
  /** Expected values of the missing values given the observed ones, `[samples, variables]`. */
  means(samples: Samples): Promise<Float64Array>;
  /** Frees its resources. */
  close(): Promise<void>;
}

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
): Promise<ImageModel> {
  return askPatches(await openPatchLearner(model, context));
}

/** Queries on a learner of a patch model. */
export function askPatches(learner: PatchLearner): ImageModel {
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
): Promise<ImageModel> {
  return askPixels(await openLearner(circuit, context));
}

/** Queries on a learner over pixels. */
export function askPixels(learner: Learner): ImageModel {
  return {
    logLikelihoods: (samples) => learner.logLikelihoods(samples),
    complete: (samples, options) => sampleMissing(learner, samples, options),
    means: (samples) => pixelMeans(learner, samples),
    close: () => learner.close(),
  };
}

/** Samples with the same missing values are queried together. */
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
