/**
 * Hidden Markov models of your own texts: some start from clusters of a teacher's vectors, others at random, and all are trained until the
 * validation text ends it. Ends with their perplexities and, of the distilled model with the best validation score, with sentences drawn from it.
 */
import { definePipeline } from "retort";
import {
  bestModel,
  compareArms,
  experimentParams,
  loadText,
  localText,
  sampleText,
  textHeadline,
  tokenize,
} from "retort/stages/text";
import { z } from "zod";
import { comparePerplexities } from "../stages/mine.ts";

export default definePipeline({
  name: "first",
  question: "Does distilling a teacher make better hidden Markov models of this text than a random start?",
  headline: ({ params }) => textHeadline(params.teachers[0]!),
  params: z.object({
    ...experimentParams,
    /** A folder of texts, or one file. */
    text: z.string().min(1).default("texts"),
    /** Numbers of hidden states. */
    states: experimentParams.states.unwrap().default([64]),
    /** Teachers: `static` is vectors of words; `transformer` a small sentence encoder, a package of its own. */
    teachers: experimentParams.teachers.unwrap().min(1).default(["static"]),
    /** Texts shorter than a window are padded. */
    partial: experimentParams.partial.unwrap().default("pad"),
    /** Words with fewer occurrences become the unknown word. */
    minimum: z.int().min(1).default(2),
  }),
  async build({ params, read }) {
    const text = loadText({ files: localText({}, { path: params.text }).files }, { format: "paragraphs" });
    const tokens = tokenize(text, { lowercase: true, minimum: params.minimum });
    const { arms, table, charts } = await compareArms(tokens, { ...params, read }, "the text");
    // Of the first teacher; of several sizes and seeds the validation text chooses one.
    const circuit = bestModel(arms.map(({ distilled }) => distilled[0]!));
    return {
      table,
      charts,
      perplexities: comparePerplexities({
        distilled: arms.map(({ distilled }) => distilled[0]!.test),
        random: arms.map(({ random }) => random.test),
      }, { models: arms.map(({ random: { row } }) => `${row.states} states, seed ${row.seed}`) }).table,
      sentences: sampleText({ circuit, vocabulary: tokens.vocabulary }, { count: 8 }).sentences,
      model: circuit,
    };
  },
});
