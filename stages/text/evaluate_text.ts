import { z } from "zod";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { languageScore } from "../codecs.ts";
import { openLearner } from "../open_learner.ts";
import { tokens, windows } from "./codecs.ts";
import { scoreWindows } from "./score_windows.ts";
import { WindowSource } from "./window_source.ts";

/** Perplexity of a circuit over windows of a text, each window by itself. */
export const evaluateText: Stage<
  z.ZodObject<{
    batchSize: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { circuit: typeof circuit; tokens: typeof tokens; windows: typeof windows },
  { score: typeof languageScore }
> = defineStage({
  name: "evaluate.text",
  params: z.object({
    /** Most windows at a time. */
    batchSize: z.int().min(1).default(256),
  }),
  inputs: { circuit, tokens, windows },
  outputs: { score: languageScore },
  engine: "use",
  async run({ inputs, params, context }) {
    const source = await WindowSource.open(inputs.windows, inputs.tokens.ids);
    const learner = await openLearner(inputs.circuit, context);
    try {
      const score = await scoreWindows(learner, source, params.batchSize, (done, total) => {
        context.signal.throwIfAborted();
        context.progress(done, total, "batches");
      });
      if (score.perplexity === null) context.log("some window is impossible: the perplexity is infinite");
      else context.metric("perplexity", score.perplexity);
      return { score };
    } finally {
      await learner.close();
    }
  },
});
