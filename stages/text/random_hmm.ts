import { z } from "zod";
import { hmm } from "../../circuits/structures/hmm.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { vocabulary } from "./codecs.ts";
import { withVocabulary } from "./frame.ts";

/** A homogeneous HMM over token windows with random parameters: the uninformed start of EM. */
export const randomHmm: Stage<
  z.ZodObject<{
    states: z.ZodInt;
    length: z.ZodInt;
  }, z.core.$strip>,
  { vocabulary: typeof vocabulary },
  { circuit: typeof circuit }
> = defineStage({
  name: "text.random_hmm",
  params: z.object({
    /** Hidden states. */
    states: z.int().min(1),
    /** Positions of a window. */
    length: z.int().min(1),
  }),
  inputs: { vocabulary },
  outputs: { circuit },
  seeded: true,
  run: ({ inputs, params, context }) => ({
    circuit: withVocabulary(
      hmm({ ...params, symbols: inputs.vocabulary.words.length, seed: context.seed }),
      inputs.vocabulary,
    ),
  }),
});
