import { z } from "zod";
import { BigramModel } from "../datasets/bigram.ts";
import { defineStage } from "../runner/stage.ts";
import { bigrams, languageScore, tokens } from "./codecs.ts";

/** Perplexity of an interpolated bigram model. Weight 0 is the unigram. */
export const evaluateBigram = defineStage({
  name: "evaluate.bigram",
  params: z.object({ weight: z.number().min(0).max(1) }),
  inputs: { model: bigrams, tokens },
  outputs: { score: languageScore },
  run({ inputs, params, context }) {
    const model = new BigramModel(inputs.model.unigrams, inputs.model.pairs, params.weight);
    const bitsPerToken = model.bitsPerToken(inputs.tokens.data, 1);
    const perplexity = 2 ** bitsPerToken;
    context.metric("perplexity", perplexity);
    return { score: { perplexity, bitsPerToken, tokens: inputs.tokens.data.length } };
  },
});
