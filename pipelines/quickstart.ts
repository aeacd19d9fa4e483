/**
 * Language model floors on the State of the Union addresses: unigram and interpolated bigram models of
 * several weights, the best weight chosen on the validation text, sentences drawn from it.
 * No download beyond the npm packages of deno.json.
 *
 *     deno task run pipelines/quickstart.ts
 *     deno task run pipelines/quickstart.ts --set weights=[0.2,0.4] --seed 1
 */
import { z } from "zod";
import { definePipeline } from "../mod.ts";
import { chooseBest } from "../stages/choose_best.ts";
import { evaluateBigram } from "../stages/evaluate_bigram.ts";
import { fitBigram } from "../stages/fit_bigram.ts";
import { loadText } from "../stages/text/load.ts";
import { sampleBigram } from "../stages/sample_bigram.ts";
import { sotuText } from "../stages/text/sotu.ts";
import { tokenize } from "../stages/text/tokenize.ts";

export default definePipeline({
  name: "quickstart",
  params: z.object({
    /** Words rarer than this in the training text become the unknown word. */
    minimum: z.int().min(1).default(3),
    /** Weights of the bigram against the unigram to be tried. */
    weights: z.array(z.number().min(0).max(1)).min(1).default([0, 0.2, 0.4, 0.6, 0.8]),
    /** Weight for the drawn sentences. */
    sampleWeight: z.number().min(0).max(1).default(0.8),
  }),
  build({ params }) {
    const text = loadText(sotuText({}, {}), { format: "file" });
    const tokens = tokenize(text, { lowercase: true, minimum: params.minimum });
    const { model } = fitBigram({ vocabulary: tokens.vocabulary, tokens: tokens.train });
    const on = (split: "valid" | "test", weight: number) =>
      evaluateBigram({ model, tokens: tokens[split] }, { weight }, { name: `${split}@weight=${weight}` })
        .score;
    const labels = params.weights.map(String);
    return {
      valid: chooseBest({ scores: params.weights.map((weight) => on("valid", weight)) }, { labels }, {
        name: "valid.table",
      }).table,
      test: chooseBest({ scores: params.weights.map((weight) => on("test", weight)) }, { labels }, {
        name: "test.table",
      }).table,
      sentences:
        sampleBigram({ model, vocabulary: tokens.vocabulary }, { weight: params.sampleWeight }).sentences,
    };
  },
});
