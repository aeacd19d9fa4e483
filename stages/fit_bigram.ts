import { BigramCounts } from "../datasets/bigram.ts";
import { defineStage } from "../runner/stage.ts";
import { bigrams } from "./codecs.ts";
import { tokens, vocabulary } from "./text/codecs.ts";

/** Counts of a bigram model. */
export const fitBigram = defineStage({
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
