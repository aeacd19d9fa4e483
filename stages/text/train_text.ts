import { z } from "zod";
import { BlockedHmmLearner, requireEm } from "../../circuits/learning/blocked_learner.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { trainingLog } from "../codecs/score.ts";
import { trainingState } from "../codecs/training_state.ts";
import { openLearner } from "../open_learner.ts";
import { runTraining } from "../train_em.ts";
import { trainingParams } from "../training_params.ts";
import { smoothingLevels } from "./blocks.ts";
import { tokens, windows } from "./codecs.ts";
import { WindowSource } from "./window_source.ts";

/**
 * Trains a circuit over windows of a text by EM: what `trainEm` does, without a copy of the windows. The
 * circuit says how texts lie in its windows.
 */
export const trainText: Stage<
  z.ZodObject<
    typeof trainingParams.shape & {
      levels: z.ZodOptional<z.ZodObject<typeof smoothingLevels, z.core.$strict>>;
    },
    z.core.$strip
  >,
  {
    circuit: typeof circuit;
    train: typeof tokens;
    trainWindows: typeof windows;
    valid: typeof tokens;
    validWindows: typeof windows;
  },
  { circuit: typeof circuit; log: typeof trainingLog }
> = defineStage({
  name: "train.text",
  params: trainingParams.extend({
    /** Smooth a blocked HMM by levels, as `hmm.materialise-blocked` does, in the place of `pseudocount`; the step must be `em`. */
    levels: z.strictObject(smoothingLevels).optional(),
  }),
  inputs: { circuit, train: tokens, trainWindows: windows, valid: tokens, validWindows: windows },
  outputs: { circuit, log: trainingLog },
  seeded: true,
  engine: "use",
  checkpoint: trainingState,
  async run({ inputs, params, context }) {
    const { levels } = params;
    if (levels !== undefined) requireEm(params.step);
    const train = await WindowSource.open(inputs.trainWindows, inputs.train.ids);
    const valid = await WindowSource.open(inputs.validWindows, inputs.valid.ids);
    return await runTraining(inputs.circuit, { train, valid }, params, context, async (circuit) => {
      const engine = await openLearner(circuit, context);
      return levels === undefined ? engine : new BlockedHmmLearner(engine, levels);
    });
  },
});
