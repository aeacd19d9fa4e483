import { z } from "zod";
import { RetortError } from "../../foundation/errors.ts";
import { defineStage, type Stage } from "../../runner/stage.ts";
import { causalLmTeacher } from "../../teachers/causal_lm.ts";
import { type CausalLmReport, CausalLmTraining } from "../../teachers/causal_lm_training.ts";
import { causalLmLog, causalLmState } from "./causal_lm_codecs.ts";
import { tokens, vocabulary } from "./codecs.ts";
import { teacher } from "./teachers.ts";

/**
 * A language model trained from nothing on a corpus, whose pieces are the corpus's tokens: a causal transformer that gives
 * logits and vectors, or, `backward`, vectors of suffixes. Texts are what end tokens part. Interrupted at any step it resumes there and ends with the same
 * bytes on the same machine.
 */
export const trainCausalLm: Stage<
  z.ZodObject<{
    direction: z.ZodDefault<z.ZodEnum<{ forward: "forward"; backward: "backward" }>>;
    windows: z.ZodDefault<z.ZodEnum<{ texts: "texts"; all: "all" }>>;
    length: z.ZodDefault<z.ZodInt>;
    width: z.ZodDefault<z.ZodInt>;
    layers: z.ZodDefault<z.ZodInt>;
    heads: z.ZodDefault<z.ZodInt>;
    hiddenWidth: z.ZodDefault<z.ZodInt>;
    epochs: z.ZodDefault<z.ZodInt>;
    batch: z.ZodDefault<z.ZodInt>;
    rate: z.ZodDefault<z.ZodNumber>;
    warmup: z.ZodDefault<z.ZodNumber>;
    decay: z.ZodDefault<z.ZodNumber>;
    validWindows: z.ZodDefault<z.ZodInt>;
    reports: z.ZodDefault<z.ZodInt>;
  }, z.core.$strip>,
  { train: typeof tokens; valid: typeof tokens; vocabulary: typeof vocabulary },
  { teacher: typeof teacher; log: typeof causalLmLog }
> = defineStage({
  name: "teacher.train-causal-lm",
  params: z.object({
    /** `backward` it reads what follows and predicts what precedes: its states are vectors of suffixes, but draw no texts. */
    direction: z.enum(["forward", "backward"]).default("forward"),
    /** `texts`: it learns from a window at the beginning of each text; `all`: from windows over all of it, as circuits do. */
    windows: z.enum(["texts", "all"]).default("texts"),
    /** Tokens that the model reads at a time. */
    length: z.int().min(2).default(32),
    /** Numbers in a vector. */
    width: z.int().min(1).default(128),
    /** Layers of attention and multi-layer perceptron. */
    layers: z.int().min(1).default(2),
    /** Heads of attention, which share the width. */
    heads: z.int().min(1).default(4),
    /** Numbers in the hidden layer of the perceptron. */
    hiddenWidth: z.int().min(1).default(512),
    /** Passes over the corpus. */
    epochs: z.int().min(1).default(1),
    /** Windows of a step. */
    batch: z.int().min(1).default(32),
    /** Largest learning rate of AdamW; it rises first and falls to zero along a cosine. */
    rate: z.number().positive().default(2e-3),
    /** Part of the steps in which it rises. */
    warmup: z.number().min(0).max(1).default(0.05),
    /** Weight decay. */
    decay: z.number().min(0).default(0.01),
    /** Number of validation windows for each point of the loss curve. */
    validWindows: z.int().min(1).default(512),
    /** Points of the loss curve an epoch. */
    reports: z.int().min(1).default(4),
  }),
  inputs: { train: tokens, valid: tokens, vocabulary },
  outputs: { teacher, log: causalLmLog },
  seeded: true,
  engine: "use",
  checkpoint: causalLmState,
  async run({ inputs, params, context }) {
    const { length, width, layers, heads, hiddenWidth, ...options } = params;
    const { vocabulary } = inputs;
    if (vocabulary.end === null) {
      throw new RetortError(
        "text/no-end-token",
        "a language model needs an end token, which begins and ends texts",
        {
          hint: 'Set `ends` of the tokenizer to something else than "nothing".',
        },
      );
    }
    const sizes = { length, width, layers, heads, hidden: hiddenWidth, tokens: vocabulary.words.length };
    context.engine.used("cpu", "ONNX Runtime");
    const corpus = { train: await inputs.train.ids.all(), valid: await inputs.valid.ids.all() };
    const training = new CausalLmTraining(sizes, { ...options, seed: context.seed }, corpus, vocabulary.end);
    try {
      const saved = await context.checkpoint.load();
      if (saved !== undefined) {
        training.restore(saved);
        context.log(`going on after step ${saved.step}`);
      }
      const tell = ({ step, train, valid }: CausalLmReport) => {
        context.metric("train loss", train, step);
        context.metric("valid loss", valid, step);
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
      const name = `causal language model${
        params.direction === "backward" ? " that reads backward" : ""
      }, ${layers} layers of ${width}, ${params.epochs} epochs`;
      return {
        teacher: causalLmTeacher(sizes, training.weights, name, vocabulary, params.direction),
        log: { reports: training.reports.map((point) => ({ ...point })) },
      };
    } finally {
      await training.close();
    }
  },
});
