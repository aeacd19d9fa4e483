import { z } from "zod";
import { withParameters } from "../../circuits/parameters.ts";
import { leafMarginals } from "../../circuits/learning/marginals.ts";
import { mixedLeaves } from "../../circuits/learning/mix_leaves.ts";
import { json } from "../../runner/codecs/json.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { circuit } from "../codecs/circuit.ts";
import { openLearner } from "../open_learner.ts";
import { tokens, windows } from "./codecs.ts";
import { withFrame } from "./frame_notes.ts";
import { scoreWindows } from "./score_windows.ts";
import { WindowSource } from "./window_source.ts";
import type { Codec } from "../../runner/codec.ts";

/** What was tried and what was best. */
export interface Smoothing {
  /** The share with the lowest perplexity on the validation windows. */
  weight: number;
  /** Every share that was tried; a perplexity of null is infinite. */
  tried: {
    weight: number;
    perplexity: number | null;
  }[];
}

/** What was tried and what was best. */
export const smoothing: Codec<Smoothing, Smoothing, "smoothing"> = json(
  "smoothing",
  z.object({
    /** The share with the lowest perplexity on the validation windows. */
    weight: z.number(),
    tried: z.array(z.object({ weight: z.number(), perplexity: z.number().nullable() })),
  }),
);

/**
 * Mixes the emissions of a circuit with the unigram of the training windows, by the share that predicts the
 * validation windows best. Every arm of an experiment is smoothed the same way.
 */
export const smoothText: Stage<
  z.ZodObject<{
    weights: z.ZodDefault<z.ZodArray<z.ZodNumber>>;
    batchSize: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  {
    circuit: typeof circuit;
    train: typeof tokens;
    trainWindows: typeof windows;
    valid: typeof tokens;
    validWindows: typeof windows;
  },
  { circuit: typeof circuit; smoothing: typeof smoothing }
> = defineStage({
  name: "text.smooth",
  params: z.object({
    /** Shares to try. */
    weights: z.array(z.number().min(0).max(1)).min(1).default([0, 0.02, 0.05, 0.1, 0.2]),
    /** Most windows at a time. */
    batchSize: z.int().min(1).default(256),
  }),
  inputs: { circuit, train: tokens, trainWindows: windows, valid: tokens, validWindows: windows },
  outputs: { circuit, smoothing },
  engine: "use",
  async run({ inputs, params, context }) {
    const train = await WindowSource.open(inputs.trainWindows, inputs.train.ids);
    const valid = await WindowSource.open(inputs.validWindows, inputs.valid.ids);
    const bases = await leafMarginals(inputs.circuit, train);
    const learner = await openLearner(inputs.circuit, context);
    try {
      const tried = [];
      for (const [i, weight] of params.weights.entries()) {
        await learner.setParameters(mixedLeaves(inputs.circuit, bases, weight));
        const { perplexity } = await scoreWindows(learner, valid, params.batchSize, (done, total) => {
          context.signal.throwIfAborted();
          context.progress(i * total + done, params.weights.length * total, "batches");
        });
        tried.push({ weight, perplexity });
        if (perplexity !== null) context.metric("perplexity", perplexity, i);
      }
      const best = tried.reduce((a, b) => (b.perplexity ?? Infinity) < (a.perplexity ?? Infinity) ? b : a);
      if (best.perplexity !== null) context.metric("perplexity", best.perplexity);
      context.chosen("weight", best.weight);
      context.log(`a share of ${best.weight} is best: perplexity ${best.perplexity ?? "infinite"}`);
      return {
        circuit: withFrame(
          withParameters(inputs.circuit, mixedLeaves(inputs.circuit, bases, best.weight)),
          inputs.trainWindows.frame,
        ),
        smoothing: { weight: best.weight, tried },
      };
    } finally {
      await learner.close();
    }
  },
});
