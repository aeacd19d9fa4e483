import { defineStage, json } from "retort";
import { languageScore } from "retort/stages";
import { z } from "zod";

/** Perplexity on the test text, by arm, and by how much the first is lower. */
export const perplexities = json(
  "perplexities",
  z.object({ distilled: z.number().nullable(), random: z.number().nullable(), lower: z.string() }),
);

/** Compares what the two models make of the test text. */
export const comparePerplexities = defineStage({
  name: "mine.compare-perplexities",
  inputs: { distilled: languageScore, random: languageScore },
  outputs: { table: perplexities },
  run({ inputs: { distilled, random } }) {
    const [first, second] = [distilled.perplexity ?? Infinity, random.perplexity ?? Infinity];
    const lower = Number.isFinite(first + second)
      ? `${(100 * (1 - first / second)).toFixed(1)} %`
      : "unknown";
    return { table: { distilled: distilled.perplexity, random: random.perplexity, lower } };
  },
});
