import { defineStage, json } from "retort";
import { languageScore } from "retort/stages";
import { z } from "zod";

/** Perplexity on the test text, by arm, and which of them is better (lower), by how much. */
export const perplexities = json(
  "perplexities",
  z.object({ distilled: z.number().nullable(), random: z.number().nullable(), better: z.string() }),
);

/** Compares what the two models make of the test text. */
export const comparePerplexities = defineStage({
  name: "mine.compare-perplexities",
  inputs: { distilled: languageScore, random: languageScore },
  outputs: { table: perplexities },
  run({ inputs: { distilled, random } }) {
    const [first, second] = [distilled.perplexity ?? Infinity, random.perplexity ?? Infinity];
    const percent = (100 * (1 - Math.min(first, second) / Math.max(first, second))).toFixed(1);
    const better = Number.isFinite(first + second)
      ? `${first < second ? "distilled" : "random"} by ${percent} %`
      : "unknown";
    return { table: { distilled: distilled.perplexity, random: random.perplexity, better } };
  },
});
