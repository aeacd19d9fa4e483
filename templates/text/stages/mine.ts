import { defineStage, json, many } from "retort";
import { languageScore } from "retort/stages";
import { z } from "zod";

/** Perplexities on the test text, by arm, and which of the two is better (lower), by how much. */
export const perplexities = json(
  "perplexities",
  z.object({
    models: z.array(
      z.object({
        model: z.string(),
        distilled: z.number().nullable(),
        random: z.number().nullable(),
        better: z.string(),
      }),
    ),
  }),
);

/** Compares what pairs of models make of the test text. */
export const comparePerplexities = defineStage({
  name: "mine.compare-perplexities",
  params: z.object({
    /** What each pair is called. */
    models: z.array(z.string()).min(1),
  }),
  inputs: { distilled: many(languageScore), random: many(languageScore) },
  outputs: { table: perplexities },
  run({ inputs, params }) {
    const models = params.models.map((model, i) => {
      const [distilled, random] = [inputs.distilled[i]!.perplexity, inputs.random[i]!.perplexity];
      const [first, second] = [distilled ?? Infinity, random ?? Infinity];
      const percent = (100 * (1 - Math.min(first, second) / Math.max(first, second))).toFixed(1);
      const better = Number.isFinite(first + second)
        ? `${first < second ? "distilled" : "random"} by ${percent} %`
        : "unknown";
      return { model, distilled, random, better };
    });
    return { table: { models } };
  },
});
