/**
 * Distills a transformer into a hidden Markov model: takes State of the Union addresses in windows of 32 words, gives
 * suffixes that a sentence encoder finds alike the same hidden state, then runs EM. Compares with the same model
 * initialised at random. Outputs the meaning of the hidden states before EM, perplexities, sampled sentences, and blanks
 * filled in exactly. Needs no download beyond the npm packages of deno.json; takes a few minutes on two cores.
 *
 *     deno task run pipelines/quickstart.ts
 *     deno task run pipelines/quickstart.ts --set states=64 --set from=1980
 */
import { z } from "zod";
import { definePipeline } from "retort";
import {
  blankedTexts,
  comparisonParams,
  completeText,
  corpusOf,
  distilledArm,
  loadText,
  randomArm,
  sampleText,
  sotuText,
  suffixVectors,
  tableOf,
  textHeadline,
  tokenize,
  useLiteTeacher,
} from "retort/stages/text";

export default definePipeline({
  name: "quickstart",
  question: "Does distilling a sentence encoder make a better hidden Markov model than a random start?",
  headline: textHeadline("distilled"),
  params: z.object({
    ...comparisonParams,
    /** First year of the addresses used. */
    from: z.int().default(1930),
    /** Number of hidden states. */
    states: z.int().min(2).default(128),
    /** Words with fewer occurrences in the training text become the unknown word. */
    minimum: z.int().min(1).default(3),
    /** Sentences with blanks (`_`) to fill in. */
    blanks: blankedTexts.min(1).default([
      "we must _ the american people .",
      "the united states will _ _ _ the peace of the world .",
      "i ask the congress to _ this _ .",
    ]),
  }),
  async build({ params, read }) {
    const text = loadText(sotuText({}, { from: params.from }), { format: "file" });
    const tokens = tokenize(text, { lowercase: true, minimum: params.minimum });
    const corpus = corpusOf(tokens, params.window, params.partial);
    const vectors = suffixVectors(corpus, "transformer", useLiteTeacher({}).teacher, params);
    const { states } = params;
    const em = { ...params, read };
    const [distilled, random] = await Promise.all([
      distilledArm(corpus, vectors, "distilled", states, 0, { iterations: 30, em }),
      randomArm(corpus, states, 0, em),
    ]);
    const { circuit } = distilled;
    const { vocabulary } = tokens;
    return {
      clusters: distilled.clusters,
      table: tableOf(corpus, [random, distilled], params.budget),
      sentences: sampleText({ circuit, vocabulary }, { count: 10 }).sentences,
      completions: completeText({ circuit, vocabulary }, { sentences: params.blanks }).completions,
      model: circuit,
    };
  },
});
