import { z } from "zod";
import { blockedHmm } from "../../circuits/structures/blocked_hmm.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { clusterLabels } from "../clusters/codecs.ts";
import { circuit } from "../codecs/circuit.ts";
import { blockParams, wordBlocks } from "./blocks.ts";
import { tokens, vocabulary } from "./codecs.ts";

/** A blocked HMM over token windows with random parameters: a block of states for each word class. */
export const randomBlockedHmm: Stage<
  z.ZodObject<{
    states: z.ZodInt;
    length: z.ZodInt;
  }, z.core.$strip>,
  { tokens: typeof tokens; vocabulary: typeof vocabulary; classes: typeof clusterLabels },
  { circuit: typeof circuit }
> = defineStage({
  name: "text.random_blocked_hmm",
  params: z.object(blockParams),
  inputs: { tokens, vocabulary, classes: clusterLabels },
  outputs: { circuit },
  seeded: true,
  async run({ inputs, params, context }) {
    const options = await wordBlocks({ ...inputs, types: inputs.vocabulary.words.length }, params);
    context.metric("blocks", options.blocks.length);
    context.metric("pairs of blocks", options.follows!.reduce((sum, list) => sum + list.length, 0));
    return { circuit: blockedHmm({ ...options, seed: context.seed }) };
  },
});
