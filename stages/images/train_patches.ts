import { assemblePatches, disassemblePatches, type PatchPart } from "../../circuits/structures/patches.ts";
import { type SampleSource, sourceOf } from "../../circuits/learning/source.ts";
import { dimensionsOf, type ImageSet } from "../../datasets/images/image_set.ts";
import { z } from "zod";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { trainingLog } from "../codecs/score.ts";
import { trainingState } from "../codecs/training_state.ts";
import { runTraining } from "../train_em.ts";
import { trainingParams } from "../training_params.ts";
import { images } from "./codecs.ts";
import { openPatchLearner } from "./open_model.ts";
import { imageVariables, patchModel, patchParts } from "./patch_codecs.ts";

/**
 * Trains all levels of a patch model jointly by EM on log p(image). The E-step is that of the assembled circuit,
 * computed level by level.
 */
export const trainPatches: Stage<
  z.ZodObject<
    z.core.util.Extend<(typeof trainingParams)["shape"], { threshold: z.ZodDefault<z.ZodNumber> }>,
    z.core.$strip
  >,
  { model: typeof patchModel; train: typeof images; valid: typeof images },
  { model: typeof patchModel; log: typeof trainingLog }
> = defineStage({
  name: "images.train-patches",
  params: trainingParams.extend({
    /** Posterior probability below which a patch's cluster is omitted from the E-step. */
    threshold: z.number().min(0).max(1).default(1e-4),
  }),
  inputs: { model: patchModel, train: images, valid: images },
  outputs: { model: patchModel, log: trainingLog },
  seeded: true,
  engine: "use",
  checkpoint: trainingState,
  async run({ inputs, params, context }) {
    const { model } = inputs;
    const parts = patchParts(model);
    const whole = assemblePatches(imageVariables(model.space), model.top, parts);
    const { circuit, log } = await runTraining(
      whole,
      { train: imageSource(inputs.train), valid: imageSource(inputs.valid) },
      params,
      context,
      async (start) => {
        const learner = await openPatchLearner(model, context, { threshold: params.threshold });
        await learner.setParameters(new Map([...start.parameters].map(([id, { values }]) => [id, values])));
        await learner.parameters();
        return learner;
      },
    );
    const trained = disassemblePatches(circuit, model.top, parts);
    return {
      model: { ...model, top: trained.top, circuits: circuitsOf(trained.parts, model.circuits.length) },
      log,
    };
  },
});

/** Images as training samples for a circuit over their pixels. */
export function imageSource({ space, count, pixels }: ImageSet): SampleSource {
  return sourceOf({ count, variables: dimensionsOf(space), values: pixels });
}

function circuitsOf(parts: readonly PatchPart[], count: number) {
  return parts.slice(0, count).map(({ circuit }) => circuit);
}
