import { BigramCounts } from "../datasets/bigram.ts";
import { defineStage, type NoParams, type Stage } from "../runner/stage.ts";
import { bigrams } from "./codecs.ts";
import { tokens, vocabulary } from "./text/codecs.ts";

/** Counts of a bigram model. */
export const fitBigram: Stage<
  NoParams,
  { vocabulary: typeof vocabulary; tokens: typeof tokens },
  { model: typeof bigrams }
> = defineStage({
  name: "fit.bigram",
  inputs: { vocabulary, tokens },
  outputs: { model: bigrams },
  async run({ inputs }) {
    const { words, end } = inputs.vocabulary;
    const counts = new BigramCounts(words.length, end ?? 0);
    for await (const { values } of inputs.tokens.ids.blocks()) counts.add(values);
    return { model: { ...counts.counts, start: end ?? 0 } };
  },
});
