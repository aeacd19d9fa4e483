import { z } from "zod";
import { textOfTokens } from "../../datasets/text/text_of_tokens.ts";
import type { Vocabulary } from "../../datasets/text/vocabulary.ts";
import type { WindowFrame } from "../../datasets/text/windows.ts";
import { sampleMissing } from "../../circuits/queries/sampling.ts";
import { type Samples, unobserved } from "../../circuits/samples.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { sentences } from "../codecs.ts";
import { openLearner } from "../open_learner.ts";
import { vocabulary } from "./codecs.ts";
import { frameParams } from "./frame.ts";
import { askedFrame } from "./frame_notes.ts";

/**
 * Texts drawn from a circuit over token windows, exactly from its distribution. Where they begin in a window is what the
 * circuit says of the windows that it was learned from: with the window, or after an end token, which is then given; they
 * stop at the next end. A circuit over stretches of running text gives whole windows.
 */
export const sampleText: Stage<
  z.ZodObject<{
    count: z.ZodDefault<z.ZodInt>;
    begins: z.ZodOptional<
      z.ZodEnum<{
        window: "window";
        end: "end";
        anywhere: "anywhere";
      }>
    >;
    ends: z.ZodOptional<z.ZodBoolean>;
  }, z.core.$strip>,
  { circuit: typeof circuit; vocabulary: typeof vocabulary },
  { sentences: typeof sentences }
> = defineStage({
  name: "text.sample",
  params: z.object({
    ...frameParams,
    /** How many. */
    count: z.int().min(1).default(10),
  }),
  inputs: { circuit, vocabulary },
  outputs: { sentences },
  seeded: true,
  engine: "use",
  async run({ inputs, params, context }) {
    const { circuit, vocabulary } = inputs;
    const frame = askedFrame(circuit, vocabulary, params, context.log);
    const windows = unobserved(params.count, circuit.variables.length);
    if (frame.begins === "end") {
      for (let s = 0; s < params.count; s++) {
        windows.values[s * windows.variables] = vocabulary.end!;
        windows.observed![s * windows.variables] = 1;
      }
    }
    const learner = await openLearner(circuit, context);
    try {
      const drawn = await sampleMissing(learner, windows, { seed: context.seed });
      return { sentences: { sentences: sentencesOf(drawn, vocabulary, frame) } };
    } finally {
      await learner.close();
    }
  },
});

function sentencesOf(drawn: Samples, vocabulary: Vocabulary, { begins }: WindowFrame): string[] {
  const first = begins === "end" ? 1 : 0;
  return Array.from({ length: drawn.count }, (_, s) => {
    const row = Array.from(drawn.values.subarray(s * drawn.variables, (s + 1) * drawn.variables));
    const next = vocabulary.end === null || begins === "anywhere" ? -1 : row.indexOf(vocabulary.end, first);
    return textOfTokens(row.slice(first, next < 0 ? undefined : next), vocabulary);
  });
}
