import { z } from "zod";
import { BigramModel } from "../datasets/bigram.ts";
import { defineStage } from "../runner/stage.ts";
import { bigrams, sentences } from "./codecs.ts";
import { vocabulary } from "./text/codecs.ts";

/** Sentences drawn from an interpolated bigram model. */
export const sampleBigram = defineStage({
  name: "sample.bigram",
  params: z.object({
    weight: z.number().min(0).max(1),
    count: z.int().min(1).default(10),
    /** A sentence is cut after so many words. */
    longest: z.int().min(1).default(30),
  }),
  inputs: { model: bigrams, vocabulary },
  outputs: { sentences },
  seeded: true,
  run({ inputs, params, context }) {
    const model = new BigramModel(inputs.model.unigrams, inputs.model.pairs, params.weight);
    const { start } = inputs.model;
    const uniform = uniforms(context.seed);
    const drawn = Array.from({ length: params.count }, () => {
      const words: string[] = [];
      for (let token = model.sample(start, uniform); token !== start; token = model.sample(token, uniform)) {
        words.push(inputs.vocabulary.words[token]!);
        if (words.length === params.longest) break;
      }
      return words.join(" ");
    });
    for (const sentence of drawn) context.log(sentence);
    return { sentences: { sentences: drawn } };
  },
});

/** Uniform numbers in [0, 1) by counting: SplitMix32 of seed and position. */
function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  };
}
