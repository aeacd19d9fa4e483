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
  typeof trainingParams,
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
