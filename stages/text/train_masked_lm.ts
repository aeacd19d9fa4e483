import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { maskedLmTeacher } from "../../teachers/masked_lm_teacher.ts";
import { type MaskedLmReport, MaskedLmTraining } from "../../teachers/masked_lm_training.ts";
import { tokens, vocabulary } from "./codecs.ts";
import { maskedLmLog, maskedLmState } from "./masked_lm_codecs.ts";
import { teacher } from "./teachers.ts";

/**
 * A teacher trained from nothing on the corpus that is to be distilled: a masked language model over its tokens. Interrupted
 * at any step it resumes there and ends with the same bytes on the same machine.
 */
export const trainMaskedLm: Stage<
  z.ZodObject<{
    length: z.ZodDefault<z.ZodInt>;
    width: z.ZodDefault<z.ZodInt>;
    layers: z.ZodDefault<z.ZodInt>;
    heads: z.ZodDefault<z.ZodInt>;
    hiddenWidth: z.ZodDefault<z.ZodInt>;
    layer: z.ZodOptional<z.ZodInt>;
    epochs: z.ZodDefault<z.ZodInt>;
    batch: z.ZodDefault<z.ZodInt>;
    rate: z.ZodDefault<z.ZodNumber>;
    warmup: z.ZodDefault<z.ZodNumber>;
    decay: z.ZodDefault<z.ZodNumber>;
    hidden: z.ZodDefault<z.ZodNumber>;
    suffixes: z.ZodDefault<z.ZodNumber>;
    shorter: z.ZodDefault<z.ZodNumber>;
    candidates: z.ZodDefault<z.ZodInt>;
    validWindows: z.ZodDefault<z.ZodInt>;
    reports: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { train: typeof tokens; valid: typeof tokens; vocabulary: typeof vocabulary },
  { teacher: typeof teacher; log: typeof maskedLmLog }
> = defineStage({
  name: "teacher.train-masked-lm",
  params: z.object({
    /** Tokens of a window: what the teacher takes at a time. */
    length: z.int().min(2).default(32),
    /** Numbers in a vector. */
    width: z.int().min(1).default(256),
    /** Layers of attention and multi-layer perceptron. */
    layers: z.int().min(1).default(2),
    /** Heads of attention, which share the width. */
    heads: z.int().min(1).default(4),
    /** Numbers in the hidden layer of the perceptron. */
    hiddenWidth: z.int().min(1).default(1024),
    /** The layer whose vectors the teacher returns, from 1; by default the last one, normalised. */
    layer: z.int().min(1).optional(),
    /** Passes over the corpus. */
    epochs: z.int().min(1).default(4),
    /** Windows of a step. */
    batch: z.int().min(1).default(128),
    /** Largest learning rate of AdamW; it rises first and falls to zero along a cosine. */
    rate: z.number().positive().default(1e-3),
    /** Part of the steps in which it rises. */
    warmup: z.number().min(0).max(1).default(0.05),
    /** Weight decay. */
    decay: z.number().min(0).default(0.01),
    /** Share of the tokens that are hidden and guessed. */
    hidden: z.number().gt(0).lt(1).default(0.15),
    /**
     * Share of the windows in which a token sees only itself and later tokens, as the embedding mode `masked`
     * needs.
     */
    suffixes: z.number().min(0).max(1).default(0.5),
    /** Share of the windows that are cut to a random length. */
    shorter: z.number().min(0).max(1).default(0.2),
    /** Number of candidate tokens in training, drawn for each step; 0 for all. */
    candidates: z.int().min(0).default(4096),
    /** Number of validation windows for each point of the loss curve. */
    validWindows: z.int().min(1).default(1024),
    /** Points of the loss curve an epoch. */
    reports: z.int().min(1).default(4),
  }),
  inputs: { train: tokens, valid: tokens, vocabulary },
  outputs: { teacher, log: maskedLmLog },
  seeded: true,
  engine: "use",
  checkpoint: maskedLmState,
  async run({ inputs, params, context }) {
    const { length, width, layers, heads, hiddenWidth, layer, ...options } = params;
    const { words, unknown, end } = inputs.vocabulary;
    if (layer !== undefined && layer > layers) {
      throw new RetortError("teacher/options", `\`layer\` is ${layer}, but there are ${layers} layers`);
    }
    const sizes = { length, width, layers, heads, hidden: hiddenWidth, tokens: words.length };
    context.engine.used("cpu", "ONNX Runtime");
    const training = new MaskedLmTraining(sizes, { ...options, seed: context.seed }, {
      train: await inputs.train.ids.all(),
      valid: await inputs.valid.ids.all(),
    });
    try {
      const saved = await context.checkpoint.load();
      if (saved !== undefined) {
        training.restore(saved);
        context.log(`going on after step ${saved.step}`);
      }
      const tell = ({ step, train, valid, validSuffix }: MaskedLmReport) => {
        context.metric("train loss", train, step);
        context.metric("valid loss", valid, step);
        context.metric("valid loss of suffixes", validSuffix, step);
      };
      training.reports.forEach(tell);
      while (!training.done) {
        await context.checkpoint.offer(() => training.state());
        context.signal.throwIfAborted();
        const report = await training.step();
        if (report !== undefined) tell(report);
        const { done, total } = training.progress;
        context.progress(done, total, "steps");
      }
      const name = `masked language model, ${layers} layers of ${width}, ${params.epochs} epochs`;
      return {
        teacher: maskedLmTeacher(sizes, training.weights, { name, unknown, end, ...(layer && { layer }) }),
        log: { reports: training.reports.map((point) => ({ ...point })) },
      };
    } finally {
      await training.close();
    }
  },
});
