import { BigramCounts } from "../datasets/bigram.ts";
import type { Codec } from "../runner/codec.ts";
import type { Vocabulary } from "../datasets/text/vocabulary.ts";
import { defineStage, type NoParams, type Stage } from "../runner/stage.ts";
import { bigrams } from "./codecs.ts";
import { type NewTokens, type Tokens, tokens, vocabulary } from "./text/codecs.ts";

/** Counts of a bigram model. */
export const fitBigram: Stage<NoParams, {
  vocabulary: Codec<Vocabulary, Vocabulary, "vocabulary">;
  tokens: Codec<Tokens, NewTokens, "tokens">;
}, {
  model: Codec<{
    unigrams: number[];
    pairs: number[];
    start: number;
  }, {
    unigrams: number[];
    pairs: number[];
    start: number;
  }, "bigrams">;
}> = defineStage({
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
