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
import { imageVariables, type PatchModel, patchModel, patchParts } from "./patch_codecs.ts";
import type { Codec } from "../../runner/codec.ts";

/**
 * Trains all levels of a patch model jointly by EM on log p(image). The E-step is that of the assembled circuit,
 * computed level by level.
 */
export const trainPatches: Stage<
  z.ZodObject<{
    epochs: z.ZodDefault<z.ZodInt>;
    batchSize: z.ZodDefault<z.ZodInt>;
    batchesPerUpdate: z.ZodDefault<
      z.ZodUnion<readonly [z.ZodLiteral<"epoch">, z.ZodLiteral<"auto">, z.ZodInt]>
    >;
    step: z.ZodDefault<
      z.ZodDiscriminatedUnion<[
        z.ZodObject<{
          kind: z.ZodLiteral<"em">;
        }, z.core.$strict>,
        z.ZodObject<{
          kind: z.ZodLiteral<"inertia">;
          inertia: z.ZodDefault<
            z.ZodUnion<
              readonly [
                z.ZodNumber,
                z.ZodObject<{
                  points: z.ZodArray<z.ZodTuple<[z.ZodNumber, z.ZodNumber], null>>;
                  between: z.ZodOptional<
                    z.ZodEnum<{
                      steps: "steps";
                      linear: "linear";
                    }>
                  >;
                }, z.core.$strict>,
              ]
            >
          >;
        }, z.core.$strict>,
        z.ZodObject<{
          kind: z.ZodLiteral<"anemone">;
          step: z.ZodUnion<
            readonly [
              z.ZodUnion<
                readonly [
                  z.ZodNumber,
                  z.ZodObject<{
                    points: z.ZodArray<z.ZodTuple<[z.ZodNumber, z.ZodNumber], null>>;
                    between: z.ZodOptional<
                      z.ZodEnum<{
                        steps: "steps";
                        linear: "linear";
                      }>
                    >;
                  }, z.core.$strict>,
                ]
              >,
              z.ZodObject<{
                from: z.ZodNumber;
                to: z.ZodNumber;
                factor: z.ZodDefault<z.ZodNumber>;
              }, z.core.$strict>,
            ]
          >;
        }, z.core.$strict>,
      ], "kind">
    >;
    pseudocount: z.ZodPrefault<
      z.ZodObject<{
        sums: z.ZodDefault<z.ZodNumber>;
        leaves: z.ZodDefault<z.ZodNumber>;
        backoff: z.ZodOptional<z.ZodNumber>;
      }, z.core.$strict>
    >;
    leafBase: z.ZodDefault<
      z.ZodEnum<{
        uniform: "uniform";
        marginal: "marginal";
      }>
    >;
    leafMix: z.ZodDefault<z.ZodNumber>;
    frozen: z.ZodDefault<z.ZodArray<z.ZodString>>;
    perturb: z.ZodDefault<z.ZodNumber>;
    dropout: z.ZodDefault<z.ZodNumber>;
    patience: z.ZodOptional<z.ZodInt>;
    tolerance: z.ZodDefault<z.ZodNumber>;
    shuffleBlock: z.ZodDefault<z.ZodInt>;
    threshold: z.ZodDefault<z.ZodNumber>;
  }, z.core.$strip>,
  {
    model: Codec<PatchModel, PatchModel, "patch-model">;
    train: Codec<ImageSet, ImageSet, "images">;
    valid: Codec<ImageSet, ImageSet, "images">;
  },
  {
    model: Codec<PatchModel, PatchModel, "patch-model">;
    log: Codec<{
      bestEpoch: number;
      converged: boolean | null;
      epochs: {
        epoch: number;
        best: boolean;
        train?: {
          logLikelihood: number | null;
          bitsPerVariable: number | null;
          impossible: number;
          samples: number;
        } | undefined;
        valid?: {
          logLikelihood: number | null;
          bitsPerVariable: number | null;
          impossible: number;
          samples: number;
        } | undefined;
      }[];
    }, {
      bestEpoch: number;
      converged: boolean | null;
      epochs: {
        epoch: number;
        best: boolean;
        train?: {
          logLikelihood: number | null;
          bitsPerVariable: number | null;
          impossible: number;
          samples: number;
        } | undefined;
        valid?: {
          logLikelihood: number | null;
          bitsPerVariable: number | null;
          impossible: number;
          samples: number;
        } | undefined;
      }[];
    }, "training-log">;
  }
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
