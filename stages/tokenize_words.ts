import { z } from "zod";
import { buildVocabulary, encodeSentences, sentencesOf } from "../datasets/words.ts";
import { text } from "../runner/codecs/text.ts";
import { defineStage } from "../runner/stage.ts";
import { tokens, vocabulary } from "./codecs.ts";

/** Word-level tokens; the vocabulary is that of the training text. */
export const tokenizeWords = defineStage({
  name: "tokenize.words",
  params: z.object({
    /** A word needs so many occurrences in the training text; rarer ones become the unknown word. */
    minimum: z.int().min(1).default(3),
  }),
  inputs: { train: text, valid: text, test: text },
  outputs: { vocabulary, train: tokens, valid: tokens, test: tokens },
  run({ inputs, params, context }) {
    const train = sentencesOf(inputs.train);
    const words = buildVocabulary(train, params.minimum);
    context.metric("vocabulary", words.words.length);
    const encode = (sentences: string[][]) => {
      const data = encodeSentences(sentences, words);
      return { data, shape: [data.length] };
    };
    return {
      vocabulary: { words: [...words.words] },
      train: encode(train),
      valid: encode(sentencesOf(inputs.valid)),
      test: encode(sentencesOf(inputs.test)),
    };
  },
});
