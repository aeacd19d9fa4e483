import { z } from "zod";
import { json } from "../runner/codecs/json.ts";
import { defineStage, many } from "../runner/stage.ts";
import { languageScore } from "./codecs.ts";

/** A table of a sweep: what was tried, how it scored, which was best. */
export const sweepTable = json(
  "sweep-table",
  z.object({
    best: z.string(),
    perplexity: z.number(),
    rows: z.array(z.object({ label: z.string(), perplexity: z.number() })),
  }),
);

/** Gathers the scores of a sweep and names the one of lowest perplexity; of equal ones the first. */
export const chooseBest = defineStage({
  name: "choose.best",
  params: z.object({ labels: z.array(z.string()).min(1) }),
  inputs: { scores: many(languageScore) },
  outputs: { table: sweepTable },
  run({ inputs, params }) {
    if (inputs.scores.length !== params.labels.length) {
      throw new Error(`${inputs.scores.length} scores but ${params.labels.length} labels`);
    }
    const rows = params.labels.map((label, i) => ({ label, perplexity: inputs.scores[i]!.perplexity }));
    const best = rows.reduce((a, b) => b.perplexity < a.perplexity ? b : a);
    return { table: { best: best.label, perplexity: best.perplexity, rows } };
  },
});
