/** How the arms of image experiments are trained by EM. */
import { CallError } from "../../foundation/errors.ts";
import type { z } from "zod";
import { anemone, fallingAnemone, type trainingParams } from "../training_params.ts";
import type { DistillationParams } from "./experiment_params.ts";

type Em = z.input<typeof trainingParams>;

/** Smoothing of all learned parameters; the levels of a pixel are smoothed towards their overall frequencies. */
function smoothing({ pseudocount }: DistillationParams) {
  return { pseudocount: { sums: 0.1, leaves: pseudocount }, leafBase: "marginal" } as const;
}

/** Mini-batch EM with a decreasing step size, for a number of epochs. */
function imageEm(params: DistillationParams, epochs: number, batchSize: number): Em {
  return {
    ...smoothing(params),
    epochs,
    batchSize,
    batchesPerUpdate: 1,
    step: anemone(0.4, 0.02),
  };
}

/** The same, until the validation images end it where the parameters say so. */
export function validatedEm(
  { dimensions }: { readonly dimensions?: number },
  params: DistillationParams,
  epochs: number,
  batchSize: number,
): Em {
  const em = imageEm(params, epochs, batchSize);
  if (params.converge === undefined || epochs === 0) return em;
  if (dimensions === undefined) {
    throw new CallError(
      "pipeline/parameters",
      "`converge` counts bits per dimension, and these images have no `dimensions`",
    );
  }
  const { epochs: most, patience, tolerance, steps: [from, to] } = params.converge;
  // A training counts nats of a whole image.
  const nats = tolerance * Math.LN2 * dimensions;
  return { ...em, epochs: most, patience, tolerance: nats, step: fallingAnemone(from, to) };
}

/** Mini-batch EM of patch circuits on the patches of their clusters. */
export function patchEm(params: DistillationParams, epochs: number): Em {
  return imageEm(params, epochs, 512);
}
