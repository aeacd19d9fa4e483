import type { z } from "zod";
import type { Codec } from "../../runner/codec.ts";
import type { Windows } from "../../datasets/text/windows.ts";
import type { Circuit } from "../../circuits/circuit.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { trainingLog } from "../codecs/score.ts";
import { trainingState } from "../codecs/training_state.ts";
import { runTraining } from "../train_em.ts";
import { trainingParams } from "../training_params.ts";
import { type NewTokens, type Tokens, tokens, windows } from "./codecs.ts";
import { WindowSource } from "./window_source.ts";

/**
 * Trains a circuit over windows of a text by EM: what `trainEm` does, without a copy of the windows. The
 * circuit says how texts lie in its windows.
 */
export const trainText: Stage<
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
  }, z.core.$strip>,
  {
    circuit: Codec<Circuit, Circuit, "circuit">;
    train: Codec<Tokens, NewTokens, "tokens">;
    trainWindows: Codec<Windows, Windows, "windows">;
    valid: Codec<Tokens, NewTokens, "tokens">;
    validWindows: Codec<Windows, Windows, "windows">;
  },
  {
    circuit: Codec<Circuit, Circuit, "circuit">;
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
  name: "train.text",
  params: trainingParams,
  inputs: { circuit, train: tokens, trainWindows: windows, valid: tokens, validWindows: windows },
  outputs: { circuit, log: trainingLog },
  seeded: true,
  engine: "use",
  checkpoint: trainingState,
  async run({ inputs, params, context }) {
    const train = await WindowSource.open(inputs.trainWindows, inputs.train.ids);
    const valid = await WindowSource.open(inputs.validWindows, inputs.valid.ids);
    return await runTraining(inputs.circuit, { train, valid }, params, context);
  },
});
