/**
 * The models of the playground: State of the Union addresses in windows of 32 words, distilled from a sentence encoder and,
 * beside it, from a random start. `deno task playground` runs it and puts the two into a page; few words and states keep
 * the files small.
 *
 *     deno task run pipelines/playground.ts
 */
import { z } from "zod";
import { definePipeline } from "retort";
import {
  comparisonParams,
  corpusOf,
  distilledArm,
  loadText,
  randomArm,
  sotuText,
  suffixVectors,
  tableOf,
  textHeadline,
  tokenize,
  useLiteTeacher,
} from "retort/stages/text";

export default definePipeline({
  name: "playground",
  question: "What do the models of the playground owe to distillation?",
  headline: textHeadline("distilled"),
  params: z.object({
    ...comparisonParams,
    /** First year of the addresses used. */
    from: z.int().default(1930),
    /** Number of hidden states. */
    states: z.int().min(2).default(128),
    /** Largest number of words; the others become the unknown word. */
    words: z.int().min(100).default(4000),
  }),
  async build({ params, read }) {
    const { states, words: largest } = params;
    const text = loadText(sotuText({}, { from: params.from }), { format: "file" });
    const tokens = tokenize(text, { lowercase: true, largest });
    const corpus = corpusOf(tokens, params.window, params.partial);
    const vectors = suffixVectors(corpus, "transformer", useLiteTeacher({}).teacher, params);
    const em = { ...params, read };
    const [distilled, random] = await Promise.all([
      distilledArm(corpus, vectors, "distilled", states, 0, { iterations: 30, em }),
      randomArm(corpus, states, 0, em),
    ]);
    return {
      table: tableOf(corpus, [random, distilled], params.budget),
      distilled: distilled.circuit,
      random: random.circuit,
    };
  },
});
