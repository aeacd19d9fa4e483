import { z } from "zod";
import { ExchangeClasses } from "../../datasets/exchange.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { tokens, vocabulary } from "../text/codecs.ts";
import { clusterLabels } from "./codecs.ts";

/** Word classes by the exchange algorithm: those under which a class bigram makes the text likeliest. */
export const exchangeClasses: Stage<
  z.ZodObject<{
    classes: z.ZodInt;
    passes: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { tokens: typeof tokens; vocabulary: typeof vocabulary },
  { classes: typeof clusterLabels }
> = defineStage({
  name: "clusters.exchange",
  params: z.object({
    /** Number of classes. */
    classes: z.int().min(1),
    /** Most passes over the vocabulary; it ends when no word moves. */
    passes: z.int().min(1).default(10),
  }),
  inputs: { tokens, vocabulary },
  outputs: { classes: clusterLabels },
  async run({ inputs, params, context }) {
    const ids = await inputs.tokens.ids.all();
    const exchange = new ExchangeClasses(ids, inputs.vocabulary.words.length, params.classes);
    for (let pass = 1; pass <= params.passes; pass++) {
      context.signal.throwIfAborted();
      const moved = exchange.pass();
      context.metric(
        "class bigram perplexity",
        Math.exp(-exchange.logLikelihood / Math.max(1, ids.length - 1)),
        pass,
      );
      context.metric("words moved", moved, pass);
      context.progress(pass, params.passes, "passes");
      if (moved === 0) break;
    }
    return { classes: { labels: Int32Array.from(exchange.classes), clusters: params.classes } };
  },
});
