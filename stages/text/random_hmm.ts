import { z } from "zod";
import { hmm } from "../../circuits/structures/hmm.ts";
import { defineStage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { vocabulary } from "./codecs.ts";

/** A homogeneous HMM over token windows with random parameters: the uninformed start of EM. */
export const randomHmm = defineStage({
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
    circuit: hmm({ ...params, symbols: inputs.vocabulary.words.length, seed: context.seed }),
  }),
});
