import { z } from "zod";
import { BigramModel } from "../datasets/bigram.ts";
import { defineStage, type Stage } from "../runner/stage.ts";
import { bigrams, languageScore } from "./codecs.ts";
import { tokens } from "./text/codecs.ts";

/** Perplexity of an interpolated bigram model. Weight 0 is the unigram. */
export const evaluateBigram: Stage<
  z.ZodObject<{
    weight: z.ZodNumber;
  }, z.core.$strip>,
  { model: typeof bigrams; tokens: typeof tokens },
  { score: typeof languageScore }
> = defineStage({
  name: "evaluate.bigram",
  params: z.object({ weight: z.number().min(0).max(1) }),
  inputs: { model: bigrams, tokens },
  outputs: { score: languageScore },
  async run({ inputs, params, context }) {
    const model = new BigramModel(inputs.model.unigrams, inputs.model.pairs, params.weight);
    let bits = 0;
    let previous = inputs.model.start;
    for await (const { values } of inputs.tokens.ids.blocks()) {
      bits += model.bits(values, previous);
      previous = values.at(-1)!;
    }
    const bitsPerToken = bits / inputs.tokens.count;
    const perplexity = 2 ** bitsPerToken;
    context.metric("perplexity", perplexity);
    return { score: { perplexity, bitsPerToken, tokens: inputs.tokens.count } };
  },
});
