import { countBigrams } from "../datasets/bigram.ts";
import { defineStage } from "../runner/stage.ts";
import { bigrams, tokens, vocabulary } from "./codecs.ts";

/** Counts of a bigram model. */
export const fitBigram = defineStage({
  name: "fit.bigram",
  inputs: { vocabulary, tokens },
  outputs: { model: bigrams },
  run: ({ inputs }) => ({ model: countBigrams(inputs.tokens.data, inputs.vocabulary.words.length, 1) }),
});
