import { z } from "zod";
import { textOfTokens, type Vocabulary } from "../../datasets/text/vocabulary.ts";
import { sampleMissing } from "../../circuits/queries/sampling.ts";
import type { Samples } from "../../circuits/samples.ts";
import { unobserved } from "../../circuits/samples.ts";
import { defineStage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { sentences } from "../codecs.ts";
import { openLearner } from "../open_learner.ts";
import { vocabulary } from "./codecs.ts";

/**
 * Sentences drawn from a circuit over token windows, exactly from its distribution: windows that begin with the end
 * of a sentence, cut at the next one.
 */
export const sampleText = defineStage({
  name: "text.sample",
  params: z.object({
    /** How many. */
    count: z.int().min(1).default(10),
  }),
  inputs: { circuit, vocabulary },
  outputs: { sentences },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const { end } = inputs.vocabulary;
    const length = inputs.circuit.variables.length;
    const learner = await openLearner(inputs.circuit, context);
    try {
      const drawn = await sampleMissing(learner, afterEnd(params.count, length, end), { seed: context.seed });
      return { sentences: { sentences: sentencesOf(drawn, inputs.vocabulary) } };
    } finally {
      await learner.close();
    }
  },
});

/** Windows of which nothing is given but the end of the sentence before, if the vocabulary has an end. */
function afterEnd(count: number, length: number, end: number | null): Samples {
  const windows = unobserved(count, length);
  if (end === null) return windows;
  for (let s = 0; s < count; s++) {
    windows.values[s * length] = end;
    windows.observed![s * length] = 1;
  }
  return windows;
}

function sentencesOf(drawn: Samples, vocabulary: Vocabulary): string[] {
  const { end } = vocabulary;
  return Array.from({ length: drawn.count }, (_, s) => {
    const row = Array.from(drawn.values.subarray(s * drawn.variables, (s + 1) * drawn.variables));
    if (end === null) return textOfTokens(row, vocabulary);
    const next = row.indexOf(end, 1);
    return textOfTokens(row.slice(1, next < 0 ? undefined : next), vocabulary);
  });
}
